"""A real scheduler and workers, started by Dask's own commands; certificates made by openssl."""

import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

DASK = Path(sys.executable).with_name("dask")


class DaskProcesses:
    """A scheduler on the loopback address and workers, ended with the context."""

    def __init__(self, folder, scheme="tcp", options=()):
        self._folder, self._options = folder, [str(option) for option in options]
        self._stack = ExitStack()
        self._start("scheduler", "--host", f"{scheme}://127.0.0.1:0", "--no-dashboard",
                    "--scheduler-file", folder / "scheduler.json")  # fmt: skip
        self.address = self._address()
        self.workers = []

    def add_worker(self):
        """Start a worker of one thread, which nobody starts again when it dies."""
        worker = self._start("worker", self.address, "--no-nanny", "--nthreads", "1",
                             "--no-dashboard", "--local-directory", self._folder)  # fmt: skip
        self.workers.append(worker)
        return worker

    def _start(self, role, *words):
        log = self._stack.enter_context((self._folder / "dask.log").open("a"))
        process = subprocess.Popen(
            [str(word) for word in (DASK, role, *words)] + self._options,
            stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
        self._stack.callback(process.wait)
        self._stack.callback(process.kill)
        return process

    def _address(self):
        """Return the scheduler's address, which it writes into a file."""
        import json

        file = self._folder / "scheduler.json"
        for _ in range(600):
            if file.exists() and file.read_text().endswith("}"):
                return json.loads(file.read_text())["address"]
            time.sleep(0.1)
        raise TimeoutError((self._folder / "dask.log").read_text())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._stack.close()


def make_certificates(folder):
    """Make a certificate authority and a certificate it has signed; return the options of Dask."""
    authority = ["-x509", "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=test authority"]
    request = ["-keyout", "hemc.key", "-out", "hemc.csr", "-subj", "/CN=hemc"]
    sign = ["-req", "-in", "hemc.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
            "-out", "hemc.pem", "-days", "2"]  # fmt: skip
    new = ["openssl", "req", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    for words in ([*new, *authority], [*new, *request], ["openssl", "x509", *sign]):
        subprocess.run(words, cwd=folder, check=True, capture_output=True)
    return ["--tls-ca-file", folder / "ca.pem", "--tls-cert", folder / "hemc.pem",
            "--tls-key", folder / "hemc.key"]  # fmt: skip
