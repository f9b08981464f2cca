"""roll_rates.parquet → what the certificate says about moves, beside what was believed before."""

from __future__ import annotations

from collections.abc import Iterable
from math import sqrt
from typing import Any

import polars as pl

from hemc.outputs.report.blocks import (
    DASH,
    Block,
    HeatMap,
    Paragraph,
    Row,
    Section,
    Shade,
    Table,
)
from hemc.outputs.report.formats import percent, state_name
from hemc.outputs.report.sections.sensitivities import deal_effects
from hemc.outputs.run_files import RunFiles
from hemc.states import N_LIVE, NAMES

_COLUMNS = (
    "to", "reported ratio", "prior", "± sd", "posterior", "± sd", "5 %", "95 %", "sd ratio", ""
)  # fmt: skip


def roll_rates(run: RunFiles) -> Section | None:
    """Return the monthly matrix, its evidence, and what a second latent class would change."""
    table = run.table("roll_rates")
    if table is None:
        return None
    moves = table.filter(pl.col("latent_class") == "all")
    told = moves.filter(pl.col("reported_ratio").is_not_null() | ~pl.col("prior_driven"))
    blocks: list[Block] = [Paragraph(_meaning(run, moves))]
    for name, part in table.group_by("latent_class", maintain_order=True):
        blocks.append(_heat_map(str(name[0]), part))
    blocks.append(_evidence("Moves of which the certificate says something", told))
    blocks.append(_evidence(f"All {len(moves)} moves", moves)._replace(folded=True))
    blocks += deal_effects(run, ("roll_rates.classes",), "The other number of latent classes")
    return Section("roll-rates", "Roll rates", blocks)


def _meaning(run: RunFiles, moves: pl.DataFrame) -> str:
    """Say what one certificate can tell, and how much of the matrix is opinion."""
    settings = run.manifest.configuration.roll_rates
    driven = int(moves["prior_driven"].sum())
    opinion = (
        f"{driven} of {len(moves)} rates are prior-driven: their standard deviation is more than "
        "0.8 of what it was before the certificates were read, or they are fixed."
    )
    if settings.posterior is not None:
        return (
            "Certificates print stocks, not moves. The unseen tables of moves between them were "
            "sampled together with the rates; every path has one of these draws. " + opinion
        )
    return (
        "A certificate prints stocks, not moves: the ratio of two stocks, such as 60 days over 30 "
        "days, speaks about a roll rate only if the pool were stationary, which a young pool is "
        f"not; here it counts with weight {settings.stock_weight:g}. The month's principal pins "
        f"prepayment and its loss bounds charge-offs; the rest is the prior. {opinion}"
    )


def _heat_map(name: str, moves: pl.DataFrame) -> HeatMap:
    """Return the monthly probabilities as a matrix."""
    cells = {(m["from_state"], m["to_state"]): m for m in moves.iter_rows(named=True)}
    rows = [
        (state_name(from_state), [_shade(cells.get((from_state, to_state))) for to_state in NAMES])
        for from_state in NAMES[:N_LIVE]
    ]
    which = "all loans" if name == "all" else f"the latent class “{name}”"
    caption = f"Moves of {which} from rows to columns, % a month "
    caption += "(hatched: prior-driven; plain: the certificates told something)"
    return HeatMap(caption, [state_name(state) for state in NAMES], rows)


def _shade(move: dict[str, Any] | None) -> Shade | None:
    """Return a cell; the square root keeps small rates visible."""
    if move is None:
        return None
    p = move["posterior_mean"]
    return Shade(percent(p, 1), round(sqrt(p), 3), "hatched" if move["prior_driven"] else "")


def _evidence(caption: str, moves: pl.DataFrame) -> Table:
    """Return prior and posterior of moves, grouped by the state left."""
    rows: list[Row] = []
    for name, part in moves.group_by("from_state", maintain_order=True):
        rows.append(Row((f"from {state_name(str(name[0]))}",), "group"))
        rows += _rows(part.iter_rows(named=True))
    caption += ", % a month (sd ratio: posterior over prior)"
    return Table(caption, _COLUMNS, rows, texts=(8,))


def _rows(moves: Iterable[dict[str, Any]]) -> list[Row]:
    """Return a row a move."""
    shown = ("reported_ratio", "prior_mean", "prior_sd", "posterior_mean", "posterior_sd", "p5",
             "p95")  # fmt: skip
    return [
        Row(
            (
                state_name(move["to_state"]), *(percent(move[name]) for name in shown),
                DASH if move["sd_ratio"] is None else f"{move['sd_ratio']:.2f}",
                "prior-driven" if move["prior_driven"] else "",
            ),
            "muted" if move["prior_driven"] else "",
        )
        for move in moves
    ]  # fmt: skip
