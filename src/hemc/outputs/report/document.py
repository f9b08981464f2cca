"""A run's folder → report.html, a self-contained page that needs no network, and report.xlsx."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from hemc.errors import InputError
from hemc.outputs.report.blocks import Section
from hemc.outputs.report.charts import THEME
from hemc.outputs.report.sections.accuracy import accuracy
from hemc.outputs.report.sections.backtest import backtest
from hemc.outputs.report.sections.breakevens import breakevens
from hemc.outputs.report.sections.insurer import insurer
from hemc.outputs.report.sections.next_certificate import next_certificate
from hemc.outputs.report.sections.notes import notes
from hemc.outputs.report.sections.overcollateralization import overcollateralization
from hemc.outputs.report.sections.pool import pool
from hemc.outputs.report.sections.provenance import assumptions, manifest
from hemc.outputs.report.sections.roll_forward import roll_forward
from hemc.outputs.report.sections.roll_rates import roll_rates
from hemc.outputs.report.sections.scenarios import scenarios
from hemc.outputs.report.sections.score import scored
from hemc.outputs.report.sections.sensitivities import sensitivities
from hemc.outputs.report.sections.tie_out import tie_out
from hemc.outputs.report.sections.verdict import verdict
from hemc.outputs.report.vega import chart_script
from hemc.outputs.run_files import RunFiles
from hemc.outputs.workbook.document import WORKBOOK, render_workbook

REPORT = "report.html"

#: In the order of the page; a section without data is None and leaves no gap in the numbers.
SECTIONS: tuple[Callable[[RunFiles], Section | None], ...] = (
    verdict, tie_out, roll_rates, pool, overcollateralization, notes, insurer, roll_forward,
    breakevens, scenarios, sensitivities, next_certificate, scored, backtest, accuracy, assumptions,
    manifest,
)  # fmt: skip


class Head(NamedTuple):
    """What stands above the sections: the window's title, the page's heading, one sentence."""

    title: str
    heading: str
    lead: str


def write_report(folder: Path) -> Path:
    """Write report.html and report.xlsx from a run's other files; return the page's path.

    Raises InputError where the folder is no run's or cannot be written.
    """
    run = RunFiles(folder)
    page, workbook = render_report(run), render_workbook(run)
    for name, content in ((WORKBOOK, workbook), (REPORT, page.encode())):
        _write(folder / name, content)
    return folder / REPORT


def _write(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, and never through a link; raises InputError if refused."""
    part = path.with_name(f".{path.name}.part")
    try:
        part.unlink(missing_ok=True)
        part.write_bytes(content)
        part.replace(path)
    except OSError as error:
        raise InputError(path, "", f"a file that cannot be written ({error.strerror})",
                         "a folder to write in") from None  # fmt: skip


def render_report(run: RunFiles) -> str:
    """Return the page of a run."""
    deal = f"{run.manifest.issuer} {run.manifest.series}"
    head = Head(
        f"{deal}: {run.manifest.name}",
        f"{deal}, group {run.manifest.group}",
        "What the notes can lose, from the certificate of "
        f"{run.manifest.payment_date or 'an unread date'}. Run “{run.manifest.name}”.",
    )
    return render_page(head, [s for build in SECTIONS if (s := build(run)) is not None])


def render_page(head: Head, sections: Sequence[Section]) -> str:
    """Return a page of sections that needs no network; all texts are escaped."""
    environment = Environment(
        loader=PackageLoader("hemc.outputs.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html.j2").render(
        head=head, sections=sections, theme=THEME, script=Markup(chart_script())
    )
