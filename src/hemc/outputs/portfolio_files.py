"""A finished portfolio → the files of its folder, beside the paths of its deals."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from hemc.config import Assumption
from hemc.kernels.jit import KERNEL_DIGEST
from hemc.outputs.folder import MANIFEST
from hemc.outputs.provenance import file_digest, versions
from hemc.outputs.results import peak_memory_mb

if TYPE_CHECKING:
    from hemc.engine.portfolio import PortfolioResult

#: measure, insurer, statistic of the figures in summary.json, in order of importance.
HEADLINES = (
    ("pool_loss_pct", None, "mean"),
    ("pool_loss_pct", None, "es_99"),
    ("claims_pv", "performing", "mean"),
    ("claims_peak", "performing", "p99"),
    ("insurer_fails", "wrapped", "probability"),
    ("claims_unpaid", "wrapped", "mean"),
    ("writedown", "unwrapped", "mean"),
    ("writedown", "wrapped", "mean"),
)


def headline_rows(measures: pl.DataFrame) -> list[dict[str, Any]]:
    """Return the headline figures of portfolio_measures.parquet as records."""
    keys = pl.DataFrame(HEADLINES, schema=("measure", "insurer", "statistic"), orient="row")
    found = keys.join(
        measures, on=keys.columns, how="left", nulls_equal=True, maintain_order="left"
    )
    return found.select(measures.columns).to_dicts()


def write_portfolio(
    result: PortfolioResult, folder: Path, report: Callable[[PortfolioResult], str]
) -> None:
    """Write all tables of a portfolio and the page that `report` makes into a folder."""
    result.paths.write_parquet(folder / "portfolio_paths.parquet")
    result.by_deal.write_parquet(folder / "portfolio_deals.parquet")
    result.measures.write_parquet(folder / "portfolio_measures.parquet")
    result.contributions.write_parquet(folder / "portfolio_contributions.parquet")
    portfolio_assumptions(result).write_parquet(folder / "portfolio_assumptions.parquet")
    _write_json(folder / "summary.json", headline_rows(result.measures))
    _write_json(folder / MANIFEST, manifest(result))
    (folder / "report.html").write_text(report(result), encoding="utf-8")


def portfolio_assumptions(result: PortfolioResult) -> pl.DataFrame:
    """Return a row an assumption of a deal; those of the insurer have no deal."""
    rows = [("", *one) for one in _of_the_insurer(result)]
    rows += [(deal.name, *one) for deal in result.deals for one in deal.assumptions]
    columns = ("deal", *Assumption._fields)
    return pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String), orient="row")


def manifest(result: PortfolioResult) -> dict[str, Any]:
    """Return what ran, on what, how long, and what did not run."""
    file, settings = result.portfolio
    return {
        "name": settings.name,
        "kind": "portfolio",
        "payment_month": settings.payment_month,
        "paths": result.portfolio.n_paths,
        "seed": settings.simulation.seed,
        "threads": result.threads,
        "deals": [_deal_record(deal) for deal in result.deals],
        "failed": [failure._asdict() for failure in result.failures],
        "paths_run_again": result.n_settled,
        "largest_identity_residual_usd": result.largest_gap,
        "seconds": {stage: round(s, 3) for stage, s in result.seconds.items()},
        "peak_memory_mb": peak_memory_mb(),
        "kernel_digest": KERNEL_DIGEST,
        "versions": versions(),
        "portfolio_file": {"file": file.name, "sha256": file_digest(file)},
        "configuration": settings.model_dump(mode="json", by_alias=True),
    }


def _deal_record(deal: Any) -> dict[str, Any]:
    """Return what the manifest says of a deal."""
    inputs = {
        name: {"file": path.name, "sha256": file_digest(path)} for name, path in deal.inputs.items()
    }
    left_out = {"inputs", "assumptions"}
    return {k: v for k, v in deal._asdict().items() if k not in left_out} | {"inputs": inputs}


def _of_the_insurer(result: PortfolioResult) -> list[Assumption]:
    """Return the assumptions of the portfolio's own insurer."""
    insurer, file = result.portfolio.settings.insurer, result.portfolio.file.name
    rows = [
        Assumption(
            "insurer.capital", f"{insurer.capital:,.0f}", file, insurer.source,
            "what the insurer has against claims at the certificates' date, USD",
        )
    ]  # fmt: skip
    for name in ("premium_share", "discount_rate"):
        spec = type(insurer).model_fields[name]
        extra = spec.json_schema_extra
        assert isinstance(extra, dict)
        where = file if name in insurer.model_fields_set else "default"
        rows.append(
            Assumption(
                f"insurer.{name}", str(getattr(insurer, name)), where, str(extra["source"]),
                spec.description or "",
            )
        )  # fmt: skip
    return rows


def _write_json(path: Path, content: object) -> None:
    """Write JSON as people read it."""
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
