"""A finished run → the files of its folder, whole or not at all."""

from __future__ import annotations

import json
import math
import resource
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from hemc.inputs.calendar import payment_date
from hemc.inputs.deal import Deal
from hemc.kernels.jit import KERNEL_DIGEST
from hemc.model.oracle import largest_z
from hemc.outputs.contributions import contributions
from hemc.outputs.folder import MANIFEST, whole_folder
from hemc.outputs.next_certificate import next_certificate, render_next_certificate
from hemc.outputs.note_values import quote_records
from hemc.outputs.provenance import file_digest, versions
from hemc.outputs.scenario_paths import factor_record, scenario_table
from hemc.outputs.tables import assumption_table, roll_rate_table, tie_out_table
from hemc.outputs.two_level import LARGE_POOL_PATHS

if TYPE_CHECKING:
    from hemc.engine import RunResult

#: measure, insurer, note, statistic of the figures in summary.json, in order of importance.
HEADLINES = (
    ("pool_loss_pct", None, None, "mean"),
    ("pool_loss_pct", None, None, "es_99"),
    ("oc_below_target_after_reaching", "wrapped", None, "probability"),
    ("draws", "wrapped", None, "probability"),
    ("writedown", "unwrapped", None, "probability"),
    ("next_month_loss", None, None, "mean"),
)


def headline_rows(measures: pl.DataFrame) -> list[dict[str, Any]]:
    """Return the headline figures of a measures table as records with its keys."""
    rows = []
    for measure, insurer, note, statistic in HEADLINES:
        wanted = {"measure": measure, "insurer": insurer, "note": note, "statistic": statistic}
        rows += measures.filter(
            *(pl.col(name).eq_missing(pl.lit(value)) for name, value in wanted.items())
        ).to_dicts()
    return rows


def write_run(
    result: RunResult,
    folder: Path,
    report: Callable[[Path], object],
    more: Mapping[str, pl.DataFrame] | None = None,
    scratch: Path | None = None,
) -> None:
    """Write all files of a run into `folder`, which appears when they are whole.

    `report` makes the report from the folder's other files; `more` are tables of a study around
    the run by the name of their file. An earlier run there is replaced; any other folder with
    something in it is refused. What is not yet whole stands in `scratch`, a folder of this
    process, or beside `folder` where None.
    """
    with whole_folder(folder, scratch) as part:
        result.store.paths.write(part / "paths.parquet")
        result.months.write_parquet(part / "months.parquet")
        result.measures.write_parquet(part / "measures.parquet")
        result.sensitivities.write_parquet(part / "sensitivities.parquet")
        result.oracle.write_parquet(part / "oracle.parquet")
        if not result.variance.is_empty():
            result.variance.write_parquet(part / "variance.parquet")
        _copy_posterior(result.documents.paths.get("posterior"), part)
        result.store.next_month.write(part / "next_month.parquet")
        unit = result.loaded.config.simulation.unit_paths
        table = contributions(result.store.paths.scan(), unit)
        table.write_parquet(part / "contributions.parquet")
        roll_rate_table(result).write_parquet(part / "roll_rates.parquet")
        tie_out_table(result.documents.tie_out).write_parquet(part / "tieout.parquet")
        assumption_table(result).write_parquet(part / "assumptions.parquet")
        settings, macro = result.loaded.config.scenario, result.documents.macro
        table = scenario_table(settings, macro, result.n_months, result.documents.index_path)
        table.write_parquet(part / "scenario_paths.parquet")
        write_next_certificate(result, part)
        _write_json(part / "summary.json", headline_rows(result.measures))
        _write_json(part / MANIFEST, manifest(result))
        for name, table in (more or {}).items():
            table.write_parquet(part / f"{name}.parquet")
        report(part)


def _copy_posterior(posterior: Path | None, folder: Path) -> None:
    """Keep the posterior that a run used, and what stands beside it, with the run's files."""
    if posterior is not None:
        for file in (posterior, posterior.with_name("diagnostics.parquet")):
            if file.is_file():
                shutil.copyfile(file, folder / file.name)


def write_next_certificate(result: RunResult, folder: Path) -> None:
    """Write the forecast of the next certificate as text, JSON and Parquet."""
    deal = result.documents.deal
    first = result.first_payment
    table = next_certificate(result.store.next_month.scan())
    date = payment_date(first.year, first.month, deal.payment_day)
    title = f"Home Equity Loan-Backed Term Notes, {deal.issuer} Series {deal.series}"
    names = tuple(note.name for note in deal.classes)
    text = render_next_certificate(table, title, date, result.n_paths, names)
    (folder / "next_certificate.txt").write_text(text, encoding="utf-8")
    table.write_parquet(folder / "next_certificate.parquet")
    record = {"series": deal.series, "payment_date": date.isoformat(), "figures": table.to_dicts()}
    _write_json(folder / "next_certificate.json", record)


