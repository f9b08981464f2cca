"""The vocabulary of servicing certificates: which label opens which row, and what the row holds.

Labels are in lower case with single blanks; the reader is indifferent to capitals and line ends.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["money", "count", "factor", "percent", "rate", "share"]

#: Columns of a note row and of a delinquency row, with the kind of figure in each.
NOTE_COLUMNS: dict[str, Kind] = {
    "beginning": "money", "ending": "money", "factor": "factor", "principal": "money",
    "interest": "money", "shortfall": "money", "security_pct": "share", "coupon_pct": "rate",
}  # fmt: skip
DELINQUENCY_COLUMNS: dict[str, Kind] = {"balance": "money", "number": "count", "pct": "percent"}

#: Rows of the delinquency table, in the order of the records.
DELINQUENCY_ROWS = ("30", "60", "90", "120", "150", "180+", "REO", "FC", "BK")

#: Sections whose text may be broken anywhere, with figures written over the words.
GARBLED = ("capitalized_interest", "prefunding")


@dataclass(frozen=True)
class Label:
    """A row of the certificate: where it belongs, how it may be named, what figures follow.

    `columns` are (table, key, kind) of the figures in print order. A label that several sections
    share (`is_local`) means this row only under its own section's heading.
    """

    section: str
    names: tuple[str, ...]
    columns: tuple[tuple[str, str, Kind], ...] = ()
    is_local: bool = False


def _single(table: str, key: str, *names: str, kind: Kind = "money", section: str = "") -> Label:
    """Return a label with one figure."""
    return Label(section or table, names, ((table, key, kind),))


def _account(section: str, names: dict[str, str]) -> list[Label]:
    """Return the labels of an account, valid under its heading only."""
    return [
        Label(section, (name,), ((section, key, "money"),), True) for key, name in names.items()
    ]


def _delinquency(key: str, *names: str) -> Label:
    columns = tuple((key, column, kind) for column, kind in DELINQUENCY_COLUMNS.items())
    return Label("delinquencies", names, columns)


def _bucket(days: str) -> Label:
    spellings = (days, days.replace("+", " +")) if days.endswith("+") else (days,)
    names = [f"delinquent loans ({s} days)" for s in spellings]
    names += [f"delinquent loans {s} days" for s in spellings]
    names += [f"delinquent ({s} days)" for s in spellings]
    return _delinquency(days, *names)


def _hazard(key: str, name: str) -> Label:
    kinds = ("special_hazard", "fraud", "bankruptcy")
    return Label("hazards", (name,), tuple((kind, key, "money") for kind in kinds), True)


HEADINGS = (
    Label("pool", ("servicing certificate",)),
    Label("notes", ("term notes",)),
    Label("losses", ("liquidation to-date", "liquidation to date")),
    Label("net_recoveries", ("net recoveries to date", "net recoveries to-date")),
    Label("hazards", ("special hazard fraud bankruptcy", "special hazard")),
    Label("capitalized_interest", ("capitalized interest account",)),
    Label("prefunding", ("prefunding account", "pre-funding account")),
)

POOL = (
    _single("pool", "beginning_pool", "beginning pool balance"),
    _single("pool", "beginning_pfa", "beginning pfa", "beginning pfa balance"),
    _single("pool", "ending_pool", "ending pool balance"),
    _single("pool", "ending_pfa", "ending pfa balance", "ending pfa"),
    _single("pool", "principal_collections", "principal collections"),
    _single("pool", "principal_draws", "principal draws"),
    _single("pool", "net_principal_collections", "net principal collections"),
    _single("pool", "active_loan_count", "active loan count", kind="count"),
    _single("pool", "interest_collections", "interest collections"),
    _single("pool", "net_loan_rate_pct", "weighted average net loan rate", kind="rate"),
    _single("pool", "excess_cash", "excess cash"),
    _single("pool_other", "substitution_adjustment", "substitution adjustment amount",
            section="pool"),
    # Already after the notional strip: not the weighted average net loan rate.
    _single("pool_other", "net_wac_pct", "net wac", "net wac rate", kind="rate", section="pool"),
)  # fmt: skip

OC = (
    _single("oc", "beginning", "beginning overcollateralization amount"),
    _single("oc", "change", "overcollateralization amount increase (decrease)",
            "overcollateralization amount increase"),
    _single("oc", "outstanding", "outstanding overcollateralization amount",
            "ending overcollateralization amount"),
    _single("oc", "target", "target overcollateralization amount",
            "required overcollateralization amount", "overcollateralization target amount",
            "overcollateralization target", "target overcollateralization",
            "required overcollateralization", "target amount", "required amount", "target",
            "required"),
    _single("credit_enhancement", "draw", "credit enhancement draw amount"),
    _single("credit_enhancement", "unreimbursed_prior_draws", "unreimbursed prior draws"),
)  # fmt: skip

DELINQUENCIES = (
    *(_bucket(days) for days in DELINQUENCY_ROWS[:6]),
    _delinquency("REO", "reo"),
    _delinquency("FC", "foreclosures", "foreclosure"),
    _delinquency("BK", "bankruptcies", "bankruptcy"),
)

LOSSES = (
    _single("losses", "beginning", "beginning loss amount", "beginning net loss amount"),
    _single("losses", "current_month", "current month loss amount",
            "current month net loss amount"),
    _single("losses", "recoveries", "current month recoveries"),
    Label("losses", ("ending loss amount", "ending net loss amount"),
          (("losses", "ending", "money"), ("losses_other", "ending_second_column", "money"))),
    _single("net_recoveries", "beginning", "beginning net principal recovery amount"),
    _single("net_recoveries", "current_month", "current month net principal recovery amount"),
    _single("net_recoveries", "ending", "ending net principal recovery amount"),
    _hazard("beginning", "beginning amount"),
    _hazard("current_month", "current month loss amount"),
    _hazard("ending", "ending amount"),
    _single("event_losses", "extraordinary", "extraordinary event losses"),
    _single("event_losses", "excess", "excess loss amounts"),
)  # fmt: skip

ACCOUNTS = (
    *_account("capitalized_interest", {
        "beginning": "beginning balance",
        "withdrawn": "withdraw relating to collection period",
        "interest_earned_to_funding_account": "interest earned (zero, paid to funding account)",
        "closing": "to close capitalized interest account - balance due gmac mortgage",
        "ending": "total ending capitalized interest account balance as of payment date",
        "interest_earned": "interest earned for collection period",
        "interest_withdrawn": "interest withdrawn related to prior collection period",
    }),
    *_account("prefunding", {
        "beginning": "beginning balance",
        "additional_purchases": "additional purchases during revolving period",
        "excess_draws": "excess of draws over principal collections",
        "closing": "to close prefunding remaining balance due noteholders",
        "ending": "total ending balance as of payment date",
        "interest_earned": "interest earned for collection period",
        "interest_withdrawn": "interest withdrawn related to prior collection period",
    }),
)  # fmt: skip

REPURCHASES = (
    # "Cuurent" is how the document spells it.
    _single("repurchases", "units", "cuurent month repurchases units",
            "current month repurchases units", kind="count"),
    _single("repurchases", "balance", "cuurent month repurchases ($)",
            "current month repurchases ($)"),
)  # fmt: skip

#: Printed by few series only: not to be missed where they are not.
OPTIONAL = frozenset({"ending_second_column", "net_wac_pct"})

LABELS = (*HEADINGS, *POOL, *OC, *DELINQUENCIES, *LOSSES, *ACCOUNTS, *REPURCHASES)


def keys_of(table: str) -> tuple[str, ...]:
    """Return the keys of a table that every certificate prints, in print order."""
    columns = (column for label in LABELS for column in label.columns)
    return tuple(key for name, key, _ in columns if name == table and key not in OPTIONAL)


def other_tables() -> tuple[str, ...]:
    """Return the names of the tables beside pool, OC, delinquencies and losses, in print order."""
    known = {"pool", "oc", "losses", *DELINQUENCY_ROWS}
    names = (name for label in LABELS for name, _, _ in label.columns)
    return tuple(dict.fromkeys(name for name in names if name not in known))
