"""Multiples of roll rates, payoffs and severities: what break-evens and heat maps turn."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from hemc.inputs.toml import Settings, assumed
from hemc.settings.bounds import NotNegative, Positive
from hemc.states import KEYS, N_LIVE


def _known_move(move: str) -> str:
    """Refuse a text that is no move between two states."""
    start, _, end = move.partition("-")
    if start not in KEYS[:N_LIVE] or end not in KEYS or end == "P" or start == end:
        keys = ", ".join(key for key in KEYS if key != "P")
        raise ValueError(f"a move such as 'C-30', of the states {keys}")
    return move


Move = Annotated[str, AfterValidator(_known_move)]
Moves = Annotated[tuple[Move, ...], Field(min_length=1)]


class MultipleSettings(Settings):
    """Stress by a factor, all months alike; the calibration stays what it is."""

    roll_rate: Positive = assumed(
        1.0, "multiple of the moves of roll_rate_cells, before any shift", "base: no stress"
    )
    roll_rate_cells: Literal["worsening", "buckets"] | Moves = assumed(
        "worsening",
        'moves that roll_rate multiplies: "worsening", all to a worse state by the product\'s '
        'order, charge-off included; "buckets", those one bucket worse, to 180+ days at most; or '
        'a list such as ["C-30"]',
        "judgement: a stress worsens every step on the way to a loss",
    )
    roll_rate_form: Literal["hazard", "probability"] = assumed(
        "hazard",
        "what is multiplied, given that a loan does not pay off: −ln(1 − their sum), which never "
        "passes one, or their probabilities, capped at a sum of one",
        "judgement: as prepayment multiples act on the hazard",
    )
    prepayment: NotNegative = assumed(
        1.0, "multiple of payoff hazards, beside every other multiplier", "base: no stress"
    )
    severity: NotNegative = assumed(
        1.0, "multiple of each charge-off's severity, which stays at one at most", "base: no stress"
    )
