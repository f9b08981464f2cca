"""Small panels of each layout, and a plain twin of the counting."""

from collections import Counter

from hemc.states import CHARGED_OFF, D180, N_LIVE, PAID_OFF, REO


def freddie_line(loan, month, status, exit_code="", balance="100000.00"):
    """Return a line of Freddie Mac's performance file; columns count from 1 in its guide."""
    fields = [""] * 32
    fields[0], fields[1], fields[2], fields[3] = loan, month, balance, status
    fields[8] = exit_code
    fields[9] = month if exit_code else ""
    fields[10] = "4.25"
    return "|".join(fields)


def fannie_line(loan, month, status, exit_code="", foreclosed="", width=110):
    """Return a line of Fannie Mae's performance file; its pool number is blank."""
    fields = [""] * width
    fields[1], fields[2], fields[11], fields[39] = loan, month, "100000.00", status
    fields[43], fields[51] = exit_code, foreclosed
    return "|".join(fields)


def write_lines(path, lines):
    """Write lines and return the path."""
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def possible(start, end, months):
    """Tell whether a loan can move so in so many months, state by state."""
    if start == REO and end < REO:
        return False
    return not (start < D180 and end <= D180 and end - start > months)


def naive_counts(histories, months):
    """Count possible moves over `months` of histories, {loan: {month: state}}, loan by loan.

    A loan that ended stays where it ended until the panel's last month.
    """
    last = max(month for history in histories.values() for month in history)
    counts = Counter()
    for history in histories.values():
        ends = [month for month, state in history.items() if state in (PAID_OFF, CHARGED_OFF)]
        filled = dict(history)
        if ends:
            filled |= dict.fromkeys(range(ends[0], last + 1), history[ends[0]])
        for month, state in history.items():
            if state < N_LIVE and month + months in filled:
                end = filled[month + months]
                if possible(state, end, months):
                    counts[state, end] += 1
    return counts
