"""Stated variations of the two sister deals → configs/portfolio.toml.

python -m benchmarks.made_portfolio > configs/portfolio.toml

Each variation goes round in a cycle of its own length, so that no two deals are alike; the first
deal of either sister is the sister itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

FILE = Path(__file__).parent.parent / "configs" / "portfolio.toml"

N_DEALS = 50

#: Sister, its configuration, and the shares of its classes held in every third deal.
_SISTERS = (
    ("2003-he2", "base.toml", "{ A-3 = 0.10, A-5 = 0.25 }"),
    ("2002-he4", "2002-he4.toml", "{ A-2 = 0.10 }"),
)

#: Keys with the values that they go through, deal after deal.
_CYCLES: tuple[tuple[str, tuple[float | str | None, ...]], ...] = (
    ("scenario.multiples.roll_rate", (1.0, 0.8, 1.1, 0.9, 1.25)),
    ("scenario.multiples.prepayment", (1.0, 0.8, 1.15, 0.95)),
    ("scenario.credit_sd", (0.245, 0.22, 0.3)),
    ("deal.step_down", (None, None, "standard", None)),
    ("deal.notional_schedule", (None, None, None, None, "ends", None, None, None, None, "level")),
)
_HELD_EVERY = 3

_HEAD = """\
# Fifty deals made from the two sister deals, in one world and with one insurer.
#   hemc portfolio configs/portfolio.toml
# Written by benchmarks/made_portfolio.py, which says how the deals vary; docs/portfolio.md explains
# every key.

name = "portfolio"                  # names the folder results/portfolio
payment_month = "2004-02"           # of every deal's certificate

[insurer]                           # of all deals
capital = 450e6                     # USD, against claims, at the certificates' date
source = "judgement: three per cent of the notes insured"
premium_share = 1.0                 # of premium that adds to its capital
discount_rate = 0.04                # per year

[simulation]                        # as in base.toml, for all deals
paths = 10000
seed = 20040225

[scenario]                          # as in base.toml, for all deals; paths start at this file
# file = "scenarios/adverse-2025.toml"
"""


def made_portfolio() -> str:
    """Return the text of the portfolio file."""
    return "\n".join([_HEAD, *(_entry(i) for i in range(N_DEALS))])


def _entry(i: int) -> str:
    """Return the table of deal `i`: even ones are of the first sister, odd ones of the second."""
    sister, config, holdings = _SISTERS[i % len(_SISTERS)]
    j = i // len(_SISTERS)
    lines = ["[[deal]]", f'name = "{sister}-{j + 1:02d}"', f'config = "{config}"']
    varied = ", ".join(f"{key} = {value}" for key, value in _varied(j))
    lines += [f"set = {{ {varied} }}"] if varied else []
    lines += [f"holdings = {holdings}"] if j % _HELD_EVERY == 0 else []
    return "\n".join(lines) + "\n"


def _varied(j: int) -> Iterator[tuple[str, str]]:
    """Yield keys and TOML values in which the j-th deal of a sister differs from it."""
    if j > 0:
        yield "tape.seed", str(j + 1)
    for key, values in _CYCLES:
        value = values[j % len(values)]
        if value not in (values[0], None):
            yield key, f'"{value}"' if isinstance(value, str) else f"{value}"


if __name__ == "__main__":
    print(made_portfolio(), end="")
