"""Readers given mutated files, drawn by hypothesis: success or one clear error, nothing else."""

from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from outputs.report_sample import write_sample

from benchmarks.fuzz.mutations import WORDS, mutate
from benchmarks.fuzz.readers import READERS, check
from benchmarks.fuzz.seeds import RUN_VARIABLE, seeds

#: Slow ones have fewer examples; scripts/fuzz gives each of them minutes.
EXAMPLES = {"run": 12, "certificate": 60, "panel": 60}


@pytest.fixture(scope="module", autouse=True)
def sample_run(tmp_path_factory):
    """A stored run, one file of which is replaced."""
    folder = write_sample(tmp_path_factory.mktemp("fuzz") / "run")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(RUN_VARIABLE, str(folder))
        yield


@pytest.mark.parametrize("name", READERS)
def test_seeds_are_good(name, tmp_path):
    reader = READERS[name]
    files = seeds(reader)[:3]  # of a stored run all are alike
    assert files
    for content in files:
        file = tmp_path / f"input{reader.suffix}"
        file.write_bytes(content)
        assert check(reader, file) is None or name in ("stress", "config")


@pytest.mark.parametrize("name", READERS)
def test_a_mutated_file_is_read_or_refused_in_one_line(name, tmp_path_factory):
    reader, files = READERS[name], seeds(READERS[name])
    file = tmp_path_factory.mktemp(name) / f"input{reader.suffix}"

    @settings(
        max_examples=EXAMPLES.get(name, 120), deadline=None, derandomize=True,
        suppress_health_check=[HealthCheck.too_slow],
    )  # fmt: skip
    @given(st.integers(0, 2**32), st.integers(1, 3))
    def read(seed, times):
        random = Random(seed)
        content = random.choice(files)
        for _ in range(times):
            content = mutate(content, reader.form, random)
        file.write_bytes(content)
        check(reader, file)

    read()


@pytest.mark.parametrize("name", [name for name in READERS if name != "run"])
@settings(max_examples=25, deadline=None, derandomize=True)
@given(content=st.binary(max_size=400) | st.text(max_size=400).map(lambda t: t.encode()))
def test_any_bytes_are_read_or_refused_in_one_line(name, content, tmp_path_factory):
    reader = READERS[name]
    file = tmp_path_factory.mktemp(name) / f"input{reader.suffix}"
    file.write_bytes(content)
    check(reader, file)


def test_hostile_words_are_among_the_mutations():
    assert {"=1+1", "</script>", "\x1b[31m", "[bold]x[/bold]", "../../../etc/passwd"} <= set(WORDS)
