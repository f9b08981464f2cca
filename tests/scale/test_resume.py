"""Runs that end early: what is finished stays, is checked, and leads to the same values."""

import errno
import json
import os
import pkgutil
import platform
import shutil
import subprocess
import sys
import time
from functools import partial
from random import Random
from types import FunctionType

import polars as pl
import pytest
from click.testing import CliRunner
from polars.testing import assert_frame_equal
from scale.run_of_a_tape import assert_same_run, command, start, write_tape

from hemc.cli import main
from hemc.errors import InputError
from hemc.outputs.provenance import code
from hemc.scale import store
from hemc.scale.journal import append_record
from hemc.scale.lock import held_folder
from hemc.scale.work_folder import WorkFolder

PATHS = ["--paths", "448", "--threads", "1", "--set", "simulation.block_paths=64"]


class Killed(BaseException):
    """Ends a run at a chosen place, as a kill would: nobody catches it."""


@pytest.fixture(scope="module")
def tape(tmp_path_factory):
    return write_tape(tmp_path_factory.mktemp("tape") / "tape.csv")


@pytest.fixture(scope="module", autouse=True)
def _quick():
    """Make pieces small, and no report: it is made of the files, which tests compare."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(store, "FIRST_PIECE_PATHS", 128)
        patched.setattr("hemc.outputs.report.document.write_report", lambda folder: None)
        yield


@pytest.fixture(scope="module")
def hemc_into(base_toml, tape):
    """Run hemc in this process on the tape, with results in a folder."""

    def hemc_into(out, *options):
        return CliRunner().invoke(main, command(base_toml, tape, out, *PATHS, *options)[3:])

    return hemc_into


@pytest.fixture
def hemc(hemc_into, tmp_path):
    return partial(hemc_into, tmp_path / "r")


@pytest.fixture(scope="module")
def whole(hemc_into, tmp_path_factory):
    """Return the results of a run that nobody interrupted."""
    out = tmp_path_factory.mktemp("whole") / "r"
    assert hemc_into(out).exit_code == 0
    return out


@pytest.fixture(scope="module")
def stopped(hemc_into, tmp_path_factory):
    """Interrupt a run after 256 of 448 paths, as Ctrl-C would; return its folder, what it said."""
    folder = tmp_path_factory.mktemp("stopped")
    with pytest.MonkeyPatch.context() as patched:
        kill_at(patched, "hemc.scale.store.np.save", 3, KeyboardInterrupt)
        return folder, hemc_into(folder / "r")


@pytest.fixture
def interrupted(stopped, tmp_path):
    """Leave what an interrupted run has left."""
    shutil.copytree(stopped[0] / ".r.unfinished", tmp_path / ".r.unfinished")


@pytest.fixture
def quick_end(monkeypatch):
    """Interrupt runs at their first block: what they begin with is enough."""

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("hemc.engine.paths.run_block", interrupt)


def kill_at(monkeypatch, place, call, end=None):
    """Make the `call`-th call of a function the run's last: it raises, or does as `end` does."""
    calls = []
    original = pkgutil.resolve_name(place)

    def counted(*arguments, **named):
        calls.append(None)
        if len(calls) == call:
            if isinstance(end, FunctionType):
                end()
            raise end or Killed
        return original(*arguments, **named)

    monkeypatch.setattr(place, counted)


@pytest.mark.parametrize(
    ("place", "call", "kept"),
    [
        ("hemc.scale.store.np.save", 1, 0),
        ("hemc.scale.pieces.flush_to_disk", 2, 0),
        ("hemc.scale.store.np.save", 3, 2),
        ("hemc.scale.pieces.flush_to_disk", 14, 2),
        ("hemc.scale.pieces.append_record", 2, 1),
        ("hemc.engine.paths.run_block", 7, 3),
        ("hemc.engine.single_run.check_flows", 1, 4),
        ("hemc.engine.single_run.vary", 1, 4),
        ("hemc.engine.single_run.measure_paths", 1, 4),
        ("hemc.outputs.results.write_next_certificate", 1, 4),
    ],
)
def test_a_run_killed_anywhere_is_resumed_to_the_same_values(
    hemc, whole, tmp_path, monkeypatch, place, call, kept
):
    with monkeypatch.context() as patched:
        kill_at(patched, place, call)
        # A kill leaves no time to tidy up; the system takes the lock.
        patched.setattr(WorkFolder, "__exit__", lambda work, *_: work._held.close())
        with pytest.raises(Killed):
            hemc()
    done = hemc("--resume")
    assert done.exit_code == 0
    begin = f"resuming after {min(128 * kept, 448)} of 448 paths" if kept else "nothing to resume"
    assert begin in done.stderr
    assert_same_run(whole, tmp_path / "r")
    assert [path.name for path in tmp_path.iterdir()] == ["r"]


