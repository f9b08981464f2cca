"""Pages that are made from the code when the documentation is built, so that they cannot drift."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
PAGES = ROOT / "docs" / "reference"
CONFIGS = ROOT / "configs"

#: Paths of the run behind assumptions.md and checks.md, and of each changed assumption.
_PATHS, _CHANGED_PATHS = 512, 64


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """Return the lines of a Markdown table."""
    lines = [heads, ["---"] * len(heads), *rows]
    return ["| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines]


def _cell(value: object) -> str:
    return " ".join(str(value).replace("|", "\\|").split())


def write_pages() -> None:
    """Write every page whose text has changed."""
    pages = {
        "modules": modules, "configuration": configuration, "commands": commands,
        "assumptions": assumptions, "checks": checks,
    }  # fmt: skip
    for name, make in pages.items():
        page = PAGES / f"{name}.md"
        text = "\n".join(make()) + "\n"
        if not page.exists() or page.read_text(encoding="utf-8") != text:
            page.write_text(text, encoding="utf-8")


def modules() -> Iterator[str]:
    """Yield the list of modules with their first sentences."""
    yield from ("# Modules", "", "Made from the sources when the pages are built.")
    source = ROOT / "src" / "hemc"
    rooms: dict[Path, list[tuple[str, str]]] = {}
    for file in sorted(source.rglob("*.py")):
        said = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8")))
        place = file.relative_to(source)
        if said and not place.name.startswith("__"):
            rooms.setdefault(place.parent, []).append((f"`{place.stem}`", said.split("\n\n")[0]))
    for room, rows in rooms.items():
        yield from ("", f"## hemc/{room.as_posix()}", "", *table(("module", ""), rows))


class Key(NamedTuple):
    """A line of base.toml."""

    section: str
    name: str
    value: str
    meaning: str


def keys_of_base() -> Iterator[Key]:
    """Yield every key of configs/base.toml with the comment beside it; `# key = …` is optional."""
    section, heading = "", ""
    for line in (CONFIGS / "base.toml").read_text(encoding="utf-8").splitlines():
        head = re.match(r"\[([\w.]+)\]\s*(?:# (.*))?$", line)
        found = re.match(r"(# )?(\w+) = ((?:[^#\"]|\"[^\"]*\")*?)\s*(?:#\s*(.*))?$", line)
        if head:
            section, heading = head[1], head[2] or ""
            yield Key(section, "", "", heading)
        elif found:
            value = found[3].strip()
            shown = "…" if value == "[" else value
            yield Key(section, found[2], "" if found[1] else shown, found[4] or "")


def configuration() -> Iterator[str]:
    """Yield every key with default, meaning and, of an assumption, its source."""
    from hemc.config import load_config

    known = {one.name: one for one in load_config(CONFIGS / "base.toml").assumptions()}
    yield from (
        "# Every key of a configuration", "",
        "Made from `configs/base.toml` and the settings when the pages are built. A key without a "
        "source is no assumption but a choice. An empty default means that the key is absent.",
    )  # fmt: skip
    rows: list[tuple[str, str, str, str]] = []
    heads = ("key", "default", "meaning", "source")
    for key in keys_of_base():
        if not key.name:
            yield from table(heads, rows) if rows else ()
            rows = []
            yield from ("", f"## {key.section}", "", *([f"{key.meaning}."] if key.meaning else []))
            yield ""
            continue
        one = known.get(f"{key.section}.{key.name}")
        meaning = key.meaning if one is None else one.meaning
        default = f"`{key.value}`" if key.value else ""
        if not key.section:
            yield from ("", f"`{key.name}` {key.meaning}: `{key.value}`.")
            continue
        rows.append((f"`{key.name}`", default, meaning, "" if one is None else one.source))
    yield from table(heads, rows)


def commands() -> Iterator[str]:
    """Yield what every command says of itself."""
    import click

    from hemc.cli import main

    yield from ("# Commands", "", "Made from `--help` when the pages are built.")

    def walk(group: click.Group, path: tuple[str, ...]) -> Iterator[str]:
        for name, command in group.commands.items():
            words = (*path, name)
            context = click.Context(command, info_name=" ".join(words), max_content_width=88)
            yield from ("", f"## {' '.join(words)}", "", "```text")
            yield from (command.get_help(context), "```")
            if isinstance(command, click.Group):
                yield from walk(command, words)

    yield from walk(main, ("hemc",))


@cache
def _sample() -> Any:
    """Return a small run of base, its assumptions, and each assumption's moves by its name."""
    import hemc
    from hemc.engine.sensitivities import play_tornado
    from hemc.engine.study import prepare_study
    from hemc.outputs.tables import assumption_table

    settings = {"sensitivities.paths": _CHANGED_PATHS, "outputs.sensitivity_paths": 0}
    loaded = hemc.load_config(CONFIGS / "base.toml", settings)
    result = hemc.run(loaded, paths=_PATHS)
    moves: dict[str, list[str]] = {}
    swings = play_tornado(prepare_study(loaded), lambda n_paths: None)
    for row in swings.filter(measure="pool_loss_pct", statistic="mean").iter_rows(named=True):
        error = row["difference_standard_error"] or 0.0
        text = f"{row['setting']}: {row['difference']:+.2f} ± {error:.2f}"
        moves.setdefault(row["assumption"], []).append(text)
    return result, assumption_table(result), moves


