"""Importance sampling beside a plain run that was made before."""

import json
import shutil

import pytest

import hemc
from benchmarks.tails import main, read_plain


@pytest.fixture(scope="module")
def plain_run(base_toml, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tails") / "run"
    config = hemc.load_config(base_toml, {"outputs.sensitivity_paths": 0})
    hemc.write_run(hemc.run(config, paths=512), folder)
    return folder


def test_the_table_compares_with_the_run(root, plain_run, tmp_path):
    page = tmp_path / "accuracy.md"
    shutil.copy(root / "docs" / "accuracy.md", page)
    main(["--plain-run", str(plain_run), "--paths", "512", "--page", str(page)])
    written = page.read_text(encoding="utf-8").split("<!-- written by scripts/tails -->")[1]
    assert written.startswith("\n\n512 paths of importance sampling (")
    assert " and 512 plain ones (" in written
    assert written.split("<!-- end -->")[0].count("‱") == 6


def test_its_losses_are_those_of_the_run(plain_run):
    drawn = read_plain(plain_run)
    assert drawn.loss.size == 512
    assert (drawn.weight == 1.0).all()


@pytest.mark.parametrize("changed", ["sampling", "kernel_digest"])
def test_another_kind_of_run_is_refused(plain_run, tmp_path, changed):
    folder = tmp_path / "other"
    shutil.copytree(plain_run, folder)
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    place = manifest["configuration"]["simulation"] if changed == "sampling" else manifest
    place[changed] = "other"
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(SystemExit, match="'other'"):
        read_plain(folder)
