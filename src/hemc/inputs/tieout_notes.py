"""Note rows and deal terms → the identities of balances, factors and OC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from hemc.inputs.certificate import Certificate, Table
from hemc.inputs.figures import Field
from hemc.inputs.identities import (
    NEEDS_TERMS,
    TieOutLine,
    combine,
    compare,
    known,
    missing,
    round_to,
    sum_of,
)
from hemc.inputs.labels import NOTE_COLUMNS

if TYPE_CHECKING:
    from hemc.inputs.deal import Deal, NoteClass

_FACTOR_DIGITS = 7
_PERCENT_DIGITS = 2
#: A share with so many decimals and below 1 is printed as a fraction (0.349924), not in per cent.
_FRACTION_DIGITS = 4
_NO_ROW = missing("its row is not in the document")


@dataclass(frozen=True)
class Notes:
    """The note rows of a certificate, and their sums over the classes that have a balance.

    `rows` are all classes of the deal (without a deal: all printed), `term` those with a balance.
    `loss` is the month's loss as printed or, where `is_loss_inferred`, what the pool roll leaves.
    """

    rows: Mapping[str, Table]
    term: tuple[str, ...]
    loss: Field
    is_loss_inferred: bool
    is_complete: bool

    def total(self, column: str, *, with_notional: bool = False) -> Field:
        """Return the sum of a column; the notional class is no balance but receives interest."""
        if not self.is_complete:
            return missing("needs deal terms: the note table may lack classes")
        names = self.rows if with_notional else self.term
        return combine(sum_of, **{f"{name} {column}": self.rows[name][column] for name in names})


def gather_notes(certificate: Certificate, deal: Deal | None) -> Notes:
    """Return the note rows of the deal's classes; without a deal those that are printed.

    A printed table is taken for complete when the row of the certificates, its last, is there.
    """
    printed = {name: row for name, row in certificate.notes.items() if name != "Certificates"}
    loss, is_inferred = month_loss(certificate)
    if deal is None:
        term = tuple(name for name in printed if name != "IO")
        is_complete = "Certificates" in certificate.notes and bool(term)
        return Notes(printed, term, loss, is_inferred, is_complete)
    rows = {row_name(c): printed.get(row_name(c), _absent_row()) for c in deal.classes}
    term = tuple(c.name for c in deal.term_classes)
    return Notes(rows, term, loss, is_inferred, is_complete=True)


def _absent_row() -> Table:
    return dict.fromkeys(NOTE_COLUMNS, _NO_ROW)


def month_loss(certificate: Certificate) -> tuple[Field, bool]:
    """Return the printed loss or, where it is not printed, what the pool roll leaves for it."""
    pool, printed = certificate.pool, certificate.losses["current_month"]
    if printed.value is not None:
        return printed, False
    inferred = combine(
        lambda pool, pfa, draws, principal, ending, ending_pfa: (
            pool + pfa + draws - principal - ending - ending_pfa
        ),
        beginning_pool=pool["beginning_pool"],
        beginning_pfa=pool["beginning_pfa"],
        principal_draws=pool["principal_draws"],
        principal_collections=pool["principal_collections"],
        ending_pool=pool["ending_pool"],
        ending_pfa=pool["ending_pfa"],
    )
    return inferred, inferred.value is not None


def row_name(note_class: NoteClass) -> str:
    """Return the name of a class in `Notes.rows`."""
    return "IO" if note_class.kind == "notional" else note_class.name


def balance_lines(certificate: Certificate, notes: Notes) -> list[TieOutLine]:
    """Note roll of each class, note principal, OC as a difference of balances and its roll."""
    pool, oc = certificate.pool, certificate.oc
    due = combine(
        sum_of,
        principal_collections=pool["principal_collections"],
        loss=notes.loss,
        oc_change=oc["change"],
    )
    excess = combine(
        lambda pool, pfa, notes: pool + pfa - notes,
        ending_pool=pool["ending_pool"],
        ending_pfa=pool["ending_pfa"],
        ending_notes=notes.total("ending"),
    )
    rolled = combine(sum_of, beginning_oc=oc["beginning"], oc_change=oc["change"])
    note = "with the loss that the pool roll leaves" if notes.is_loss_inferred else ""
    return [
        *(_note_roll(name, notes.rows[name]) for name in notes.term),
        compare("note principal", notes.total("principal"), due, note),
        compare("OC", oc["outstanding"], excess),
        compare("OC roll", oc["outstanding"], rolled),
    ]


def _note_roll(name: str, row: Table) -> TieOutLine:
    rolled = combine(
        lambda beginning, principal: beginning - principal,
        beginning=row["beginning"],
        principal=row["principal"],
    )
    return compare(f"note roll {name}", row["ending"], rolled)


def factor_lines(notes: Notes, deal: Deal | None) -> list[TieOutLine]:
    """Factor of each class and its share of the original notes."""
    original = {row_name(c): c.original_balance for c in deal.classes} if deal else {}
    lines = []
    for name, row in notes.rows.items():
        ending = row["ending"] if name in notes.term else known(Decimal(0))
        factor = _ratio(row["ending"], original.get(name))
        share = _ratio(ending, deal.original_notes if deal else None)
        lines.append(compare(f"factor {name}", row["factor"], _rounded(factor, _FACTOR_DIGITS)))
        lines.append(_share_line(f"security % {name}", row["security_pct"], share))
    return lines


def _ratio(balance: Field, original: Decimal | None) -> Field:
    if original is None:
        return NEEDS_TERMS
    return combine(lambda balance: balance / original, ending=balance)


def _rounded(field: Field, n_digits: int) -> Field:
    return field if field.value is None else known(round_to(field.value, n_digits))


def _share_line(name: str, printed: Field, share: Field) -> TieOutLine:
    """Compare a share in per cent, or as the fraction that some series print."""
    n_digits = n_decimals(printed)
    is_fraction = n_digits >= _FRACTION_DIGITS and abs(printed.value or Decimal(0)) <= 1
    if is_fraction:
        return compare(name, printed, _rounded(share, n_digits), "printed as a fraction")
    percent = share if share.value is None else known(share.value * 100)
    return compare(name, printed, _rounded(percent, max(n_digits, _PERCENT_DIGITS)))


def n_decimals(field: Field) -> int:
    """Return how many decimals a figure is printed with; 0 where it is missing or a hyphen."""
    return 0 if field.value is None else len(f"{field.value:f}".partition(".")[2])