def test_an_interrupted_run_says_what_is_kept(stopped):
    folder, result = stopped
    assert result.exit_code == 130
    lines = [line for line in result.stderr.splitlines() if line]
    kept = "hemc: 256 of 448 paths are kept, --resume goes on from there"
    assert lines[-2:] == [kept, "interrupted"]
    assert [path.name for path in folder.iterdir()] == [".r.unfinished"]
    pieces = folder / ".r.unfinished" / "pieces"
    assert {path.name for path in pieces.iterdir()} == {"000000", "000001"}


def test_a_piece_counts_once_it_is_in_the_journal(hemc, whole, tmp_path, monkeypatch):
    def recorded(file, record):
        append_record(file, record)
        raise KeyboardInterrupt  # as a signal that arrives while the disk is waited for

    with monkeypatch.context() as patched:
        patched.setattr("hemc.scale.pieces.append_record", recorded)
        stopped = hemc()
    assert "128 of 448 paths are kept" in stopped.stderr
    assert "resuming after 128 of 448 paths" in hemc("--resume").stderr
    assert_same_run(whole, tmp_path / "r")


@pytest.mark.parametrize("options", [["--threads", "2"], ["--set", "simulation.block_paths=192"]])
def test_threads_and_blocks_may_change(hemc, interrupted, whole, tmp_path, options):
    done = hemc("--resume", *options)
    assert "resuming after 256 of 448 paths" in done.stderr
    for name in ("paths", "months", "measures"):
        written = [
            pl.read_parquet(folder / f"{name}.parquet") for folder in (whole, tmp_path / "r")
        ]
        assert_frame_equal(*written, check_exact=True)


@pytest.mark.parametrize(
    ("options", "change"),
    [
        (["--seed", "7"], "simulation.seed was 20040225, is 7"),
        (["--paths", "512"], "simulation.paths was 448, is 512"),
        (["--set", "scenario.stress_shift=0.1"], "scenario.stress_shift was 0.0, is 0.1"),
        (["--set", "simulation.target.measure=draws", "--set", "simulation.target.statistic=mean",
          "--set", "simulation.target.relative_error=0.5"], "simulation.target.measure was None"),
    ],
)  # fmt: skip
def test_another_configuration_is_refused(hemc, interrupted, tmp_path, options, change):
    refused = hemc("--resume", *options)
    assert refused.exit_code == 2
    assert f"an interrupted run that differs: {change}" in refused.stderr
    assert "are kept" not in refused.stderr
    assert hemc("--resume").exit_code == 0  # nothing is lost by asking


def test_another_input_file_is_refused(hemc, interrupted, tape):
    before = tape.read_text()
    try:
        tape.write_text(before + "\n")
        refused = hemc("--resume")
    finally:
        tape.write_text(before)
    assert refused.exit_code == 2
    assert "differs: SHA-256 of the tape file was" in refused.stderr


@pytest.mark.parametrize("what", ["kernels", "hemc", "hemc source", "numpy"])
def test_other_code_is_refused(hemc, interrupted, monkeypatch, what):
    monkeypatch.setattr("hemc.scale.identity.code", lambda: code() | {what: "other"})
    refused = hemc("--resume")
    assert refused.exit_code == 2
    assert f"differs: {what} was {code()[what]}, is other" in refused.stderr


