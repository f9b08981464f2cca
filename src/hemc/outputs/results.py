"""A finished run → the files of its folder, whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import resource
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from hemc.errors import InputError
from hemc.inputs.calendar import payment_date
from hemc.kernels.jit import KERNEL_DIGEST
from hemc.outputs.next_certificate import next_certificate, render_next_certificate
from hemc.outputs.tables import assumption_table, roll_rate_table, tie_out_table

if TYPE_CHECKING:
    from hemc.engine import RunResult

MANIFEST = "manifest.json"

_LIBRARIES = ("hemc", "numba", "numpy", "polars", "scipy")

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


def write_run(result: RunResult, folder: Path, report: Callable[[Path], object]) -> None:
    """Write all files of a run into `folder`, which appears when they are whole.

    `report` makes the report from the folder's other files. An earlier run there is replaced; any
    other folder with something in it is refused.
    """
    with whole_folder(folder) as part:
        result.paths.write_parquet(part / "paths.parquet")
        result.months.write_parquet(part / "months.parquet")
        result.measures.write_parquet(part / "measures.parquet")
        result.sensitivities.write_parquet(part / "sensitivities.parquet")
        result.next_month.write_parquet(part / "next_month.parquet")
        roll_rate_table(result).write_parquet(part / "roll_rates.parquet")
        tie_out_table(result.documents.tie_out).write_parquet(part / "tieout.parquet")
        assumption_table(result).write_parquet(part / "assumptions.parquet")
        write_next_certificate(result, part)
        _write_json(part / "summary.json", headline_rows(result.measures))
        _write_json(part / MANIFEST, manifest(result))
        report(part)


def write_next_certificate(result: RunResult, folder: Path) -> None:
    """Write the forecast of the next certificate as text, JSON and Parquet."""
    deal = result.documents.deal
    first = result.first_payment
    table = next_certificate(result.next_month.drop("path"))
    date = payment_date(first.year, first.month, deal.payment_day)
    title = f"Home Equity Loan-Backed Term Notes, {deal.issuer} Series {deal.series}"
    names = tuple(note.name for note in deal.classes)
    text = render_next_certificate(table, title, date, len(result.paths), names)
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
        "payment_date": certificate.payment_date.isoformat() if certificate.payment_date else None,
        "first_projected_month": result.first_payment.isoformat()[:7],
        "months": result.n_months,
        "paths": len(result.paths),
        "effective_sample_size": float(len(result.paths)),
        "seed": result.loaded.config.simulation.seed,
        "threads": result.threads,
        "largest_identity_residual_usd": result.largest_gap,
        "warnings": result.calibration.warnings,
        "seconds": {stage: round(s, 3) for stage, s in result.seconds.items()},
        "kernels_compiled_in_this_run": result.was_cold,
        "peak_memory_mb": peak_memory_mb(),
        "kernel_digest": KERNEL_DIGEST,
        "versions": {"python": platform.python_version()} | {n: version(n) for n in _LIBRARIES},
        "inputs": {
            name: {"file": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
            for name, path in result.documents.paths.items()
        },
        "configuration": result.loaded.config.model_dump(mode="json"),
    }


def peak_memory_mb() -> float:
    """Return the largest resident memory of this process so far, MB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (1 if sys.platform != "darwin" else 1024) / 1024, 1)


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """Give a folder to write in that becomes `folder` when all went well, and vanishes if not."""
    refuse_foreign(folder)
    part: Path | None = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        yield part
        part.chmod(0o755)
        _put(part, folder)
    except OSError as error:
        found = f"a place that cannot be written ({error.strerror or error})"
        raise InputError(folder, "", found, "a folder to write in, or --out another") from None
    finally:
        if part is not None:
            shutil.rmtree(part, ignore_errors=True)


def refuse_foreign(folder: Path) -> None:
    """Refuse a folder that holds something other than an earlier run of hemc."""
    if folder.is_dir() and (not any(folder.iterdir()) or (folder / MANIFEST).is_file()):
        return
    if folder.exists() or folder.is_symlink():
        raise InputError(folder, "", "something that is no run of hemc",
                         "a new folder or an earlier run; name one with --out")  # fmt: skip


def _put(part: Path, folder: Path) -> None:
    """Put the new folder where it belongs, an earlier one aside first."""
    if not folder.exists():
        part.rename(folder)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{folder.name}-old-", dir=folder.parent))
    os.rename(folder, old / "run")
    part.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def _write_json(path: Path, content: object) -> None:
    """Write JSON as people read it."""
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
