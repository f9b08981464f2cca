"""The shipped certificates, forecast from those before → the written parts of docs/backtest.md."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from benchmarks.calibration_page import write_between_marks
from benchmarks.machine import describe_machine
from benchmarks.page import table
from hemc import engine
from hemc.cli.options import overrides
from hemc.config import LoadedConfig, load_config
from hemc.outputs.backtest_files import write_backtest
from hemc.outputs.backtest_text import skill_text
from hemc.outputs.report.document import write_report
from hemc.outputs.skill import NAIVE, next_only, summarise_figures, summarise_groups

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "backtest.md"
CONFIG = ROOT / "configs" / "two-deals.toml"
SCRIPT = "scripts/backtest"

#: 90 % bands should cover this share of the figures of each group.
_LOWEST, _HIGHEST = 0.80, 0.98

#: OC at its target: both naive forecasts keep it there, and any band that holds it is right.
_HELD = ("oc.change", "oc.outstanding")


def main() -> None:
    """Backtest, unless there is one, and write the page's parts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, help="folder of a `hemc backtest` made before")
    parser.add_argument("--set", action="append", default=[], help="KEY=VALUE, also of --results")
    options = parser.parse_args()
    folder = options.results
    loaded = load_config(CONFIG, overrides(tuple(options.set)))
    with tempfile.TemporaryDirectory() as scratch:
        if folder is None:
            folder = Path(scratch) / "backtest"
            result = engine.run_backtest(loaded, print)
            write_backtest(result, loaded.config.name, folder, write_report)
        found = pl.read_parquet(folder / "backtest.parquet")
    write_between_marks(PAGE, "groups", groups_text(found, loaded), SCRIPT)
    write_between_marks(PAGE, "misses", misses_text(next_only(found)), SCRIPT)
    write_between_marks(PAGE, "figures", figures_text(found), SCRIPT)


def groups_text(found: pl.DataFrame, loaded: LoadedConfig) -> str:
    """Return coverage and skill by group, with what was run."""
    machine, settings = describe_machine(), loaded.config.calibration
    left_out = found.filter(pl.col("crps").is_null())
    return "\n\n".join(
        [
            f"{loaded.config.backtest.paths:,} paths from each start; roll rates from "
            f"{settings.chains} chains of {settings.draws:,} draws, {settings.sweeps_per_draw} "
            f"sweeps each ({machine['date']}, kernels {machine['kernel_digest']}). "
            f"{len(left_out)} of {len(found)} figures are left out, since the forecast leaves "
            "nothing open.",
            "**The next certificate**",
            _groups(next_only(found)),
            "**Every later certificate**",
            _groups(found),
        ]
    )


def _groups(found: pl.DataFrame) -> str:
    """Return a table with a row a group, and one of the deal without what naive forecasts hold."""
    heads = ("group", "figures", "dates", "50 % bands cover", "90 % bands cover", "in 80–98 %",
             "compared", "skill over no change, %", "skill over the chain, %")  # fmt: skip
    apart = summarise_groups(found.filter(~pl.col("figure").is_in(_HELD)))
    apart = apart.filter(pl.col("group") == "deal").with_columns(group=pl.lit("deal, OC apart"))
    rows = [
        (
            row["group"], f"{row['n']}", f"{row['dates']}", *(_band(row, k) for k in (50, 90)),
            "yes" if _LOWEST <= row["in_90"] <= _HIGHEST else "**no**", f"{row['n_skill']}",
            *(skill_text(row, name) for name in NAIVE),
        )
        for row in pl.concat([summarise_groups(found), apart]).iter_rows(named=True)
    ]  # fmt: skip
    return table(heads, rows)


def _band(row: dict[str, Any], level: int) -> str:
    """Return the share of figures in a band, and of the forecast."""
    return f"{100.0 * row[f'in_{level}']:.0f} % ({100.0 * row[f'share_in_{level}']:.0f} %)"


def misses_text(found: pl.DataFrame) -> str:
    """Return the figures of next certificates that fell outside their 90 % band."""
    missed = found.filter(pl.col("in_90") == pl.lit(False)).sort("figure", "date")
    rows = [
        (
            row["figure"], row["deal"], f"{row['fitted_to']:%b %Y}", f"{row['date']:%b %Y}",
            *(f"{row[name]:,.0f}" for name in ("observed", "p5", "p50", "p95")),
        )
        for row in missed.iter_rows(named=True)
    ]  # fmt: skip
    heads = ("figure", "deal", "from", "of", "came", "5 %", "50 %", "95 %")
    return table(heads, rows)


def figures_text(found: pl.DataFrame) -> str:
    """Return every figure's misses and skill over all later certificates."""
    heads = ("deal", "figure", "n", "in the 90 % band", "below", "above", "mean place",
             "skill over no change, %", "over the chain, %")  # fmt: skip
    return table(heads, list(_figure_rows(found)))


def _figure_rows(found: pl.DataFrame) -> Iterator[tuple[str, ...]]:
    for row in summarise_figures(found).iter_rows(named=True):
        skills = (row[f"skill_{name}"] for name in NAIVE)
        yield (
            row["deal"], row["figure"],
            *(str(row[name]) for name in ("n", "inside", "below", "above")), f"{row['pit']:.2f}",
            *("–" if s is None else f"{100.0 * s:.0f}".replace("-", "−") for s in skills),
        )  # fmt: skip


if __name__ == "__main__":
    main()
