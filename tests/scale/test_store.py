"""Tables on disk: the same values in any chunks, nothing left behind, memory that does not grow."""

import gc
import resource
import subprocess
import sys
from contextlib import contextmanager

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from hemc import engine
from hemc.config import load_config
from hemc.errors import InputError
from hemc.outputs.results import write_run
from hemc.scale import store as store_module
from hemc.scale.pieces import temporary_pieces
from hemc.scale.store import PathTable, RunStore
from hemc.scale.threads import Threads

#: polars names the reason for some of its files only.
_FULL = r"written \((File too large|the disk is full or fails)\)"

SMALL_POOL = {"simulation.tail_months": "0", "outputs.sensitivity_paths": "0"}


@pytest.fixture
def small_pieces(monkeypatch):
    monkeypatch.setattr(store_module, "FIRST_PIECE_PATHS", 64)


@pytest.fixture(scope="module")
def tape(tmp_path_factory):
    """Return a tape of 50 loans of two years that makes up the pool of the certificate."""
    file = tmp_path_factory.mktemp("tape") / "tape.csv"
    header = "loan,state,balance,gross_rate,amortization_months,maturity_months,instalments_behind"
    states = ["current"] * 46 + ["30", "60", "90", "120"]
    rows = [
        f"{i},{state},7800000.00,0.0825,24,{20 + i % 5},{max(0, i - 45)}"
        for i, state in enumerate(states)
    ]
    file.write_text("\n".join([header, *rows]))
    return file


@pytest.fixture
def load(base_toml, tape):
    def load(**settings):
        dotted = {key.replace("__", "."): value for key, value in settings.items()}
        return load_config(base_toml, SMALL_POOL | {"tape.file": f"'{tape}'"} | dotted)

    return load


def rows(first, n):
    values = np.random.default_rng(first).random(n)
    month = pl.Series([None if v < 0.5 else int(10 * v) for v in values], dtype=pl.Int64)
    return pl.DataFrame({"path": np.arange(first, first + n), "loss": values, "month": month})


def in_files(folder, sizes, n_in_files):
    """Return a table of blocks of given sizes, some first ones in a file each, and its rows."""
    table = PathTable("t.parquet")
    everything = rows(0, sum(sizes))
    first = 0
    for k, n in enumerate(sizes):
        table.append(everything.slice(first, n))
        first += n
        if k < n_in_files:
            place = folder / str(k)
            place.mkdir(parents=True)
            table.write_recent(place)
            table.adopt(place)
    return table, everything


@pytest.mark.parametrize("n_in_files", [0, 1, 3])
def test_a_table_gives_back_its_rows_in_order(tmp_path, n_in_files):
    table, everything = in_files(tmp_path, [1, 350, 99], n_in_files)
    table.write(tmp_path / "all.parquet")
    assert_frame_equal(table.scan().collect(), everything, check_exact=True)
    assert_frame_equal(pl.read_parquet(tmp_path / "all.parquet"), everything, check_exact=True)
    assert table.scan().select("loss").collect()["loss"].equals(everything["loss"])


def test_pieces_change_no_byte_of_a_file(tmp_path, monkeypatch):
    monkeypatch.setattr(store_module, "_ROW_GROUP_PATHS", 100)
    files = []
    for k, sizes in enumerate([[64] * 10, [640], [320, 256, 64]]):
        table, _ = in_files(tmp_path / str(k), sizes, 2)
        table.write(tmp_path / f"{k}.parquet")
        files.append((tmp_path / f"{k}.parquet").read_bytes())
    assert files[0] == files[1] == files[2]


def test_pieces_grow_with_what_is_there():
    sizes = []
    while sum(sizes) < 10**6:
        sizes.append(store_module.piece_paths(sum(sizes)))
    assert sizes[:17] == [1_024] * 17
    assert sizes[-1] == max(sizes) == 16_384
    assert len(sizes) < 120


def test_a_run_is_the_same_in_any_pieces_and_rounds(load, small_pieces):
    whole = engine.run(load(simulation__paths="448", simulation__block_paths="512"), silent)
    cut = engine.run(load(simulation__paths="448", simulation__block_paths="128"), silent)
    for name in ("paths", "next_month", "months", "measures"):
        assert_frame_equal(getattr(whole, name), getattr(cut, name), check_exact=True)
    assert whole.store.largest_gap == cut.store.largest_gap > 0.0

    loaded = load()
    documents = engine.read_documents(loaded)
    model = engine.build_model(loaded.config, documents, engine.calibrate(loaded, documents))
    rounds = RunStore()
    for n_paths in (128, 192, 448):
        engine.simulate(loaded.config, model, rounds, n_paths, silent, Threads(), 448)
        assert len(rounds) == n_paths
    assert_frame_equal(rounds.paths.scan().collect(), whole.paths, check_exact=True)
    assert_frame_equal(rounds.months.frame(), whole.months, check_exact=True)


