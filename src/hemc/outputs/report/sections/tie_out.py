"""tieout.parquet → every identity of the certificate, failures first."""

from __future__ import annotations

from hemc.outputs.report.blocks import DASH, Paragraph, Row, Section, Table
from hemc.outputs.run_files import RunFiles

_ORDER = {"fail": 0, "not testable": 1, "pass": 2}
_TONES = {"fail": "bad", "pass": "good"}
_SIGNS = {"fail": "✗ fails", "pass": "✓ holds", "not testable": "○ not testable"}


def tie_out(run: RunFiles) -> Section | None:
    """Return every identity: printed, recomputed, difference, status."""
    table = run.table("tieout")
    if table is None:
        return None
    lines = sorted(table.iter_rows(named=True), key=lambda line: _ORDER.get(line["status"], 0))
    rows = [
        Row(
            (
                line["name"], _SIGNS.get(line["status"], line["status"]),
                *(_figure(line[k]) for k in ("printed", "recomputed", "difference")),
                line["note"] or "",
            ),
            _TONES.get(line["status"], ""),
        )
        for line in lines
    ]  # fmt: skip
    columns = ("identity", "status", "printed", "recomputed", "difference", "note")
    failed = sum(row.tone == "bad" for row in rows)
    text = (
        f"{failed} of {len(rows)} identities fail: read what follows with that in mind."
        if failed
        else "Every identity that can be tested holds to the last printed digit."
    )
    return Section(
        "tie-out", "Tie-out of the certificate",
        [Paragraph(text), Table("Identities", columns, rows, texts=(0, 4))],
    )  # fmt: skip


def _figure(text: str | None) -> str:
    """Return a decimal's text with thousands separators, anything else as it is."""
    if text is None:
        return DASH
    whole, dot, cents = text.partition(".")
    if not whole.lstrip("-").isdecimal():
        return "0" if text.startswith("0E") else text
    return f"{int(whole):,}{dot}{cents}" if whole != "-0" else text
