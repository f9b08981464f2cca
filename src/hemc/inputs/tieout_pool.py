"""Pool, delinquency, loss and account rows → the identities that need no deal terms."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from hemc.inputs.certificate import Certificate
from hemc.inputs.figures import Field
from hemc.inputs.identities import (
    TieOutLine,
    combine,
    compare,
    known,
    missing,
    not_testable,
    round_to,
    sum_of,
)
from hemc.inputs.tieout_notes import Notes, n_decimals

_PERCENT_DIGITS = 2


def pool_lines(certificate: Certificate, notes: Notes) -> list[TieOutLine]:
    """Pool roll and net principal collections."""
    pool = certificate.pool
    net = combine(
        lambda principal, draws: principal - draws,
        principal_collections=pool["principal_collections"],
        principal_draws=pool["principal_draws"],
    )
    return [
        _pool_roll(certificate, notes),
        compare("net principal collections", pool["net_principal_collections"], net),
    ]


def _pool_roll(certificate: Certificate, notes: Notes) -> TieOutLine:
    """The pool rolls by draws, principal and gross loss; a recovery is not netted."""
    pool = certificate.pool
    ending = combine(sum_of, ending_pool=pool["ending_pool"], ending_pfa=pool["ending_pfa"])
    if notes.is_loss_inferred:
        reason = f"loss not printed; {notes.loss.value:,.2f} inferred from this line"
        return not_testable("pool roll", reason, ending.value)
    rolled = combine(
        lambda pool, pfa, draws, principal, loss: pool + pfa + draws - principal - loss,
        beginning_pool=pool["beginning_pool"],
        beginning_pfa=pool["beginning_pfa"],
        principal_draws=pool["principal_draws"],
        principal_collections=pool["principal_collections"],
        loss=certificate.losses["current_month"],
    )
    return compare("pool roll", ending, rolled)


def loss_lines(certificate: Certificate) -> list[TieOutLine]:
    """Loss to date, net recoveries to date and the loss accounts beside them."""
    losses, recoveries = certificate.losses, certificate.others["net_recoveries"]
    to_date = combine(
        lambda beginning, month, recovered: beginning + month - recovered,
        beginning_loss=losses["beginning"],
        current_month_loss=losses["current_month"],
        recoveries=losses["recoveries"],
    )
    lines = [compare("loss to date", losses["ending"], to_date)]
    if any(field.line for field in recoveries.values()):
        lines.append(compare("month's recovery", losses["recoveries"], recoveries["current_month"]))
    names = {"net_recoveries": "net recoveries to date", "special_hazard": "special hazard losses",
             "fraud": "fraud losses", "bankruptcy": "bankruptcy losses"}  # fmt: skip
    for table, name in names.items():
        row = certificate.others[table]
        # A whole section that a series does not print, or that is cut off, is a gap of the
        # document and no identity of it.
        if any(field.line for field in row.values()):
            rolled = combine(sum_of, beginning=row["beginning"], month=row["current_month"])
            lines.append(compare(name, row["ending"], rolled))
    return lines


def account_lines(certificate: Certificate) -> list[TieOutLine]:
    """Balances of the capitalised-interest and prefunding accounts, where they are printed."""
    names = {"capitalized_interest": "capitalized interest account",
             "prefunding": "prefunding account"}  # fmt: skip
    return [
        _account_line(name, certificate.others[table])
        for table, name in names.items()
        if any(field.line for field in certificate.others[table].values())
    ]


def _account_line(name: str, account: Mapping[str, Field]) -> TieOutLine:
    """An account without movements keeps its balance; no source states the movements' signs."""
    movements = {k: f for k, f in account.items() if k not in ("beginning", "ending")}
    moved = combine(lambda *values: Decimal(any(values)), **movements)
    if moved.value:
        reason = "the signs of the account's movements are not stated"
        return not_testable(name, reason, account["ending"].value)
    kept = combine(lambda beginning, _: beginning, beginning=account["beginning"], movements=moved)
    return compare(name, account["ending"], kept)


def delinquency_lines(certificate: Certificate) -> list[TieOutLine]:
    """Percentage of each delinquent state, and whether its loans can be there at all."""
    rows, pool = certificate.delinquencies, certificate.pool
    lines = []
    for name, row in rows.items():
        percent = combine(
            lambda balance, ending: balance / ending * 100 if ending else Decimal(0),
            balance=row["balance"], ending_pool=pool["ending_pool"],
        )  # fmt: skip
        n_digits = max(n_decimals(row["pct"]), _PERCENT_DIGITS)
        if percent.value is not None:
            percent = known(round_to(percent.value, n_digits))
        lines.append(compare(f"delinquent % {name}", row["pct"], percent))
    return [*lines, _loans_line(certificate), _active_line(certificate)]


def _loans_line(certificate: Certificate) -> TieOutLine:
    """No delinquent loan without a balance and no balance without a loan."""
    odd, n_seen = [], 0
    for name, row in certificate.delinquencies.items():
        number, balance = row["number"].value, row["balance"].value
        if number is not None and balance is not None:
            n_seen += 1
            if bool(number) != bool(balance):
                odd.append(f"{name}: {number:,} loans of {balance:,.2f}")
    name = "delinquent loans have a balance"
    if not n_seen:
        return not_testable(name, "no row with both number and balance")
    return compare(name, known(Decimal(len(odd))), known(Decimal(0)), "; ".join(odd))


def _active_line(certificate: Certificate) -> TieOutLine:
    """Delinquent loans are active loans: of the two counts the larger is the active one."""
    active = certificate.pool["active_loan_count"]
    numbers = {f"{n} number": row["number"] for n, row in certificate.delinquencies.items()}
    seen = {name: field for name, field in numbers.items() if field.value is not None}
    delinquent = combine(sum_of, **seen) if seen else missing("no number of delinquent loans")
    at_least = combine(max, active=active, delinquent=delinquent)
    note = f"{delinquent.value:,} of them delinquent" if delinquent.value is not None else ""
    return compare("active loans", active, at_least, note)
