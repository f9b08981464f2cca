"""Simulated flows beside their expectation given the same factors, in standard errors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import polars as pl

from hemc.kernels.flows import Floats
from hemc.kernels.transitions import PathFactors
from hemc.model.expected import Expectation, ExpectedPool, expect
from hemc.model.simulation import BlockFlows
from hemc.states import CURRENT, N_LIVE, NAMES

#: A month counts as frequent where a flow is made of this many expected events on all paths.
FREQUENT = 30.0

LIFETIME, FREQUENT_MONTHS = "lifetime", "frequent months"

SCHEMA = {
    "flow": pl.String, "months": pl.String, "paths": pl.Int64, "simulated": pl.Float64,
    "expected": pl.Float64, "standard_error": pl.Float64, "z": pl.Float64,
}  # fmt: skip


class Compared(NamedTuple):
    """A monthly flow of some paths, simulated and expected, and the events it is made of."""

    flow: str
    simulated: Floats  # [p, t]
    expected: Floats  # [p, t]
    events: Floats  # [p, t] expected number


class Comparison(NamedTuple):
    """Simulated and expected flows of the same paths."""

    simulated: BlockFlows
    expectation: Expectation

    def flows(self) -> Iterator[Compared]:
        """Yield every monthly flow; what depends on all loans has the live ones as events."""
        simulated, expected = self.simulated.cash, self.expectation.flows.cash
        loans = self.expectation.flows.state_loans
        paying, live = loans[:, :, CURRENT], loans.sum(axis=2)
        payoffs, charge_offs = self.expectation.payoffs, self.expectation.charge_offs
        for flow, events in (
            ("interest", paying), ("scheduled", paying), ("prepaid", payoffs),
            ("proceeds", charge_offs), ("loss", charge_offs), ("net_rate_balance", live),
            ("recoveries", charge_offs.cumsum(axis=1)),
        ):  # fmt: skip
            yield Compared(flow, getattr(simulated, flow), getattr(expected, flow), events)
        balance, count = self.simulated.state_balance, self.simulated.state_loans
        expected_balance = self.expectation.flows.state_balance
        for s, name in enumerate(NAMES[:N_LIVE]):
            events = loans[:, :, s]
            yield Compared(f"balance {name}", balance[:, :, s], expected_balance[:, :, s], events)
            yield Compared(f"loans {name}", count[:, :, s], events, events)


def compare(
    pool: ExpectedPool, factors: PathFactors, simulated: BlockFlows, first_path: int = 0
) -> Comparison:
    """Put a simulated block, from `first_path` on, beside its expectation given its factors."""
    return Comparison(simulated, expect(pool, factors, first_path))


def oracle_paths(most: int, n_paths: int) -> int:
    """Return how many of a run's paths to compare: a 48th, at least 16, and `most` at most.

    The comparison takes ten times the simulation of a path, so that this is a fifth of it.
    """
    return min(most, n_paths, max(n_paths // 48, 16))


def oracle_check(comparisons: list[Comparison]) -> pl.DataFrame:
    """Return simulated minus expected flows in standard errors over the paths compared.

    Rows are a flow's sum over all months and over the months with 30 expected events and more;
    `simulated` and `expected` are means over paths. Given the factors paths are independent
    whatever the sampling method, so that the path is the unit. `z` is null where nothing varies,
    or below 30 events in all: so few are not normally distributed.
    """
    rows = []
    for parts in zip(*(comparison.flows() for comparison in comparisons), strict=True):
        simulated, expected, events = (
            np.concatenate([getattr(part, name) for part in parts]) for name in Compared._fields[1:]
        )
        frequent = events.sum(axis=0) >= FREQUENT
        for months, chosen in ((LIFETIME, slice(None)), (FREQUENT_MONTHS, frequent)):
            sums = simulated[:, chosen].sum(axis=1), expected[:, chosen].sum(axis=1)
            *means, error, z = standardise(*sums)
            known = np.isfinite(z) and events[:, chosen].sum() >= FREQUENT
            rows.append(
                (parts[0].flow, months, len(simulated), *means, error, z if known else None)
            )
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def largest_z(table: pl.DataFrame) -> float | None:
    """Return the largest |z| among lifetime sums, None where there is none."""
    z = table.filter(pl.col("months") == LIFETIME)["z"].abs().max()
    return None if z is None else float(str(z))


def standardise(simulated: Floats, expected: Floats) -> tuple[float, float, float, float]:
    """Return both means, the standard error of their difference, and the difference in it."""
    difference = simulated - expected
    n = difference.size
    error = float(difference.std(ddof=1) / np.sqrt(n)) if n > 1 else 0.0
    z = float(difference.mean()) / error if error > 0.0 else float("nan")
    return float(simulated.mean()), float(expected.mean()), error, z
