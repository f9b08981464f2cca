"""The shipped files and small ones made here → the valid files that fuzzing starts from."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from functools import cache
from io import BytesIO
from pathlib import Path

import polars as pl

from benchmarks.fuzz.readers import DIGEST, SERIES, Reader
from hemc.inputs.macro import COLUMNS
from hemc.inputs.shipped import configs_dir
from hemc.states import N_LIVE, N_STATES, move_name

_GLOBS = {
    "certificate": "certificates/*.txt", "record": "certificates/*.json", "deal": "deals/*.toml",
    "scenario": "scenarios/*.toml", "counts": "counts/*.csv", "product": "products/*.toml",
    "classes": "classes/*.toml", "stress": "stress.toml", "config": "*.toml",
}  # fmt: skip

#: Deals with the steps, rules and triggers that the shipped ones lack.
_TEST_DEALS = Path(__file__).parents[2] / "tests" / "data" / "deals"

_HTML_ROWS = (
    ("GMACM Home Equity Loan Trust Series 2003-HE2",), ("Servicing Certificate Group 1",),
    ("Payment Date:", "02/25/04"), ("Beginning Pool Balance", "$1,000,000.00"),
    ("Ending Pool Balance", "990,000.00"), ("Principal Collections", "(10,000.00)"),
    ("Class A-1", "500,000.00", "490,000.00", "0.9800000", "10,000.00", "1,000.00", "0.00",
     "49.49%", "1.230%"),
    ("Delinquent Loans (30 Days)", "1,000.00", "3", "0.10%"), ("Foreclosures", "-", "-", "-"),
    ("Ending Loss Amount", "5,000.00"),
    ("Delinquency figures do not include bankruptcies, foreclosures and REO.",),
)  # fmt: skip

_TAPE = """loan,state,balance,gross_rate,amortization_months,maturity_months,instalments_behind
1,current,30000.00,0.0825,170,170,0
2,30,25000.00,0.09,300,120,1
3,180+,1000.50,0.1,100,100,9
4,foreclosure,5000,0.085,200,150,6
5,reo,5000,0.085,200,150,9
6,bankruptcy,5000,0.085,200,150,4
"""

_PANEL = """loan,month,status
a,2003-01,current
a,2003-02,30
a,2003-03,60
a,2003-04,current
b,2003-01,current
b,2003-02,paid off
c,200301,90
c,200302,120
c,200302,120
d,2003-01-31,reo
d,2003-03-31,charged off
"""

_MACRO = f"""{",".join(("Scenario Name", "Date", *COLUMNS.values()))}
Actual,2024 Q4,4.1,300.0,6.6,4.4
Actual,2025 Q1,4.3,298.0,6.5,4.2
Actual,2025 Q2,5.0,290.5,6.1,3.0
"""

_MADE = {
    "tape": _TAPE, "panel": _PANEL, "macro": _MACRO, "index": "month,rate\n1,0.01\n12,0.02\n",
}  # fmt: skip


#: Of the made run, so that its report takes half a second.
_MONTHS = 24

#: Names the folder of a finished run to start from; without it one is made.
RUN_VARIABLE = "HEMC_FUZZ_RUN"


@cache
def sample_run() -> Path:
    """Return the folder of a small finished run."""
    if RUN_VARIABLE in os.environ:
        return Path(os.environ[RUN_VARIABLE])
    return make_run(Path(tempfile.mkdtemp(prefix="hemc-fuzz-")) / "run")


def make_run(folder: Path) -> Path:
    """Run the base configuration on few paths into a folder, cut its months, and return it."""
    from hemc import engine
    from hemc.config import load_config
    from hemc.outputs.report.document import write_report
    from hemc.outputs.results import write_run

    few = {"simulation.paths": 64, "simulation.threads": 1, "outputs.sensitivity_paths": 64}
    loaded = load_config(configs_dir() / "base.toml", few)
    write_run(engine.run(loaded, lambda n: None), folder, write_report)
    months = pl.read_parquet(folder / "months.parquet").filter(pl.col("month") <= _MONTHS)
    months.write_parquet(folder / "months.parquet")
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    text = json.dumps(manifest | {"months": _MONTHS}, ensure_ascii=False)
    (folder / "manifest.json").write_text(text, encoding="utf-8")
    return folder


def seeds(reader: Reader) -> list[bytes]:
    """Return the valid files of a reader."""
    return [*_files(reader), *_made(reader)]


def _files(reader: Reader) -> Iterator[bytes]:
    pattern = _GLOBS.get(reader.name)
    if pattern:
        yield from (path.read_bytes() for path in sorted(configs_dir().glob(pattern)))


def _made(reader: Reader) -> Iterator[bytes]:
    text = _MADE.get(reader.name)
    if text is not None:
        yield text.encode()
    if reader.name == "deal":
        yield from (path.read_bytes() for path in sorted(_TEST_DEALS.glob("*.toml")))
    elif reader.name == "scenario":
        yield _scenario_of_a_csv()
    elif reader.name == "certificate":
        yield _html().encode()
    elif reader.name == "panel":
        yield from (_performance(32, "202401"), _performance(108, "012024"))
    elif reader.name == "config":
        yield _config_with_scenario()
    elif reader.name == "portfolio":
        yield _portfolio()
    elif reader.name == "posterior":
        yield _posterior()
    elif reader.name == "run":
        folder = sample_run()
        files = sorted(f for f in folder.iterdir() if f.suffix in (".json", ".parquet"))
        yield from (f.name.encode() + b"\n" + f.read_bytes() for f in files)
    if reader.form == "table" and text is not None:
        yield _parquet(pl.read_csv(text.encode()))


@cache
def _scenario_of_a_csv() -> bytes:
    """Return a scenario whose quarters stand in a CSV."""
    file = Path(tempfile.mkdtemp(prefix="hemc-fuzz-")) / "macro.csv"
    file.write_text(_MACRO, encoding="utf-8")
    words = 'name = "csv"\nmeaning = "quarters of a file"\nsource = "made"\n'
    return f'{words}[csv]\nfile = "{file}"\nfirst = "2025 Q1"\n'.encode()


def _config_with_scenario() -> bytes:
    """Return the shipped configuration under a scenario file."""
    text = (configs_dir() / "base.toml").read_text(encoding="utf-8")
    file = configs_dir() / "scenarios" / "rates-up.toml"
    return text.replace("[scenario]", f'[scenario]\nfile = "{file}"', 1).encode()


def _portfolio() -> bytes:
    """Return the shipped portfolio's beginning; paths of its deals hold wherever it lies."""
    folder = configs_dir()
    text = (folder / "portfolio.toml").read_text(encoding="utf-8")
    beginning = "[[deal]]".join(text.split("[[deal]]")[:5])
    return beginning.replace('config = "', f'config = "{folder}/').encode()


