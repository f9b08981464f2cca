"""Run one command and write its wall and processor time, peak memory and exit code as JSON.

`python launch.py RESULT.json COMMAND [ARGUMENT...]`. A program of its own and of the standard
library only: Linux counts the memory of the process that starts a command as the command's.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from pathlib import Path


def launch(command: list[str]) -> dict[str, float]:
    """Run a command to its end; seconds, seconds of processors, MB of its largest process."""
    start = time.perf_counter()
    code = subprocess.run(command, check=False).returncode
    seconds = time.perf_counter() - start
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    per_mb = 1024 if sys.platform != "darwin" else 1024 * 1024
    return {
        "seconds": seconds,
        "cpu_seconds": used.ru_utime + used.ru_stime,
        "peak_mb": used.ru_maxrss / per_mb,
        "exit_code": code,
    }


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps(launch(sys.argv[2:])), encoding="utf-8")
