"""A product file → the prior of the monthly moves between delinquency states."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from hemc import states
from hemc.inputs.toml import OneLine, Settings, read_toml, validate

Key = Literal["C", "30", "60", "90", "120", "150", "180", "BK", "FC", "REO", "P", "L"]
Share = Annotated[float, Field(ge=0, le=1)]


class LogNormal(Settings):
    """A rate a month whose logarithm is normal."""

    median: Annotated[float, Field(gt=0, lt=1)]
    log_sd: Annotated[float, Field(gt=0, le=3)]


class CurrentRow(Settings):
    """Moves of a current loan other than payoff and staying."""

    to_30: LogNormal
    to_bankruptcy: LogNormal
    to_foreclosure: Share
    to_charged_off: Share


class Row(Settings):
    """Mean of each move in per cent, and the number of loans that the mean is worth."""

    mean_pct: dict[Key, Annotated[float, Field(gt=0, le=100)]]
    pseudo_count: Annotated[float, Field(gt=0)]

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        total = sum(self.mean_pct.values())
        if abs(total - 100) > 1e-6:
            raise ValueError(f"moves that add up to 100 %, not {total:.6g} %")
        return self


class Product(Settings):
    """Prior moves of a kind of loan; a move that is not listed cannot happen.

    `has_seen` names the deals whose certificates the prior rests on.
    """

    name: OneLine
    source: str
    has_seen: tuple[str, ...] = ()
    worst_to_best: tuple[Key, ...]
    current: CurrentRow
    rows: dict[Key, Row]

    @model_validator(mode="after")
    def _moves_are_legal(self) -> Self:
        live = states.KEYS[1 : states.N_LIVE]
        if sorted(self.rows) != sorted(live):
            raise ValueError(f"one row for each of {', '.join(live)}")
        others = [key for key in states.KEYS if key != "P"]
        if sorted(self.worst_to_best) != sorted(others):
            raise ValueError(f"'worst_to_best' to name each of {', '.join(others)} once")
        for key, row in self.rows.items():
            self._check_row(states.KEYS.index(key), row)
        return self

    @staticmethod
    def _check_row(state: int, row: Row) -> None:
        """Refuse a move that the ledger cannot pay: two buckets worse within a month."""
        for key in row.mean_pct:
            to = states.KEYS.index(key)
            if state <= states.D180 and state + 1 < to <= states.D180:
                raise ValueError(f"moves of one bucket a month at most, not {state} to {key}")

    @property
    def order(self) -> NDArray[np.int64]:
        """Destinations other than payoff as state indices, worst first."""
        return np.array([states.KEYS.index(key) for key in self.worst_to_best])

    def pseudo_counts(self) -> NDArray[np.float64]:
        """Return what the prior is worth in loans, float64[live states, all states]."""
        worth = np.zeros(states.N_LIVE)
        for key, row in self.rows.items():
            worth[states.KEYS.index(key)] = row.pseudo_count
        return self.row_means() * worth[:, None]

    def row_means(self) -> NDArray[np.float64]:
        """Return prior means as a fraction, float64[live states, all states]; current row zero."""
        means = np.zeros((states.N_LIVE, states.N_STATES))
        for key, row in self.rows.items():
            for to, per_cent in row.mean_pct.items():
                means[states.KEYS.index(key), states.KEYS.index(to)] = per_cent / 100
        return means


def read_product(path: Path) -> Product:
    """Read a product file; an InputError names the row that does not fit."""
    return validate(Product, read_toml(path, "a product file (configs/products/*.toml)"), path)