def test_without_resume_a_run_starts_anew_and_says_so(hemc, interrupted, whole, tmp_path):
    done = hemc()
    assert "starting anew, 256 of 448 paths of an interrupted run are dropped" in done.stderr
    assert_same_run(whole, tmp_path / "r")


def damage_file(folder):
    (folder / "pieces/000001/paths.parquet").write_bytes(b"PAR1")


def damage_bands(folder):
    with (folder / "pieces/000001/bands.bin").open("r+b") as file:
        file.seek(5_000)
        file.write(b"????")


def lose_file(folder):
    (folder / "pieces/000001/sums.npy").unlink()


def cut_journal(folder):
    journal = folder / "journal.jsonl"
    journal.write_bytes(journal.read_bytes()[:-20])


def lose_state(folder):
    journal = folder / "journal.jsonl"
    *before, last = journal.read_text().splitlines()
    last = json.dumps({"files": json.loads(last)["files"], "state": {"paths": 256}})
    journal.write_text("\n".join([*before, last, ""]))


@pytest.mark.parametrize("damage", [damage_file, damage_bands, lose_file, cut_journal, lose_state])
def test_a_damaged_piece_is_done_again(hemc, interrupted, whole, tmp_path, damage):
    damage(tmp_path / ".r.unfinished")
    done = hemc("--resume")
    assert "resuming after 128 of 448 paths" in done.stderr
    assert_same_run(whole, tmp_path / "r")


@pytest.mark.parametrize("options", [[], ["--resume"]])
@pytest.mark.parametrize(
    "lines",
    [
        ['{"a": 1}', '{"x": 1}'],
        ['{"simulation.paths": 448}', '{"x": 1}'],
        ['{"simulation.paths": 448}', '{"files": {}, "state": {"paths": 64}}'],
        ["[" * 100_000],
    ],
)
def test_a_journal_of_something_else_leads_to_a_new_start(
    hemc, tmp_path, quick_end, lines, options
):
    folder = tmp_path / ".r.unfinished"
    folder.mkdir()
    (folder / "journal.jsonl").write_text("\n".join([*lines, ""]))
    begun = hemc(*options)
    assert begun.exit_code == 130
    assert ("nothing to resume" in begun.stderr) == bool(options)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("first", ['{"a": 1}', '{"simulation.paths": "448"}', "[]"])
@pytest.mark.parametrize("options", [[], ["--resume"]])
def test_pieces_of_no_known_run_are_not_used(
    hemc, interrupted, tmp_path, quick_end, first, options
):
    journal = tmp_path / ".r.unfinished/journal.jsonl"
    _, *pieces = journal.read_text().splitlines()
    journal.write_text("\n".join([first, *pieces, ""]))
    begun = hemc(*options)
    assert begun.exit_code == 130
    assert ("nothing to resume" in begun.stderr) == bool(options)


def test_what_follows_the_pieces_in_a_journal_is_dropped(hemc, interrupted, tmp_path, quick_end):
    with (tmp_path / ".r.unfinished/journal.jsonl").open("a") as journal:
        journal.write('{"x": 1}\n')
    resumed = hemc("--resume")
    assert resumed.exit_code == 130
    assert "resuming after 256 of 448 paths" in resumed.stderr
    assert "256 of 448 paths are kept" in resumed.stderr
    assert "starting anew, 256 of 448 paths of an interrupted run" in hemc().stderr


def test_a_target_stops_a_resumed_run_where_it_stops_any(hemc, hemc_into, tmp_path, monkeypatch):
    monkeypatch.setattr("hemc.outputs.sample_size._FIRST_STOP", 64)
    target = "{ measure = 'pool_loss_pct', statistic = 'mean', relative_error = 0.04 }"
    options = ["--set", f"simulation.target={target}"]
    assert hemc_into(tmp_path / "whole", *options).exit_code == 0
    reached = len(pl.read_parquet(tmp_path / "whole/paths.parquet"))
    assert 128 < reached < 448
    with monkeypatch.context() as patched:
        kill_at(patched, "hemc.scale.store.np.save", 3, KeyboardInterrupt)
        hemc(*options)
    assert hemc(*options, "--resume").exit_code == 0
    assert_same_run(tmp_path / "whole", tmp_path / "r")


