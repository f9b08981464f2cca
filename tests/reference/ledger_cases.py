"""Loans, rates and factors on which the loan kernels and their plain twin are compared."""

from __future__ import annotations

import numpy as np
import polars as pl
from reference.philox import philox, uniform

from hemc.config import Config, Inputs
from hemc.inputs.product import read_product
from hemc.kernels import loans, rng
from hemc.kernels.transitions import PathFactors, cumulate_path
from hemc.states import CURRENT, N_LIVE, NAMES, PAID_OFF

SEED = np.uint64(77)
MONTHS = 150


def product_rates(root):
    """Prior means with a current row made up for the tests."""
    product = read_product(root / "configs/products/closed-end-second-2003.toml")
    rates = product.row_means()
    rates[0, [1, 7, 8, PAID_OFF, 11]] = 0.05, 0.01, 0.002, 0.03, 0.001
    rates[0, 0] = 1 - rates[0, 1:].sum()
    return product, rates


def config(**settings):
    return Config(name="t", inputs=Inputs(certificate="a", deal="b", product="c"), **settings)


def tape(n=120, seed=3):
    """Loans in every state with terms that end inside the projection, balloons among them."""
    generator = np.random.default_rng(seed)
    state = generator.integers(0, N_LIVE, n)
    amortization = generator.integers(20, 200, n)
    return pl.DataFrame(
        {
            "loan": np.arange(1, n + 1),
            "state": np.array(NAMES)[state],
            "balance": generator.integers(500_000, 9_000_000, n) / 100,
            "gross_rate": generator.integers(0, 90, n) / 800,
            "amortization_months": amortization,
            "maturity_months": np.minimum(amortization, generator.integers(1, 140, n)),
            "instalments_behind": np.where(state < 6, state, generator.integers(6, 12, n)),
        }
    )


def one_path(n_months=MONTHS):
    """Factors of one eventful path."""
    generator = np.random.default_rng(8)
    z = 0.3 * generator.standard_normal((1, n_months)).cumsum(axis=1) / 10
    return PathFactors(z, np.exp(z), generator.gamma(4, 0.25, (1, n_months)))


def add_diary(table, loan, rows):
    """Add one loan's diary to a table in the kernel's columns."""
    opening = loan.balance
    for t, row in enumerate(rows):
        table[t, loans.NET_RATE_BALANCE] += 12 * loan.rate * loan.keep * opening
        for column, name in enumerate(("interest", "scheduled", "prepaid", "proceeds", "loss")):
            table[t, column] += row[name]
        if row["state"] in NAMES[:N_LIVE]:
            s = NAMES.index(row["state"])
            table[t, loans.BALANCE + s] += row["balance"]
            table[t, loans.COUNT + s] += 1
        opening = row["balance"]


def cumulative_rows(moves, factors=None):
    """Return a path's cumulative rows of one class, [state, t, d + 1]."""
    z, y, g = (f[0] for f in factors or one_path())
    rows = np.empty((1, N_LIVE, moves.threshold.shape[0], moves.destination.shape[1]))
    cumulate_path(moves, z, y, g, rows)
    return rows[0]


class Monthly:
    """Moves of one loan asked month by month, as `kernels/loans.py` draws them."""

    def __init__(self, rows, moves, path, number):
        self.rows, self.moves, self.path, self.number = rows, moves, path, number

    def __call__(self, state, month):
        counter = (self.number, month // 4, self.path, rng.MOVE)
        u = uniform(philox(counter, int(SEED))[month % 4])
        return self.destination(NAMES.index(state), month, u)

    def severity_word(self, month):
        return philox((self.number, month, self.path, rng.SEVERITY), int(SEED))[0]

    def destination(self, s, month, u):
        row = self.rows[s, month - 1, : self.moves.n_destinations[s] + 1]
        return NAMES[self.moves.destination[s, int(np.searchsorted(row, u, side="right"))]]


class BySojourn(Monthly):
    """Moves of one loan asked once a stay, as `kernels/moves.py` draws them."""

    LONG = ("current", "bankruptcy", "foreclosure", "reo")

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.entered, self.leaves = 0, None

    def word(self, month, place):
        """A uniform of the loan's block of a month: destination, stay or severity, payoff."""
        return uniform(philox((self.number, month, self.path, rng.STAY), int(SEED))[place])

    def severity_word(self, month):
        return philox((self.number, month, self.path, rng.STAY), int(SEED))[1]

    def __call__(self, state, month):
        s = NAMES.index(state)
        if state not in self.LONG:
            to = self.destination(s, month, self.word(month, 0))
        else:
            if self.leaves is None:
                self.leaves = self.end_of_stay(s, self.word(self.entered, 1))
            if month < self.leaves:
                return state
            to = self.leave(s, month)
        self.entered, self.leaves = month, None
        return to

    def cells(self, s, month):
        """Probability of each destination of a row."""
        n = self.moves.n_destinations[s] + 1
        chances = np.diff(self.rows[s, month - 1, :n], prepend=0.0)
        return dict(zip(self.moves.destination[s, :n].tolist(), chances, strict=True))

    def end_of_stay(self, s, u):
        stayed = 1.0
        for month in range(self.entered + 1, self.rows.shape[1] + 1):
            stayed *= self.cells(s, month)[s]
            if stayed <= u:
                return month
        return self.rows.shape[1] + 1

    def leave(self, s, month):
        """Where a loan goes; out of current, whether it pays off was drawn when it came there."""
        others = {to: chance for to, chance in self.cells(s, month).items() if to != s}
        if s == CURRENT:
            chance = others.pop(PAID_OFF)
            if self.word(self.entered, 2) < chance / (chance + sum(others.values())):
                return NAMES[PAID_OFF]
        bounds = np.cumsum(list(others.values())) / sum(others.values())
        place = int(np.searchsorted(bounds, self.word(month, 0), side="right"))
        return NAMES[list(others)[min(place, len(others) - 1)]]
