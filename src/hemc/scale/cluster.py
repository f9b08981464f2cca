"""Blocks of paths on the workers of a Dask cluster, handed on in path order.

A block's values do not depend on where it is worked on; blocks of a worker that dies are done again
by others. The model goes to each worker once.
"""

from __future__ import annotations

import ipaddress
import logging
import pickle
import re
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from contextlib import ExitStack, contextmanager, suppress
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlsplit

from hemc.errors import InputError
from hemc.outputs.provenance import code

try:
    import dask
    from distributed import Client, Future, KilledWorker, LocalCluster
except ImportError:
    raise InputError(
        "--cluster", "", "no dask.distributed on this machine", "pip install 'hemc[cluster]'"
    ) from None

Result = TypeVar("Result")

#: First path and number of paths.
Block = tuple[int, int]

_TASKS_A_THREAD = 2  # under way or waiting, so that a worker always has a next one
_MOST_BLOCKS_A_TASK = 8
_PATIENCE = 30.0  # seconds to wait for a task or a worker before asking what is wrong
_MOST_LOCAL_WORKERS = 1_024  # as many as threads: thousands of processes stop a machine


#: How Dask runs worker processes of this machine. By its own settings they give memory back to the
#: system after every block, and the pages to be cleared at the next cost a third of the simulation;
#: and they watch themselves fifty times a second, which costs some per cent of a core each.
LOCAL_WORKERS = {
    "distributed.nanny.pre-spawn-environ.MALLOC_TRIM_THRESHOLD_": 2**28,
    "distributed.nanny.pre-spawn-environ.MALLOC_MMAP_THRESHOLD_": 2**25,
    "distributed.worker.profile.enabled": False,
    "distributed.worker.memory.monitor-interval": "1s",
    "distributed.admin.system-monitor.interval": "10s",
    "distributed.admin.tick.interval": "1s",
}

# Ctrl-C reaches every process of a terminal; workers would answer with tracebacks, and it is for
# the run to end them.
_DEAF_TO_CTRL_C = "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n"


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
        self, work: Callable[[int, int], Result], blocks: list[Block]
    ) -> Iterator[Result]:
        """Yield the blocks' results in path order.

        Raises InputError where the cluster has lost its scheduler or its workers, and for an error
        of the system on a worker.
        """
        # Sent as a task, not scattered: what dies with the last worker that has it is made again.
        shipped = self._client.submit(pickle.loads, pickle.dumps(Shipped(work, code())), pure=False)
        waiting: deque[Future[Any]] = deque()
        n_threads = max(self.n_threads, 1)
        try:
            for group in grouped(blocks, n_threads):
                waiting.append(self._client.submit(run_shipped, shipped, group, pure=False))
                if len(waiting) >= _TASKS_A_THREAD * n_threads:
                    yield from self._result(waiting.popleft())
            while waiting:
                yield from self._result(waiting.popleft())
        finally:
            self._client.cancel([*waiting, shipped])

    def _result(self, future: Future[Any]) -> Any:
        """Wait for a task, for as long as there are workers."""
        while True:
            try:
                return future.result(timeout=_PATIENCE)
            except (CancelledError, OSError) as error:
                if future.status == "error":  # the worker's own, as Dask brings it here
                    raise _failed_on_worker(self._name, error) from None
                if not isinstance(error, TimeoutError):
                    raise InputError(
                        "--cluster", self._name, "that the scheduler is gone", "one that stays"
                    ) from None
                require_workers(self._client, self._name)
            except KilledWorker as error:
                found = f"a block of paths on which {error.allowed_failures + 1} workers died"
                raise InputError(
                    "--cluster", self._name, found, "workers with more memory or fewer threads"
                ) from None


def _failed_on_worker(address: str, error: BaseException) -> InputError:
    """Return the error of a worker to which its system refused something."""
    found = f"an error of a worker's own machine ({type(error).__name__}: {error})"
    return InputError("--cluster", address, found, "room and permissions there for hemc's files")


