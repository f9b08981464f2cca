"""Run base and write the figures of README.md, and its times from the last measurement."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.calibration_page import write_between_marks
from hemc import engine
from hemc.config import load_config
from hemc.engine import RunResult
from hemc.inputs.certificate import Certificate
from hemc.inputs.figures import Field
from hemc.outputs.labels import headline_label
from hemc.outputs.numbers import show_estimate

ROOT = Path(__file__).parent.parent
_SCRIPT = "scripts/readme"
#: The line on which the arrow stands.
_MIDDLE = 3

#: Headline figures that README shows, by their place in summary.json.
_SHOWN = (0, 1, 3, 4)
_LEFT, _LABEL, _VALUE = 43, 40, 16


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the marked parts of a page."""
    parser = argparse.ArgumentParser(prog=_SCRIPT, description=__doc__)
    parser.add_argument("--paths", type=int, default=10_000)
    parser.add_argument("--page", type=Path, default=ROOT / "README.md")
    options = parser.parse_args(arguments)
    settings = {"simulation.paths": options.paths, "outputs.sensitivity_paths": 0}
    loaded = load_config(ROOT / "configs" / "base.toml", settings)
    result = engine.run(loaded, lambda n_paths: None)
    write_between_marks(options.page, "figures", figures_text(result), _SCRIPT)
    measured = json.loads((ROOT / "docs" / "benchmarks.json").read_text(encoding="utf-8"))
    write_between_marks(options.page, "times", times_text(measured), _SCRIPT)


def figures_text(result: RunResult) -> str:
    """Return the certificate's lines beside what comes out of them."""
    documents = result.documents
    certificate, deal = documents.certificate, documents.deal
    statuses = [line.status for line in documents.tie_out]
    passed, failed = statuses.count("pass"), statuses.count("fail")
    rest = len(statuses) - passed - failed
    independent = result.sample_size.independent_paths
    records = result.summary.to_dicts()
    right = [
        f"{deal.issuer} {deal.series}, group {deal.group}, certificate of "
        f"{certificate.payment_date}",
        f"{result.n_paths:,} paths × {result.n_months} months × "
        f"{len(result.calibration.tape):,} loans",
        f"tie-out: {passed} identities pass, {failed} fail, {rest} not testable",
        "",
        *(
            f"{headline_label(row):<{_LABEL}}{show_estimate(row, independent):>{_VALUE}}"
            for row in map(records.__getitem__, _SHOWN)
        ),
        "+ report.html, next certificate, Parquet tables",
    ]
    pairs = zip(_document_lines(certificate), right, strict=True)
    lines = [
        f"{left:<{_LEFT}}{'──▶' if k == _MIDDLE else '':<4}{found}".rstrip()
        for k, (left, found) in enumerate(pairs)
    ]
    return "\n".join(["```", *lines, "```"])


def _document_lines(certificate: Certificate) -> list[str]:
    """Return lines of the certificate as its reader knows them."""
    pool, delinquent = certificate.pool, certificate.delinquencies
    first = certificate.notes["A-1"]
    shown = (
        ("Beginning Pool Balance", pool["beginning_pool"]),
        ("Ending Pool Balance", pool["ending_pool"]),
        ("Principal Collections", pool["principal_collections"]),
        ("Class A-1, ending", first["ending"]),
        ("Outstanding OC", certificate.oc["outstanding"]),
        ("Delinquent Loans (30 Days)", delinquent["30"]["balance"]),
        ("Delinquent Loans (60 Days)", delinquent["60"]["balance"]),
        ("Foreclosures", delinquent["FC"]["balance"]),
        ("Current Month Loss Amount", certificate.losses["current_month"]),
    )
    return [f"{name:<27}{_amount(field):>15}" for name, field in shown]


def _amount(field: Field) -> str:
    assert field.value is not None
    return f"{field.value:,.2f}"


def times_text(measured: Mapping[str, Any]) -> str:
    """Return how long a run takes, of docs/benchmarks.json."""
    run = next(c for c in measured["commands"] if c["paths"] == 10_000)
    kernels = measured["start_up"]["cold"]["kernels"]
    machine = measured["machine"]
    return (
        f"On {machine['cores']} cores ({machine['processor']}) a run of 10,000 paths takes "
        f"{run['seconds']:.0f} s, start to report; the first also compiles\nits kernels, "
        f"{kernels:.0f} s, after some time of installing. `docs/benchmarks.md` has more."
    )


if __name__ == "__main__":
    main()
