"""Blocks of paths on the workers of a Dask cluster, handed on in path order.

A block's values do not depend on where it is worked on; blocks of a worker that dies are done again
by others. The model goes to each worker once.
"""

from __future__ import annotations

import ipaddress
import logging
import pickle
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlsplit

from hemc.errors import InputError
from hemc.outputs.provenance import code

try:
    from distributed import Client, Future, KilledWorker, LocalCluster
except ImportError:
    raise InputError(
        "--cluster", "", "no dask.distributed on this machine", "pip install 'hemc[cluster]'"
    ) from None

Result = TypeVar("Result")

_BLOCKS_A_THREAD = 3  # under way or waiting, so that a worker always has a next one
_PATIENCE = 60.0  # seconds without any worker after which a run gives up


class Shipped(NamedTuple):
    """Work on its way to a worker, and the code that it was made by."""

    work: Callable[[int, int], Any]
    code: dict[str, str]


class Cluster:
    """The workers of a Dask cluster as Workers; `name` is what the user called it."""

    def __init__(self, client: Client, name: str) -> None:
        self._client, self._name = client, name

    @property
    def n_threads(self) -> int:
        """Number of blocks worked on at a time, now."""
        return sum(self._client.nthreads().values())

    def map_blocks(
        self, work: Callable[[int, int], Result], blocks: list[tuple[int, int]]
    ) -> Iterator[Result]:
        """Yield the blocks' results in path order.

        Raises InputError where the cluster has lost its scheduler or its workers.
        """
        # Sent as a task, not scattered: what dies with the last worker that has it is made again.
        shipped = self._client.submit(pickle.loads, pickle.dumps(Shipped(work, code())), pure=False)
        waiting: deque[Future[Any]] = deque()
        most = _BLOCKS_A_THREAD * self.n_threads
        try:
            for first, n in blocks:
                waiting.append(self._client.submit(run_shipped, shipped, first, n, pure=False))
                if len(waiting) >= most:
                    yield self._result(waiting.popleft())
            while waiting:
                yield self._result(waiting.popleft())
        finally:
            self._client.cancel([*waiting, shipped])

    def _result(self, future: Future[Any]) -> Any:
        """Wait for a block, for as long as there are workers."""
        while True:
            try:
                return future.result(timeout=_PATIENCE)
            except TimeoutError:
                if not self._client.nthreads():
                    raise self._lost(f"no worker for {_PATIENCE:.0f} s") from None
            except CancelledError:
                raise self._lost("a scheduler that is gone") from None
            except KilledWorker as error:
                found = f"a block of paths on which {error.allowed_failures + 1} workers died"
                raise self._lost(found) from None

    def _lost(self, found: str) -> InputError:
        """Return the error of a cluster that cannot go on."""
        expected = "workers with enough memory; --resume goes on with what is finished"
        return InputError("--cluster", self._name, found, expected)


def run_shipped(shipped: Shipped, first_path: int, n_paths: int) -> Any:
    """Do shipped work on a block; raises InputError where this worker has other code."""
    require_same_code("this worker", code(), shipped.code)
    return shipped.work(first_path, n_paths)


def require_same_code(worker: str, found: dict[str, str], ours: dict[str, str]) -> None:
    """Raise InputError where a worker would compute by other code than this process."""
    for name, expected in ours.items():
        if found.get(name) != expected:
            raise InputError(
                "--cluster", worker, f"{name} {found.get(name)}", f"{expected}, as here"
            )


@contextmanager
def connected_cluster(address: str, insecure: bool) -> Iterator[Cluster]:
    """Connect to the scheduler at `address`, or start `local:N` worker processes here.

    TLS certificates are those of Dask's own configuration. Raises InputError for an address that
    is none, cannot be reached, or would run unauthenticated pickles of other machines where not
    `insecure`, and for workers with other code.
    """
    if address.startswith("local:"):
        with _local_workers(address) as workers, Client(workers, direct_to_workers=True) as client:
            yield Cluster(client, address)
        return
    _require_safe(address, insecure)
    with _connect(address) as client:
        for worker, found in client.run(code).items():
            require_same_code(worker, found, code())
        yield Cluster(client, address)


def _local_workers(address: str) -> LocalCluster:
    """Start worker processes of one thread each on this machine."""
    number = address.removeprefix("local:")
    if not number.isdecimal() or not int(number):
        raise InputError("--cluster", "", f"'{address}'", "local: and a number of processes")
    return LocalCluster(
        n_workers=int(number), threads_per_worker=1, dashboard_address=None,
        silence_logs=logging.CRITICAL,
    )  # fmt: skip


def _connect(address: str) -> Client:
    """Connect to a scheduler."""
    try:
        return Client(address)
    except (OSError, TypeError, ValueError) as error:
        reason = str(error).splitlines()[0]
        expected = "a Dask scheduler, with TLS files in Dask's configuration for tls://"
        raise InputError("--cluster", address, reason, expected) from None


def _require_safe(address: str, insecure: bool) -> None:
    """Refuse an address at which anybody could make this process run code."""
    parts = urlsplit(address)
    if parts.scheme not in ("tcp", "tls") or not parts.hostname or not parts.port:
        expected = "tls://HOST:PORT, tcp://HOST:PORT or local:N"
        raise InputError("--cluster", "", f"'{address}'", expected)
    if parts.scheme == "tcp" and not insecure and not _is_loopback(parts.hostname):
        raise InputError(
            "--cluster", address, "plain tcp to another machine: whoever reaches that network can "
            "run code here and there, since messages are pickles that nobody authenticates",
            "tls:// (docs/how-to/cluster.md), or --insecure-cluster on a network of your own",
        )  # fmt: skip


def _is_loopback(host: str) -> bool:
    """Tell whether a host is this machine by an address that no other one reaches."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
