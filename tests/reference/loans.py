"""One loan along one path in plain Python: a diary of months, balances from the closed form."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

BUCKETS = ("current", "30", "60", "90", "120", "150")


@dataclass
class Loan:
    """A loan as a person would describe it; `n` and `maturity` in months from cut-off."""

    balance: float
    gross_rate: float
    n: int
    maturity: int
    state: str
    behind: int
    fee: float = 0.005

    @property
    def rate(self) -> float:
        return max(self.gross_rate / 12, 1e-8)

    @property
    def keep(self) -> float:
        """Share of interest that is left after the fee."""
        if self.gross_rate <= self.fee:
            return 0.0
        return (self.gross_rate - self.fee) / self.gross_rate

    @property
    def payment(self) -> float:
        """Level payment: today's balance over its remaining instalments, arrears included."""
        return self.balance * self.rate / (1 - (1 + self.rate) ** -(self.n + self.behind))

    def scheduled(self, paid: int) -> float:
        """Balance after `paid` further instalments, by the annuity formula."""
        left = self.n + self.behind - paid
        return self.payment * (1 - (1 + self.rate) ** -left) / self.rate


def diary(
    loan: Loan,
    months: int,
    moves: Callable[[str, int], str],
    severity: Callable[[str, int], float],
) -> list[dict[str, float | str]]:
    """Return a row a month: interest, scheduled, prepaid, proceeds, loss, balance, state.

    `moves(state, month)` decides where the loan goes, `severity(state, month)` what it loses.
    """
    state, behind, paid, balance = loan.state, loan.behind, 0, loan.balance
    rows: list[dict[str, float | str]] = []
    for month in range(1, months + 1):
        row = dict.fromkeys(("interest", "scheduled", "prepaid", "proceeds", "loss"), 0.0)
        to = moves(state, month)
        late = month > loan.maturity
        cured = late and to in BUCKETS and (state not in BUCKETS or to_rank(to) < to_rank(state))
        if to == "charged off":
            row["loss"] = severity(state, month) * balance
            row["proceeds"] = balance - row["loss"]
            balance = 0.0
        elif to == "paid off" or cured:
            row["prepaid"] = balance
            row["interest"] = loan.keep * loan.rate * balance * (behind + 0.5)
            balance, to = 0.0, "paid off"
        elif late or to not in BUCKETS:
            behind += 1
        elif state not in BUCKETS:  # re-age
            behind = to_rank(to)
        else:
            left = loan.n + loan.behind - paid  # a re-age may have moved the last one forward
            instalments = min(behind + 1 - to_rank(to), left)
            before, paid, behind = balance, paid + instalments, to_rank(to)
            balance = loan.scheduled(paid)
            row["scheduled"] = before - balance
            row["interest"] = loan.keep * (instalments * loan.payment - row["scheduled"])
        if (month == loan.maturity and to == "current") or 0 < abs(balance) < 0.005:
            row["scheduled"] += balance
            balance, to = 0.0, "paid off"
        rows.append(row | {"balance": balance, "state": to})
        state = to
        if balance == 0.0 and to in ("paid off", "charged off"):
            break
    return rows


def to_rank(state: str) -> int:
    """Return the instalments that a bucket is behind."""
    return BUCKETS.index(state)