def grouped(blocks: list[Block], n_threads: int) -> list[list[Block]]:
    """Return consecutive blocks in groups, one a task, of which each thread gets several.

    A task takes the scheduler as long as a fifth of a block takes a worker.
    """
    size = min(max(len(blocks) // (_TASKS_A_THREAD * n_threads), 1), _MOST_BLOCKS_A_TASK)
    return [blocks[k : k + size] for k in range(0, len(blocks), size)]


def run_shipped(shipped: Shipped, blocks: list[Block]) -> list[Any]:
    """Do shipped work on blocks; raises InputError where this worker has other code."""
    require_same_code("this worker", code(), shipped.code)
    return [shipped.work(first, n) for first, n in blocks]


def require_same_code(worker: str, found: dict[str, str], ours: dict[str, str]) -> None:
    """Raise InputError where a worker would compute by other code than this process."""
    for name, expected in ours.items():
        if found.get(name) != expected:
            raise InputError(
                "--cluster", worker, f"{name} {found.get(name)}", f"{expected}, as here"
            )


@contextmanager
def _no_logs() -> Iterator[None]:
    """Keep Dask's log of what goes wrong on the way from a screen that is not made for it."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)


@contextmanager
def connected_cluster(address: str, insecure: bool) -> Iterator[Cluster]:
    """Connect to the scheduler at `address`, or start `local:N` worker processes here.

    TLS certificates are those of Dask's own configuration. Raises InputError for an address that
    is none, cannot be reached, or would run unauthenticated pickles of other machines where not
    `insecure`, and for workers with other code.
    """
    with _no_logs(), ExitStack() as stack:
        if address.startswith("local:"):
            workers = stack.enter_context(_local_workers(address))
            client = stack.enter_context(Client(workers, direct_to_workers=True))
        else:
            _require_safe(address, insecure)
            client = stack.enter_context(_connect(address))
            require_workers(client, address)
            _require_same_code_everywhere(client)
        yield Cluster(client, address)


def require_workers(client: Client, address: str) -> None:
    """Wait for a worker to be there, and raise InputError where none comes."""
    try:
        client.wait_for_workers(1, timeout=_PATIENCE)
    except TimeoutError:
        found, expected = f"no worker for {_PATIENCE:.0f} s", f"some (dask worker {address})"
        raise InputError("--cluster", address, found, expected) from None


def _require_same_code_everywhere(client: Client) -> None:
    """Refuse a cluster with a worker that would compute by other code."""
    found = client.run(code, on_error="return")
    for worker, theirs in found.items():
        if isinstance(theirs, Exception):
            raise InputError("--cluster", worker, f"no such hemc ({theirs})", "this one, installed")
        require_same_code(worker, theirs, code())


def _local_workers(address: str) -> LocalCluster:
    """Start worker processes of one thread each on this machine."""
    number = address.removeprefix("local:")
    if not re.fullmatch("[0-9]{1,4}", number) or not 1 <= int(number) <= _MOST_LOCAL_WORKERS:
        expected = f"local: and a number of processes from 1 to {_MOST_LOCAL_WORKERS:,}"
        raise InputError("--cluster", "", f"'{address}'", expected)
    with dask.config.set(LOCAL_WORKERS):
        return LocalCluster(
            n_workers=int(number), threads_per_worker=1, dashboard_address=None,
            silence_logs=logging.CRITICAL, preload=[_DEAF_TO_CTRL_C],
        )  # fmt: skip


def _connect(address: str) -> Client:
    """Connect to a scheduler."""
    try:
        return Client(address)
    except TypeError:  # what Dask raises where it has no certificates
        found, expected = "no certificates in Dask's configuration", "some (docs/how-to/cluster.md)"
    except (OSError, ValueError) as error:
        found, expected = str(error).splitlines()[0], "a Dask scheduler"
    raise InputError("--cluster", address, found, expected)


def _require_safe(address: str, insecure: bool) -> None:
    """Refuse an address at which anybody could make this process run code."""
    scheme, host = _scheme_and_host(address)
    if scheme == "tcp" and not insecure and not _is_loopback(host):
        raise InputError(
            "--cluster", address, "plain tcp to another machine: whoever reaches that network can "
            "run code here and there, since messages are pickles that nobody authenticates",
            "tls:// (docs/how-to/cluster.md), or --insecure-cluster on a network of your own",
        )  # fmt: skip


def _scheme_and_host(address: str) -> tuple[str, str]:
    """Return two parts of an address; raises InputError for one that has no host or no port."""
    with suppress(ValueError):  # of a bracket that is not closed, or a port that is none
        parts = urlsplit(address)
        if parts.scheme in ("tcp", "tls") and parts.hostname and parts.port:
            return parts.scheme, parts.hostname
    raise InputError("--cluster", "", f"'{address}'", "tls://HOST:PORT, tcp://HOST:PORT or local:N")


def _is_loopback(host: str) -> bool:
    """Tell whether a host is this machine by an address that no other one reaches."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
