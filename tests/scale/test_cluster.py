"""Runs on a Dask cluster: the same values, dead workers survived, unsafe addresses refused."""

import errno
import os
import signal
import sys
import time

import dask
import pytest
from click.testing import CliRunner
from scale.dask_commands import DaskProcesses, make_certificates
from scale.run_of_a_tape import assert_same_run, command, start, write_tape

from hemc.cli import main
from hemc.errors import InputError
from hemc.scale.cluster import connected_cluster
from hemc.scale.journal import read_records

MANY = ["--paths", "30000", "--threads", "1"]


@pytest.fixture(scope="module")
def tape(tmp_path_factory):
    return write_tape(tmp_path_factory.mktemp("tape") / "tape.csv")


@pytest.fixture(scope="module")
def on_threads(base_toml, tape, tmp_path_factory):
    """Return the results of a run on threads."""
    out = tmp_path_factory.mktemp("threads") / "r"
    with start(command(base_toml, tape, out, *MANY)) as process:
        _, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    return out


def hemc(base_toml, *options):
    return CliRunner().invoke(main, ["run", str(base_toml), *options])


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("tcp://10.1.2.3:8786", "plain tcp to another machine"),
        ("tcp://scheduler.example:8786", "pickles that nobody authenticates"),
        ("scheduler:8786", "expected tls://HOST:PORT, tcp://HOST:PORT or local:N"),
        ("tls://scheduler", "expected tls://HOST:PORT"),
        ("inproc://10.1.2.3/1/1", "expected tls://HOST:PORT"),
        ("local:0", "local: and a number of processes"),
        ("local:many", "local: and a number of processes"),
        ("local:1025", "local: and a number of processes from 1 to 1,024"),
        ("local:99999999999", "local: and a number of processes from 1 to 1,024"),
        ("local:" + "9" * 5_000, "local: and a number of processes from 1 to 1,024"),
        ("tcp://localhost:abc", "expected tls://HOST:PORT"),
        ("tcp://[::1]:99999", "expected tls://HOST:PORT"),
        ("tls://[bad:8786", "expected tls://HOST:PORT"),
    ],
)
def test_an_address_that_is_unsafe_or_none_is_refused(base_toml, tmp_path, address, message):
    refused = hemc(base_toml, "--out", str(tmp_path / "r"), "--cluster", address)
    assert refused.exit_code == 2
    assert message in refused.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "options", [["tcp://127.0.0.1:9"], ["tcp://192.0.2.1:9", "--insecure-cluster"]]
)
def test_a_scheduler_that_is_not_there_is_one_clear_error(base_toml, tmp_path, options):
    with dask.config.set({"distributed.comm.timeouts.connect": "1s"}):
        refused = hemc(base_toml, "--out", str(tmp_path / "r"), "--cluster", *options)
    assert refused.exit_code == 2
    assert f"--cluster: {options[0]}: found" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1


def test_tls_without_certificates_says_where_they_belong(base_toml, tmp_path):
    refused = hemc(base_toml, "--out", str(tmp_path / "r"), "--cluster", "tls://192.0.2.1:8786")
    assert refused.exit_code == 2
    assert "no certificates in Dask's configuration" in refused.stderr


def test_without_dask_the_extra_is_named(base_toml, tmp_path, monkeypatch):
    monkeypatch.delitem(sys.modules, "hemc.scale.cluster", raising=False)
    monkeypatch.setitem(sys.modules, "distributed", None)
    refused = hemc(base_toml, "--out", str(tmp_path / "r"), "--cluster", "local:2")
    assert refused.exit_code == 2
    assert "pip install 'hemc[cluster]'" in refused.stderr


def test_a_worker_with_other_code_is_refused():
    from hemc.scale.cluster import require_same_code

    ours = {"hemc": "1.0", "kernels": "abc"}
    require_same_code("w", dict(ours), ours)
    with pytest.raises(InputError, match="w: found kernels xyz; expected abc, as here"):
        require_same_code("w", ours | {"kernels": "xyz"}, ours)


def test_work_made_by_other_code_is_not_done():
    from hemc.scale.cluster import Shipped, run_shipped

    with pytest.raises(InputError, match="found numpy"):
        run_shipped(Shipped(lambda *_: 1 / 0, {"numpy": "0.1"}), [(0, 64)])


@pytest.mark.parametrize(
    ("n_blocks", "n_threads", "sizes"),
    [(0, 2, []), (3, 2, [1, 1, 1]), (16, 2, [4] * 4), (99, 2, [8] * 12 + [3]), (20, 4, [2] * 10)],
)
def test_blocks_go_out_in_groups_in_their_order(n_blocks, n_threads, sizes):
    from hemc.scale.cluster import grouped

    blocks = [(64 * k, 64) for k in range(n_blocks)]
    groups = grouped(blocks, n_threads)
    assert [len(group) for group in groups] == sizes
    assert [block for group in groups for block in group] == blocks


def forbidden(first_path, n_paths):
    """Do work that the system of the worker refuses."""
    raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), "/cache")


def too_late(first_path, n_paths):
    """Do work that waits in vain, as for a disk elsewhere."""
    raise TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))


def deadly(first_path, n_paths):
    """Do work that ends its process, as the system does for memory."""
    os._exit(1)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("work", "found"),
    [
        (forbidden, "(PermissionError: [Errno 13] Permission denied: '/cache')"),
        (too_late, "(TimeoutError: [Errno 110] Connection timed out)"),
    ],
)
def test_an_error_of_a_workers_system_is_told_as_its_own(work, found):
    with connected_cluster("local:1", False) as workers, pytest.raises(InputError) as raised:
        list(workers.map_blocks(work, [(0, 64)]))
    assert str(raised.value).startswith("--cluster: local:1: found an error of a worker's own")
    assert found in str(raised.value)