def _html() -> str:
    cells = ("".join(f"<td>{cell}</td>" for cell in row) for row in _HTML_ROWS)
    return "<html><table>" + "\n".join(f"<tr>{row}</tr>" for row in cells) + "</table></html>\n"


def _performance(width: int, month: str) -> bytes:
    """Return lines of a Freddie Mac (32 columns) or Fannie Mae (108) performance file."""
    loan, at, status = (0, 1, 3) if width == 32 else (1, 2, 39)
    lines = []
    for name, code in (("F24Q1", "0"), ("F24Q1", "1"), ("F24Q2", "RA"), ("F24Q3", "XX")):
        fields = [""] * width
        fields[loan], fields[at], fields[status] = name, month, code
        lines.append("|".join(fields))
        month = f"{int(month) + (1 if width == 32 else 10_000):06d}"
    return ("\n".join(lines) + "\n").encode()


def _posterior() -> bytes:
    columns: dict[str, object] = {"inputs_digest": [DIGEST] * 3, "deal": [SERIES] * 3}
    for s in range(N_LIVE):
        for to in range(N_STATES):
            columns[move_name(s, to)] = [1.0 / N_STATES] * 3
    return _parquet(pl.DataFrame(columns))


def _parquet(table: pl.DataFrame) -> bytes:
    stream = BytesIO()
    table.write_parquet(stream)
    return stream.getvalue()