def test_files_of_a_run_hold_what_the_run_holds(load, tmp_path, small_pieces):
    result = engine.run(load(simulation__paths="256"), silent)
    write_run(result, tmp_path / "results" / "r", silent)
    for name in ("paths", "next_month"):
        written = pl.read_parquet(tmp_path / "results" / "r" / f"{name}.parquet")
        assert_frame_equal(written, getattr(result, name), check_exact=True)


def test_bands_come_from_the_first_paths(load):
    first = engine.run(load(simulation__paths="128"), silent).months
    settings = {"simulation__paths": "320", "outputs__band_paths": "128"}
    more = engine.run(load(**settings), silent).months
    bands = pl.col("statistic").is_in(["p5", "p25", "p50", "p75", "p95"])
    assert_frame_equal(first.filter(bands), more.filter(bands), check_exact=True)
    assert not first.filter(~bands).equals(more.filter(~bands))


def test_temporary_pieces_leave_nothing_behind(tmp_path):
    store = RunStore(temporary_pieces(tmp_path))
    assert list(tmp_path.iterdir()) == [store.scratch]
    del store
    gc.collect()
    assert list(tmp_path.iterdir()) == []


@contextmanager
def room(n_bytes):
    """Refuse to let any file grow beyond `n_bytes`, as a full disk would."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@pytest.mark.parametrize("band_paths", [0, 256])  # tables alone, and with bands, which come first
def test_a_full_disk_is_one_clear_error(load, tmp_path, small_pieces, band_paths):
    loaded = load()
    documents = engine.read_documents(loaded)
    model = engine.build_model(loaded.config, documents, engine.calibrate(loaded, documents))
    store = RunStore(temporary_pieces(tmp_path))
    with pytest.raises(InputError, match="a place that cannot be written") as raised, room(10_000):
        engine.simulate(loaded.config, model, store, 256, silent, Threads(2), band_paths)
    assert raised.value.file == str(store.scratch)


def test_a_full_disk_leaves_no_half_written_run(load, tmp_path):
    result = engine.run(load(simulation__paths="256"), silent)
    with pytest.raises(InputError, match=_FULL) as raised, room(10_000):
        write_run(result, tmp_path / "r", silent)
    assert raised.value.file == str(tmp_path / "r")
    assert list(tmp_path.iterdir()) == []


def silent(_):
    pass


_GROWTH = """
import resource, sys
from pathlib import Path
import polars as pl
from hemc import engine
from hemc.config import load_config
from hemc.outputs.results import write_run
from hemc.scale.block import run_block
from hemc.scale.work_folder import WorkFolder

class Again:  # copies of one block: its paths are as good as any for memory
    n_threads = 1
    def map_blocks(self, work, blocks):
        block = run_block(*work.args, 0, 1024)
        for _ in blocks:
            copies = (table.with_columns(pl.all().reverse()) for table in block[:2])
            yield block._replace(**dict(zip(block._fields, copies)))

settings = {"tape.file": f"'{sys.argv[1]}'", "simulation.tail_months": "0",
            "simulation.block_paths": "1024", "simulation.oracle_paths": "0",
            "outputs.sensitivity_paths": "0"}
loaded = load_config(Path(sys.argv[2]), settings | {"simulation.paths": sys.argv[4]})
with WorkFolder(Path(sys.argv[3]) / "run", False, print) as work:
    result = engine.run(loaded, lambda n: None, work=work, workers=Again())
    write_run(result, Path(sys.argv[3]) / "run", lambda folder: None, scratch=work.path)
assert result.n_paths == int(sys.argv[4])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def test_memory_does_not_grow_with_the_paths(base_toml, tape, tmp_path):
    def peak(n_paths):
        words = [sys.executable, "-c", _GROWTH, tape, base_toml, tmp_path, n_paths]
        done = subprocess.run(list(map(str, words)), capture_output=True, text=True, check=True)
        return float(done.stdout)

    few, many = 2**15, 2**18
    rows_mb = (many - few) * (39 + 74) * 8 / 2**20
    # Kept in memory the rows take more than this; read and written in chunks, less than half.
    assert peak(many) - peak(few) < 0.75 * rows_mb
