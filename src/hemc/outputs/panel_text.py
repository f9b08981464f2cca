"""What a panel or a table of counts says → screens of 80 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from hemc.inputs.move_counts import MoveCounts, can_happen
from hemc.inputs.panel import Panel
from hemc.kernels.flows import Floats
from hemc.model.move_rates import MoveRates
from hemc.model.two_class_fit import (
    TwoClassFit,
    observed_rates,
    rates_ahead,
    rates_of_one_class,
)
from hemc.outputs.certificate_text import WIDTH
from hemc.states import CURRENT, D30, D60, D180, KEYS, N_LIVE, N_STATES, NAMES

_CELL = 5

#: Moves by which a chain is judged: cures, staying, falling far behind.
_JUDGED = ((D30, CURRENT), (D30, D30), (D60, CURRENT), (D30, D180), (CURRENT, D180))


def panel_screen(panel: Panel, rates: MoveRates) -> str:
    """Return what was read, the matrix of one month, and what was left out."""
    files = f"{len(panel.files)} file{'s' if len(panel.files) > 1 else ''}"
    head = (
        f"{panel.layout}: {files}, {panel.n_rows:,} rows, {panel.n_loans:,} loans, "
        f"{panel.months[0]} to {panel.months[1]}"
    )
    lines = [*_wrap(head), "", *_matrix(rates), "", *_silent(panel.moves, rates)]
    if panel.exclusions.height:
        lines += ["", "Left out:", *_exclusions(panel)]
    return "\n".join([*lines, "", *_chain(panel.moves)])


def _matrix(rates: MoveRates) -> Iterator[str]:
    """Yield the rates of one month in per cent, a row for each state that loans were in."""
    seen = rates.counts.sum(axis=1)
    to = [s for s in range(N_STATES) if (rates.mean[:, s] > 0).any()]
    yield "Moves of one month, % of the loans in a state (posterior mean)"
    yield f"{'from':5}{'loan-months':>13} " + "".join(f"{KEYS[s]:>{_CELL}}" for s in to)
    for s in range(N_LIVE):
        if seen[s]:
            cells = "".join(f"{_percent(rates.mean[s, t]):>{_CELL}}" for t in to)
            yield f"{KEYS[s]:5}{seen[s]:>13,} {cells}"


def _percent(rate: float) -> str:
    """Return a rate in per cent, four characters wide."""
    if not rate > 0:
        return "·"
    value = 100.0 * rate
    if value < 0.005:
        return "<.01"
    return "100" if value > 99.95 else f"{value:.1f}" if value >= 9.995 else f"{value:.2f}"


def _silent(moves: MoveCounts, rates: MoveRates) -> list[str]:
    """Say about which states and moves the panel says nothing."""
    lines = []
    if moves.hidden:
        names = ", ".join(NAMES[s] for s in moves.hidden)
        lines += _wrap(f"Not shown by the source, so without rates: {names}.")
    empty = [s for s in range(N_LIVE) if s not in moves.hidden and not rates.counts[s].sum()]
    if empty:
        names = ", ".join(NAMES[s] for s in empty)
        lines += _wrap(f"No loan seen in, so the prior alone: {names}.")
    outside = int(rates.outside.sum())
    if outside:
        lines += _wrap(f"{outside:,} moves that the product's prior does not know enter no rate.")
    return lines


def _exclusions(panel: Panel) -> Iterator[str]:
    """Yield a row for each kind of thing left out."""
    for name, unit, count, detail in panel.exclusions.iter_rows():
        text = f"{count:>13,}  {_plural(unit, count)}: {name} ({detail})"
        yield from textwrap.wrap(
            text, WIDTH, drop_whitespace=True, subsequent_indent=" " * 17, replace_whitespace=False
        )


def _plural(unit: str, count: int) -> str:
    word, _, rest = unit.partition(" ")
    return " ".join(filter(None, (word + ("s" if count != 1 else ""), rest)))


def _chain(moves: MoveCounts) -> Iterator[str]:
    """Yield observed moves over months beside those of a chain of one class."""
    longer = [months for months in moves.counts if months > 1]
    if not longer:
        return
    one_month = observed_rates(moves.counts[1])
    yield "Moves over more months, %: counted, and what one class of loans would give"
    for months in longer:
        observed = observed_rates(moves.counts[months])
        yield from _compared(months, [observed, rates_of_one_class(one_month, months)])


def _compared(months: int, matrices: list[Floats]) -> Iterator[str]:
    """Yield a row for each judged move that can happen in so many months."""
    possible = can_happen(months)
    for s, to in _JUDGED:
        if possible[s, to]:
            cells = "".join(f"{100 * matrix[s, to]:>13.4g}" for matrix in matrices)
            unit = "month " if months == 1 else "months"
            yield f"{months} {unit}  {NAMES[s] + ' → ' + NAMES[to]:<17}{cells}"


def fit_screen(moves: MoveCounts, fit: TwoClassFit) -> str:
    """Return the classes, and the counts beside one class and beside two."""
    lines = ["Two latent classes, fixed for life; the moves of one month are met exactly.", ""]
    lines += [*_classes(fit), "", f"{'%':27}{'counted':>13}{'one class':>13}{'two classes':>13}"]
    for months in moves.counts:
        one = rates_of_one_class(fit.one_month, months)
        rows = [observed_rates(moves.counts[months]), one, rates_ahead(fit.classes, months)]
        lines += _compared(months, rows)
    gain = 1.0 - fit.log_likelihood / fit.log_likelihood_one_class
    tops = ", ".join(f"{top:,.0f}" for top in fit.tops)
    text = (
        f"Log likelihood less that of the tables' own rates: one class "
        f"{fit.log_likelihood_one_class:,.0f}, two {fit.log_likelihood:,.0f} ({gain:.1%} of the "
        f"misfit explained). Searches ended at {tops}."
    )
    return "\n".join([*lines, "", *_wrap(text)])


def _classes(fit: TwoClassFit) -> Iterator[str]:
    """Yield a row a state: share of chronic loans and how each class moves in a month."""
    movers, chronic = fit.classes.rates
    yield f"{'':9}{'chronic':>9}{'improve':>18}{'stay':>18}{'worsen':>18}"
    yield f"{'from':9}{'share %':>9}" + f"{'movers':>9}{'chronic':>9}" * 3
    for s in range(N_LIVE):
        if fit.fractions[s, 0] == fit.fractions[s, 0]:
            parts = zip(_three(movers, fit, s), _three(chronic, fit, s), strict=True)
            cells = "".join(f"{100 * a:>9.2f}{100 * b:>9.2f}" for a, b in parts)
            yield f"{NAMES[s]:9}{100 * fit.classes.share[s, 1]:>9.2f}{cells}"


def _three(rates: Floats, fit: TwoClassFit, state: int) -> list[float]:
    """Return how often a class improves, stays and worsens, payoff aside."""
    return [float(rates[state, fit.kinds[state] == kind].sum()) for kind in range(3)]


def _wrap(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH)
