"""Every file that fuzzing once found to break a reader gives one clear error, or is read."""

from pathlib import Path

import pytest
from outputs.report_sample import write_sample

from benchmarks.fuzz.readers import READERS, check
from benchmarks.fuzz.seeds import RUN_VARIABLE

FINDS = sorted(file for file in (Path(__file__).parent / "finds").glob("*/*"))


@pytest.fixture(scope="module", autouse=True)
def sample_run(tmp_path_factory):
    """A stored run for finds that replace one of its files."""
    folder = write_sample(tmp_path_factory.mktemp("fuzz") / "run")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(RUN_VARIABLE, str(folder))
        yield


@pytest.mark.parametrize("find", FINDS, ids=lambda file: f"{file.parent.name}-{file.name}")
def test_a_find_is_one_no_more(find, tmp_path):
    reader = READERS[find.parent.name]
    file = tmp_path / f"input{reader.suffix}"
    file.write_bytes(find.read_bytes())
    check(reader, file)
