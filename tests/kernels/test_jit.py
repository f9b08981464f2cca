"""The cache of compiled kernels: renewed when any kernel source changes, private, bounded."""

import os
import shutil
import subprocess
import sys

import pytest

from hemc.kernels import jit

ONE_PATH = """
from pathlib import Path
from hemc import engine
from hemc.config import load_config
from hemc.model.simulation import simulate_block
from hemc.kernels.jit import is_cold
cold = is_cold()
loaded = load_config(Path(r"{base}"))
documents = engine.read_documents(loaded)
model = engine.build_model(loaded.config, documents, engine.calibrate(loaded, documents))
print(cold, simulate_block(model.pool, model.factors.draw(0, 1), 0).cash.loss.sum())
"""


@pytest.mark.slow
def test_kernels_are_renewed_when_a_helper_in_another_file_changes(root, base_toml, tmp_path):
    """`simulate_paths` in loans.py calls down to `lumpy_charge_off` in transitions.py."""
    shutil.copytree(root / "src/hemc", tmp_path / "hemc")
    environment = os.environ | {"PYTHONPATH": str(tmp_path), "HEMC_CACHE_DIR": str(tmp_path / "c")}

    def loss():
        command = [sys.executable, "-c", ONE_PATH.format(base=base_toml)]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
        cold, amount = done.stdout.split()
        return cold == "True", float(amount)

    first, second = loss(), loss()
    assert first[1] > 0
    assert (first[0], second) == (True, (False, first[1]))
    helper = tmp_path / "hemc/kernels/transitions.py"
    text = helper.read_text()
    assert "return 1.0 - exponential(-hazard * gamma)" in text
    helper.write_text(text.replace("return 1.0 - exponential(-hazard * gamma)", "return 0.0"))
    assert loss() == (True, 0.0)


def test_the_cache_is_private_and_named_by_its_sources():
    assert jit.CACHE_DIR.name == jit.KERNEL_DIGEST
    assert jit.CACHE_DIR.parent.stat().st_mode & 0o077 == 0


def test_old_digests_are_dropped(tmp_path, monkeypatch):
    monkeypatch.setattr(jit, "CACHE_DIR", tmp_path / "kernels" / "new")
    for i in range(9):
        old = tmp_path / "kernels" / f"old{i}"
        old.mkdir(parents=True)
        os.utime(old, (i, i))
    jit._prepare_cache()
    left = {path.name for path in (tmp_path / "kernels").iterdir()}
    assert left == {"new", "old6", "old7", "old8"}
