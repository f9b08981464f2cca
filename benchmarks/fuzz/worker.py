"""One reader under atheris in this process: python -m benchmarks.fuzz.worker NAME FOLDER SECONDS.

SECONDS and the five that an input has are the processor's, whatever else the machine does. Finds
are collected, each as a file named by what failed and where; only a gigabyte more than at the
start, or a hang outside Python, ends the process early, with libFuzzer's own file.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path
from random import Random

import atheris

#: Of one input: seconds of the processor, and MB beside what the process starts with.
SECONDS, MEMORY_MB = 5, 1_000

#: Seconds of the wall after which libFuzzer ends the process.
_LAST_SECONDS = 300

_MOST_BYTES = 200_000


class HangError(BaseException):
    """An input that took more than its time; no reader catches it."""


def main() -> None:
    """Fuzz one reader until the time is over."""
    name, place, seconds = sys.argv[1], Path(sys.argv[2]), float(sys.argv[3])
    with atheris.instrument_imports(include=["hemc"]):
        from benchmarks.fuzz.readers import READERS
    from benchmarks.fuzz.mutations import mutate, mutate_bytes
    from benchmarks.fuzz.readers import check
    from benchmarks.fuzz.seeds import seeds

    reader = READERS[name]
    corpus, finds = place / "corpus", place / "finds"
    for folder in (corpus, finds):
        folder.mkdir(parents=True, exist_ok=True)
    for seed in seeds(reader):
        (corpus / hashlib.sha256(seed).hexdigest()[:16]).write_bytes(seed)
    scratch = Path(tempfile.mkdtemp(prefix="hemc-fuzz-"))
    file = scratch / f"input{reader.suffix}"
    progress = _Progress(place / f"progress-{os.getpid()}.json")

    def read(data: bytes) -> None:
        if progress.seconds >= seconds:
            progress.write()
            shutil.rmtree(scratch)
            os._exit(0)  # libFuzzer ends by the clock on the wall only
        progress.count()
        file.write_bytes(data)
        start = time.process_time()
        signal.setitimer(signal.ITIMER_PROF, SECONDS)
        try:
            check(reader, file)
            signal.setitimer(signal.ITIMER_PROF, 0)
            if time.process_time() - start > SECONDS:
                raise HangError
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # a panic of polars is no Exception
            signal.setitimer(signal.ITIMER_PROF, 0)
            keep(error, data)

    def keep(error: BaseException, data: bytes) -> None:
        frames = traceback.extract_tb(error.__traceback__)
        own = [f for f in frames if "/hemc/" in f.filename] or frames
        where = f"{type(error).__name__}-{Path(own[-1].filename).stem}-{own[-1].name}"
        found = finds / where
        if not found.exists():
            found.write_bytes(data)
            text = "".join(traceback.format_exception(error))
            (place / f"{where}.traceback").write_text(text, encoding="utf-8", errors="replace")

    def change(data: bytes, max_size: int, seed: int) -> bytes:
        random = Random(seed)
        if not data:
            data = random.choice(seeds(reader))
        changed = mutate(data, reader.form, random)
        return (
            changed
            if len(changed) <= max_size
            else mutate_bytes(data[:max_size], random)[:max_size]
        )

    def too_long(_: int, __: object) -> None:
        raise HangError

    signal.signal(signal.SIGPROF, too_long)
    options = [
        sys.argv[0], str(corpus), f"-timeout={_LAST_SECONDS}",
        f"-rss_limit_mb={_memory_now_mb() + MEMORY_MB}", f"-max_len={_MOST_BYTES}",
        f"-artifact_prefix={finds}/", "-print_final_stats=0", "-verbosity=0", "-len_control=0",
        f"-report_slow_units={_LAST_SECONDS}",
    ]  # fmt: skip
    atheris.Setup(options, read, custom_mutator=change)
    atheris.Fuzz()


class _Progress:
    """Executions and processor seconds so far, written every second: libFuzzer ends as it likes."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._executions = 0
        self._start = self._written = time.process_time()

    @property
    def seconds(self) -> float:
        """Seconds of the processor since the start."""
        return time.process_time() - self._start

    def count(self) -> None:
        """Count one execution more."""
        self._executions += 1
        if time.process_time() - self._written > 1.0 or self._executions == 1:
            self.write()

    def write(self) -> None:
        """Write what is done."""
        self._written = time.process_time()
        done = {"executions": self._executions, "seconds": self.seconds}
        self._file.write_text(json.dumps(done), encoding="ascii")


def _memory_now_mb() -> int:
    """Return what this process holds at its start, MB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 1_000_000


if __name__ == "__main__":
    main()