@pytest.mark.slow
def test_a_block_on_which_workers_die_is_one_clear_error():
    allowed = dask.config.set({"distributed.scheduler.allowed-failures": 1})
    found = "local:1: found a block of paths on which 2 workers died"
    with (
        allowed,
        connected_cluster("local:1", False) as workers,
        pytest.raises(InputError, match=found),
    ):
        list(workers.map_blocks(deadly, [(0, 64)]))


@pytest.mark.slow
def test_a_scheduler_without_workers_is_one_clear_error(base_toml, tmp_path, monkeypatch):
    monkeypatch.setattr("hemc.scale.cluster._PATIENCE", 1.0)
    with DaskProcesses(tmp_path) as cluster:
        refused = hemc(base_toml, "--out", str(tmp_path / "r"), "--cluster", cluster.address)
    assert refused.exit_code == 2
    found = f"found no worker for 1 s; expected some (dask worker {cluster.address})"
    assert found in refused.stderr


@pytest.mark.slow
def test_a_cluster_that_loses_its_last_worker_is_one_clear_error(tmp_path, monkeypatch):
    monkeypatch.setattr("hemc.scale.cluster._PATIENCE", 1.0)
    with DaskProcesses(tmp_path) as cluster:
        only = cluster.add_worker()
        with connected_cluster(cluster.address, False) as workers:
            only.kill()
            with pytest.raises(InputError, match="found no worker for 1 s"):
                list(workers.map_blocks(forbidden, [(0, 64)]))


def run_on(base_toml, tape, out, address, *options):
    """Start a run on a cluster, and return it once its first piece is finished."""
    words = command(base_toml, tape, out, *MANY, "--cluster", address, *options)
    process = start(words)
    journal = out.with_name(f".{out.name}.unfinished") / "journal.jsonl"
    while process.poll() is None and len(read_records(journal)) < 2:
        time.sleep(0.05)
    return process


@pytest.mark.slow
def test_local_processes_change_no_bit(base_toml, tape, on_threads, tmp_path):
    with run_on(base_toml, tape, tmp_path / "r", "local:2") as process:
        _, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    assert_same_run(on_threads, tmp_path / "r")


@pytest.mark.slow
def test_a_killed_worker_is_survived(base_toml, tape, on_threads, tmp_path):
    with DaskProcesses(tmp_path) as cluster:
        first, _ = cluster.add_worker(), cluster.add_worker()
        with run_on(base_toml, tape, tmp_path / "r", cluster.address) as process:
            assert process.poll() is None, "over before its worker could be killed"
            first.kill()
            _, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    assert_same_run(on_threads, tmp_path / "r")


@pytest.mark.slow
def test_tls_with_certificates_of_ones_own(base_toml, tape, on_threads, tmp_path, monkeypatch):
    options = make_certificates(tmp_path)
    names = ("CA_FILE", "CLIENT__CERT", "CLIENT__KEY")
    for name, file in zip(names, options[1::2], strict=True):
        monkeypatch.setenv(f"DASK_DISTRIBUTED__COMM__TLS__{name}", str(file))
    with DaskProcesses(tmp_path, "tls", options) as cluster:
        assert cluster.address.startswith("tls://")
        cluster.add_worker()
        with run_on(base_toml, tape, tmp_path / "r", cluster.address) as process:
            _, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    assert_same_run(on_threads, tmp_path / "r")


@pytest.mark.slow
@pytest.mark.parametrize("address", ["local:2", "scheduler"])
def test_an_interrupted_run_frees_the_cluster_and_is_resumed(
    base_toml, tape, on_threads, tmp_path, address
):
    with DaskProcesses(tmp_path) as cluster:
        cluster.add_worker()
        place = cluster.address if address == "scheduler" else address
        with run_on(base_toml, tape, tmp_path / "r", place) as process:
            os.killpg(process.pid, signal.SIGINT)  # as Ctrl-C in a terminal does
            _, errors = process.communicate(timeout=60)
        assert process.returncode == 130, errors
        assert "Traceback" not in errors
        assert errors.splitlines()[-1] == "interrupted"
        assert is_idle(cluster.address)
    words = command(base_toml, tape, tmp_path / "r", *MANY, "--resume")
    with start(words) as process:
        _, errors = process.communicate(timeout=300)
    assert "resuming after" in errors
    assert_same_run(on_threads, tmp_path / "r")


def is_idle(address):
    """Tell whether a scheduler comes to have no task within ten seconds."""
    from distributed import Client

    with Client(address) as client:
        for _ in range(100):
            if not client.run_on_scheduler(lambda dask_scheduler: len(dask_scheduler.tasks)):
                return True
            time.sleep(0.1)
    return False


@pytest.mark.slow
def test_a_cluster_that_is_gone_is_one_clear_error(base_toml, tape, tmp_path):
    with DaskProcesses(tmp_path) as cluster:
        cluster.add_worker()
        process = run_on(base_toml, tape, tmp_path / "r", cluster.address)
    with process:
        _, errors = process.communicate(timeout=120)
    assert process.returncode == 2
    assert "Traceback" not in errors
    assert "found that the scheduler is gone" in errors
    assert "paths are kept, --resume goes on from there" in errors