def test_a_full_disk_leaves_the_finished_pieces(hemc, whole, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        kill_at(patched, "hemc.scale.store.np.save", 2, full)
        stopped = hemc()
    assert stopped.exit_code == 2
    kept, error = stopped.stderr.splitlines()[-2:]
    assert "128 of 448 paths are kept" in kept
    assert ".r.unfinished: found a place that cannot be written (No space left on" in error
    assert not (tmp_path / ".r.unfinished/pieces/000001.part").exists()
    assert hemc("--resume").exit_code == 0
    assert_same_run(whole, tmp_path / "r")


def test_a_folder_that_cannot_be_made_is_one_clear_error(hemc_into, tmp_path):
    (tmp_path / "file").write_text("")
    refused = hemc_into(tmp_path / "file" / "r")
    assert refused.exit_code == 2
    assert "a place that cannot be written (Not a directory)" in refused.stderr


def test_too_little_memory_leaves_the_finished_pieces(hemc, whole, tmp_path, monkeypatch):
    with monkeypatch.context() as patched:
        kill_at(patched, "hemc.engine.paths.run_block", 4, MemoryError)
        stopped = hemc()
    assert stopped.exit_code == 2
    assert "128 of 448 paths are kept" in stopped.stderr
    assert "out of memory; fewer --threads" in stopped.stderr
    assert hemc("--resume").exit_code == 0
    assert_same_run(whole, tmp_path / "r")


def test_a_second_run_into_the_folder_is_refused(hemc, interrupted, whole, tmp_path):
    with held_folder(tmp_path / ".r.unfinished"):
        for options in ([], ["--resume"]):
            refused = hemc(*options)
            assert refused.exit_code == 2
            who = f"a run under way (process {os.getpid()} on {platform.node()} since"
            assert who in refused.stderr
    assert "resuming after 256" in hemc("--resume").stderr


def test_the_lock_of_a_dead_process_holds_nobody(tmp_path):
    code = (
        "import pathlib, sys, time\n"
        "from hemc.scale.lock import held_folder\n"
        "with held_folder(pathlib.Path(sys.argv[1])):\n"
        "    print('held', flush=True)\n"
        "    time.sleep(60)"
    )
    words = [sys.executable, "-c", code, str(tmp_path / "w")]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        with pytest.raises(InputError, match=f"process {process.pid}"), held_folder(tmp_path / "w"):
            pass
        process.kill()
    with held_folder(tmp_path / "w"):
        assert str(os.getpid()) in (tmp_path / "w/lock").read_text()


def test_an_earlier_run_comes_back_when_its_replacement_is_killed(hemc, whole, tmp_path):
    shutil.copytree(whole, tmp_path / ".r.unfinished/earlier")
    failed = hemc("--set", "simulation.target.measure=none", "--set",
                  "simulation.target.statistic=mean", "--set",
                  "simulation.target.relative_error=0.1", "--paths", "2048")  # fmt: skip
    assert failed.exit_code == 2
    assert_same_run(whole, tmp_path / "r")


@pytest.mark.slow
def test_twenty_kills_at_random_moments(base_toml, tape, tmp_path):
    """Kill a run of 8,192 paths 20 times, from its start to its last file, and resume each."""
    words = command(base_toml, tape, tmp_path / "whole", "--paths", "8192", "--threads", "2")
    begun = time.monotonic()
    with start(words) as process:
        _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    longest = time.monotonic() - begun
    moments = Random(20)
    resumed = []
    for k in range(20):
        out = tmp_path / f"r{k}"
        words = command(base_toml, tape, out, "--paths", "8192", "--threads", "2")
        with start(words) as process:
            time.sleep(moments.uniform(0.2, 1.0) * longest)
            process.kill()
        with start([*words, "--resume"]) as process:
            _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
        resumed.append("resuming after" in errors)
        assert_same_run(tmp_path / "whole", out)
    assert len(list(tmp_path.iterdir())) == 21
    assert any(resumed), "no kill came late enough to leave a piece"
