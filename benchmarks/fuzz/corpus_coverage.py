"""A campaign's corpus read once more under coverage.py, in a process without atheris.

python -m benchmarks.fuzz.corpus_coverage NAME FOLDER writes FOLDER/coverage.json, a percentage.
"""

from __future__ import annotations

import contextlib
import json
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import coverage


def main() -> None:
    """Measure the line coverage of one reader's modules."""
    name, place = sys.argv[1], Path(sys.argv[2])
    measured = coverage.Coverage(data_file=None, source_pkgs=["hemc"], config_file=False)
    measured.start()
    from benchmarks.fuzz.readers import READERS, check  # modules are run under coverage too

    reader = READERS[name]
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / f"input{reader.suffix}"
        for one in sorted((place / "corpus").iterdir()):
            file.write_bytes(one.read_bytes())
            with contextlib.suppress(BaseException):  # finds are the worker's
                check(reader, file)
    measured.stop()
    lines = missing = 0
    for module in reader.modules:
        spec = find_spec(module)
        assert spec is not None
        assert spec.origin is not None
        _, statements, _, left, text = measured.analysis2(spec.origin)
        print(f"{module}: {len(left)} of {len(statements)} lines missing: {text}")
        lines, missing = lines + len(statements), missing + len(left)
    share = 100.0 * (1.0 - missing / lines)
    (place / "coverage.json").write_text(json.dumps(share), encoding="ascii")


if __name__ == "__main__":
    main()