def assumptions() -> Iterator[str]:
    """Yield every assumption of base with its source and what another value moves."""
    result, listed, moves = _sample()
    loss = result.summary.row(0, named=True)
    yield from (
        "# Assumptions and what they move", "",
        f"Every assumption of `configs/base.toml`, computed when these pages were built: expected "
        f"lifetime loss is {loss['value']:.2f} ± {loss['standard_error']:.2f} % of the pool on "
        f"{_PATHS} paths. The last column is its change, in % of the pool, under the values that "
        f"`[sensitivities]` tries, on {_CHANGED_PATHS} common paths. Where the report says "
        "*judgement*, nobody has measured the value. `hemc sensitivities` makes the same table, "
        "with the effect on the insurer and the notes, on as many paths as you ask.", "",
    )  # fmt: skip
    rows = (
        (f"`{name}`", value, meaning, source, "; ".join(moves.pop(name, ["–"])))
        for name, value, meaning, source in listed.select(
            "name", "value", "meaning", "source"
        ).iter_rows()
    )
    yield from table(("assumption", "value", "meaning", "source", "moves loss by"), rows)
    yield from ("", "Further settings that are tried, which base leaves as they are:", "")
    others = [(f"`{name}`", "; ".join(texts)) for name, texts in moves.items()]
    yield from table(("setting", "moves loss by"), others)


def checks() -> Iterator[str]:
    """Yield what the model is checked by, with the results of a small run and of the documents."""
    result, _, _ = _sample()
    yield from (
        "# Checks and their results", "",
        "Computed when these pages were built. `scripts/test --all` runs every test below.", "",
        "## Certificates", "",
        "Identities of the shipped certificates that hold, fail, or cannot be tested on what is "
        "printed, and figures that the waterfall's own kernel reproduces to the cent.", "",
    )  # fmt: skip
    heads = ("certificate", "hold", "fail", "not testable", "replayed to the cent", "off")
    yield from table(heads, _documents())
    yield from (
        "", "## Cash identities", "",
        f"Largest gap of any identity on any of {result.n_paths} paths × {result.n_months} months, "
        f"wrapped and unwrapped: {result.store.largest_gap:.1e} USD. A cent stops a run.", "",
        "## Simulated against expected flows", "",
        "Sums over the deal's life, USD million or thousand loan-months, means over "
        f"{result.oracle['paths'][0]} paths; the expectation is computed without drawing a loan.",
        "",
    )  # fmt: skip
    yield from table(("flow", "simulated", "expected", "difference in standard errors"), _flows())
    yield from ("", "## Tests", "")
    yield from table(("test", "what it holds to"), _tests())


def _documents() -> Iterator[tuple[object, ...]]:
    from hemc.errors import InputError
    from hemc.inputs.certificate_record import read_document_or_record
    from hemc.inputs.deal import read_deal
    from hemc.inputs.shipped import shipped_deals
    from hemc.inputs.tieout import tie_out
    from hemc.model.replay import replay

    deals = {series: read_deal(path) for series, path in shipped_deals().items()}
    read = [read_document_or_record(p) for p in sorted((CONFIGS / "certificates").iterdir())]
    for one in read:
        deal = deals[str(one.series)]
        lines = tie_out(one, deal, [other for other in read if other.series == one.series])
        counts = [
            sum(line.status == status for line in lines)
            for status in ("pass", "fail", "not testable")
        ]
        try:
            paid = [line.status for line in replay(one, deal).lines]
            replayed: tuple[object, ...] = (paid.count("pass"), paid.count("fail"))
        except InputError:  # a figure that a replay needs is not printed
            replayed = ("–", "–")
        yield (f"`{one.path.name}`", *counts, *replayed)


def _flows() -> Iterator[tuple[object, ...]]:
    from hemc.model.oracle import LIFETIME

    oracle = _sample()[0].oracle.filter(months=LIFETIME).drop_nulls("z")
    for row in oracle.iter_rows(named=True):
        unit = 1e3 if row["flow"].startswith("loans") else 1e6
        both = (f"{row[side] / unit:,.3f}" for side in ("simulated", "expected"))
        yield (row["flow"], *both, f"{row['z']:+.2f}")


def _tests() -> Iterator[tuple[str, str]]:
    for file in sorted((ROOT / "tests").rglob("test_*.py")):
        said = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
        yield f"`{file.relative_to(ROOT / 'tests').as_posix()}`", said.split("\n\n")[0]
