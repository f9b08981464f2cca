"""A finished run and the certificate that it forecast go in; places in the forecast come out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import polars as pl

from hemc.config import LoadedConfig
from hemc.engine.paths import Progress
from hemc.engine.roll_forward import NewMonth, read_later, roll_forward, why_not
from hemc.engine.stored_run import StoredRun
from hemc.inputs.certificate import Certificate
from hemc.inputs.certificate_record import read_document_or_record
from hemc.inputs.certificate_series import read_report
from hemc.inputs.following import require_following
from hemc.inputs.printed_figures import inferred_figures, missing_figures, printed_figures
from hemc.inputs.tieout import tie_out
from hemc.outputs.score_table import Came, score_table

#: What came of each measure that is rolled forward, by name of the certificate's figure.
_REALISED = {"pool_loss": "losses.current_month", "draws": "credit_enhancement.draw"}


class ScoredRun(NamedTuple):
    """A certificate held against the run that forecast it."""

    title: str
    came: Came
    table: pl.DataFrame  # rows of score.parquet
    roll_forward: pl.DataFrame | None  # of roll_forward.parquet; None where a remark says why
    n_paths: int
    remarks: tuple[str, ...]


def chain_paths(run: StoredRun, config: LoadedConfig | None) -> int:
    """Return the number of paths that scoring simulates at most."""
    return run.files.n_paths * (2 if config is None else 3)


def score_run(
    run: StoredRun, file: Path, config: LoadedConfig | None, progress: Progress
) -> ScoredRun:
    """Score the certificate that a run forecast, and roll expected losses and claims forward.

    `config` is the configuration of the run that is to follow, None for the run's own with the new
    certificate. Raises InputError for a certificate that is not the next one of the run's deal,
    and for a configuration or run that cannot be rolled forward on the same random numbers.
    """
    certificate, remarks = read_document_or_record(file), list[str]()
    deal, before = run.documents.deal, run.documents.certificate
    require_following(certificate, before, deal)
    report = read_report(certificate, remarks)
    assert before.payment_date is not None  # `require_following` looked at it
    figures = printed_figures(certificate, report)
    inferred = inferred_figures(certificate) & figures.keys()
    missing = {k: why for k, why in missing_figures(certificate).items() if k not in inferred}
    came = Came(deal.series, before.payment_date, report.date, figures, missing, inferred)
    later = None if config is None else read_later(run, certificate, config)
    month = NewMonth(certificate, report.date, _realised(came.figures), later)
    remarks += _findings(run, certificate)
    if run.loaded.config.simulation.method == "large-pool":
        remarks.append("a large pool leaves out the loans' own chance: its bands are too narrow")
    table = score_table(run.files.scan("next_month"), came)
    forward = None
    if (reason := why_not(run, month)) is None:
        forward = roll_forward(run, month, progress)
        remarks += _rolled(month)
    else:
        remarks.append(f"no roll-forward: {reason}")
    title = f"{deal.issuer} {deal.series}, group {deal.group}"
    return ScoredRun(title, came, table, forward, run.files.n_paths, tuple(remarks))


def _rolled(month: NewMonth) -> Iterator[str]:
    """Yield what a reader of the roll-forward should know."""
    for name, value in month.realised.items():
        if value is None:
            yield f"{_REALISED[name]} is not on the certificate: what came of {name} is not known"
    if month.later is None:
        yield (
            "closing: the run's configuration with the new certificate, synthetic loans a month "
            "older, its scenario going on; --config closes on the next run itself"
        )


def _realised(figures: Mapping[str, float]) -> dict[str, float | None]:
    """Return what came of each measure in the month, None where it is not shown."""
    return {measure: figures.get(figure) for measure, figure in _REALISED.items()}


def _findings(run: StoredRun, certificate: Certificate) -> list[str]:
    """Return what does not tie out on the certificate that came."""
    lines = tie_out(certificate, run.documents.deal, [run.documents.certificate])
    return [
        f"certificate: {line.name} does not tie out by {line.difference}"
        for line in lines
        if line.status == "fail"
    ]