def manifest(result: RunResult) -> dict[str, Any]:
    """Return what ran, on what, how long, and how well its identities held."""
    certificate, deal = result.documents.certificate, result.documents.deal
    return {
        "name": result.loaded.config.name,
        "series": deal.series,
        "group": deal.group,
        "issuer": deal.issuer,
        "undercollateralization": deal.undercollateralization,
        "step_down": _step_down_month(deal) or "none",
        "payment_date": certificate.payment_date.isoformat() if certificate.payment_date else None,
        "first_projected_month": result.first_payment.isoformat()[:7],
        "months": result.n_months,
        "paths": result.n_paths,
        "sampling": sampling_record(result),
        "effective_sample_size": result.sample_size.effective,
        "effective_sample_size_of_weights": result.sample_size.of_weights,
        "independent_paths": result.sample_size.independent_paths,
        "target": target_record(result),
        "seed": result.loaded.config.simulation.seed,
        "threads": result.threads,
        "largest_identity_residual_usd": result.store.largest_gap,
        "oracle": oracle_record(result.oracle),
        "scenario": scenario_record(result),
        "credit_factor": factor_record(result.loaded.config.scenario),
        "quotes": quote_records(tuple(c.name for c in deal.classes), result.quotes),
        "warnings": result.warnings,
        "seconds": {stage: round(s, 3) for stage, s in result.seconds.items()},
        "kernels_compiled_in_this_run": result.was_cold,
        "peak_memory_mb": peak_memory_mb(),
        "kernel_digest": KERNEL_DIGEST,
        "versions": versions(),
        "inputs": {
            name: {"file": path.name, "sha256": file_digest(path)}
            for name, path in result.documents.paths.items()
        },
        "configuration_folder": str(result.loaded.file.parent.resolve()),
        "configuration": result.loaded.config.model_dump(mode="json"),
    }


def _step_down_month(deal: Deal) -> str | None:
    """Return the month YYYY-MM of the first payment whose OC target follows the pool, if any."""
    oc = deal.overcollateralization
    if oc is None or oc.step_down is None:
        return None
    first = deal.first_payment_date
    month = first.year * 12 + first.month - 1 + oc.step_down.payment - 1
    return f"{month // 12}-{month % 12 + 1:02d}"


def oracle_record(oracle: pl.DataFrame) -> dict[str, Any] | None:
    """Return how many paths were compared with expected flows and how far apart they are."""
    if oracle.is_empty():
        return None
    return {"paths": int(oracle["paths"][0]), "largest_z": largest_z(oracle)}


def sampling_record(result: RunResult) -> dict[str, Any]:
    """Return how the paths were drawn and the main direction that the pilot found."""
    method, directions, tilt = result.sampling
    return {
        "method": method,
        "unit_paths": result.loaded.config.simulation.unit_paths,
        "units": result.sample_size.units,
        "large_pool_paths": LARGE_POOL_PATHS * result.n_paths if method == "two-level" else 0,
        "main_direction": None if directions is None else directions.credit[0].tolist(),
        "tilt": None if tilt is None else tilt._asdict(),
        "weights": None if result.weights is None else result.weights._asdict(),
    }


def scenario_record(result: RunResult) -> dict[str, str] | None:
    """Return what the scenario file says of itself, None without one."""
    scenario = result.loaded.scenario
    if scenario is None:
        return None
    return {"name": scenario.name, "meaning": scenario.meaning, "source": scenario.source}


def target_record(result: RunResult) -> dict[str, Any] | None:
    """Return the target of the run, what was reached and whether that is enough."""
    target, reached = result.loaded.config.simulation.target, result.relative_error
    if target is None or reached is None:
        return None
    known = math.isfinite(reached)
    return {
        **target.model_dump(),
        "reached": reached if known else None,
        "met": reached <= target.relative_error,
        "most_paths": result.loaded.config.simulation.paths,
    }


def peak_memory_mb() -> float:
    """Return the largest resident memory of this process so far, MB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (1 if sys.platform != "darwin" else 1024) / 1024, 1)


def _write_json(path: Path, content: object) -> None:
    """Write JSON as people read it."""
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
