"""A deterministic projection, with insurer and without → a table by class, and its screen."""

from __future__ import annotations

import polars as pl
from rich.table import Table

from hemc.kernels.valuation import (
    AVERAGE_LIFE,
    DURATION,
    PRICE,
    TO_MATURITY,
    WINDOW_FIRST,
    WINDOW_LAST,
    YIELD,
)
from hemc.model.vector_run import Projection
from hemc.outputs.breakeven_scan import Classes
from hemc.outputs.screen import Screen
from hemc.settings.vector import VectorSettings

_FIGURES = {
    "average_life": AVERAGE_LIFE, "window_first": WINDOW_FIRST, "window_last": WINDOW_LAST,
    "yield": YIELD, "price": PRICE, "duration": DURATION,
}  # fmt: skip


def vector_table(insurer: str, played: Projection, classes: Classes) -> pl.DataFrame:
    """Return a row a class with a balance, of the one projection of `played`.

    Amounts in USD, average life in years, the window in months from cut-off, yield per year and
    price in % of the balance as `[valuation]` asks; `pool_loss` and `draws` are of the whole deal.
    """
    cash, notes, figures = played
    lost = (notes.writedown - notes.write_up)[0].sum(axis=0)
    draws = float((notes.draw_interest + notes.draw_principal).sum())
    rows = []
    for k, name, balance in zip(*classes, strict=True):
        at_maturity = figures[0, k, TO_MATURITY]
        rows.append(
            {
                "note": name, "insurer": insurer, "balance": float(balance),
                **{column: float(at_maturity[j]) for column, j in _FIGURES.items()},
                "principal": float(notes.principal[0, :, k].sum()),
                "writedown": float(lost[k]),
                "interest_shortfall": float(notes.shortfall[0, -1, k]),
                "pool_loss": float(cash.loss.sum()),
                "pool_loss_pct": float(100.0 * cash.loss.sum() / cash.balance[0, 0]),
                "draws": draws,
            }
        )  # fmt: skip
    return pl.DataFrame(rows).with_columns(pl.col(pl.Float64).fill_nan(None))


def render_vectors(table: pl.DataFrame, title: str, vectors: VectorSettings) -> str:
    """Return the screen of a table with both passes of the waterfall."""
    out = Screen()
    out.print(title)
    out.print(f"CPR {vectors.cpr}; CDR {vectors.cdr}, in addition to prepayments")
    out.print(
        f"severity {vectors.severity}, {vectors.lag_months} months after default; no advances"
    )
    loss, share = table["pool_loss"][0], table["pool_loss_pct"][0]
    out.print(f"pool loss {loss:,.2f} USD, {share:.2f} % of the current pool")
    for insurer, words in (("wrapped", "with insurer"), ("unwrapped", "without insurer")):
        part = table.filter(insurer=insurer)
        draws = f", draws {part['draws'][0]:,.2f} USD" if insurer == "wrapped" else ""
        out.print(f"\nTo maturity, {words}{draws}")
        out.print(_classes(part))
    return out.text


def _classes(part: pl.DataFrame) -> Table:
    """Return a row a class."""
    shown = Table(box=None, pad_edge=False, expand=True, padding=(0, 1, 0, 0))
    shown.add_column("\nclass")
    for heading in (
        "balance\n$ million", "life\nyears", "window\nmonths", "duration\nyears",
        "yield\n%", "writedown\n$ million", "\n%", "interest\nowed, $",
    ):  # fmt: skip
        shown.add_column(heading, justify="right", no_wrap=True)
    for row in part.iter_rows(named=True):
        window = row["window_first"] is not None
        shown.add_row(
            row["note"], f"{row['balance'] / 1e6:,.2f}", _number(row["average_life"], 2),
            f"{row['window_first']:.0f}–{row['window_last']:.0f}" if window else "–",
            _number(row["duration"], 2), _number(row["yield"], 3, 100.0),
            f"{row['writedown'] / 1e6:,.2f}",
            f"{100.0 * row['writedown'] / row['balance']:.1f}",
            f"{row['interest_shortfall']:,.0f}",
        )  # fmt: skip
    return shown


def _number(value: float | None, digits: int, factor: float = 1.0) -> str:
    return "–" if value is None else f"{factor * value:.{digits}f}"
