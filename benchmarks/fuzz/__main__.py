"""Readers under fuzzing for some processor minutes each → finds as files, line coverage, a table.

python -m benchmarks.fuzz [READER ...] --minutes 10 --jobs 2; see scripts/fuzz.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.accuracy import write_between
from benchmarks.fuzz.campaign import Outcome, fuzz_reader, table_of
from benchmarks.fuzz.readers import READERS
from benchmarks.fuzz.seeds import make_run

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"
BEGIN = "<!-- written by scripts/fuzz -->"

#: Line coverage of its own modules that a reader's campaign is to reach, %.
LEAST_COVERAGE = 85.0


def main() -> None:
    """Fuzz, write the table, and exit with 1 where something was found or too little was read."""
    options = _options()
    names = options.readers or list(READERS)
    place = options.folder or Path(tempfile.mkdtemp(prefix="hemc-fuzz-"))
    place.mkdir(parents=True, exist_ok=True)
    run = place / "sample-run"
    if "run" in names:
        shutil.rmtree(run, ignore_errors=True)
        print("making the run that is a seed …", flush=True)
        make_run(run)

    def fuzz(name: str) -> Outcome:
        outcome = fuzz_reader(READERS[name], place / name, options.minutes, run)
        print(outcome.line, flush=True)
        return outcome

    with ThreadPoolExecutor(options.jobs) as pool:
        outcomes = list(pool.map(fuzz, names))
    if options.write:
        write_between(PAGE, table_of(outcomes), BEGIN)
    found = [file for outcome in outcomes for file in outcome.finds]
    for file in found:
        print(f"find: {file}")
    thin = [o.reader.name for o in outcomes if o.coverage < LEAST_COVERAGE]
    if thin:
        print(f"line coverage below {LEAST_COVERAGE:g} %: {', '.join(thin)}")
    broken = [o.reader.name for o in outcomes if not o.executions]
    if broken:
        print(f"did not run: {', '.join(broken)}; see {place}/NAME/log")
    sys.exit(1 if found or thin or broken else 0)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/fuzz", description=__doc__)
    parser.add_argument("readers", nargs="*", metavar="READER", choices=[*READERS, []],
                        help=f"default: all of {', '.join(READERS)}")  # fmt: skip
    parser.add_argument("--minutes", type=float, default=10.0, help="of the processor (10)")
    parser.add_argument("--jobs", type=int, default=1, help="readers at a time (1)")
    parser.add_argument("--folder", type=Path, help="keeps corpora, finds and what is done; an "
                        "interrupted campaign goes on there (default: temporary)")  # fmt: skip
    parser.add_argument("--write", action="store_true", help="write the table of docs")
    return parser.parse_args()


if __name__ == "__main__":
    main()
