"""`hemc schema` and `hemc init`: what they write can be used at once."""

import json
import tomllib
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner

from hemc.cli import main
from hemc.config import load_config
from hemc.inputs.shipped import configs_dir

SHIPPED = configs_dir() / "certificates" / "gmacm-2003-he2_2004-02-25.txt"


def invoke(*arguments):
    return CliRunner().invoke(main, [str(a) for a in arguments])


def of_series(path, series):
    """Write the shipped certificate under another series' name."""
    path.write_text(SHIPPED.read_text(encoding="utf-8").replace("2003-HE2", series), "utf-8")
    return path


FILES = {
    "run": "base.toml", "deal": "deals/*.toml", "scenario": "scenarios/*.toml",
    "stress": "stress.toml",
}  # fmt: skip


@pytest.mark.parametrize("kind", FILES)
def test_schema_accepts_the_shipped_files_and_refuses_an_unknown_key(kind):
    result = invoke("schema", kind)
    assert result.exit_code == 0
    schema = json.loads(result.output)
    files = sorted(configs_dir().glob(FILES[kind]))
    assert files
    for file in files:
        values = tomllib.loads(file.read_text(encoding="utf-8"))
        plain = json.loads(json.dumps(values, default=str))
        jsonschema.validate(plain, schema)
        with pytest.raises(jsonschema.ValidationError, match="sed"):
            jsonschema.validate(plain | {"sed": 1}, schema)


def test_init_writes_a_study_that_loads_with_all_its_comments(tmp_path):
    result = invoke("init", tmp_path / "study")
    assert result.exit_code == 0, result.output
    loaded = load_config(tmp_path / "study" / "base.toml")
    assert loaded.config == load_config(configs_dir() / "base.toml").config
    named = [path for _, path in loaded.config.inputs if path is not None]
    assert len(named) == 3
    for path in named:
        assert (tmp_path / "study" / path).is_file()
    text = (tmp_path / "study" / "base.toml").read_text(encoding="utf-8")
    assert text.partition("\n")[2] == (configs_dir() / "base.toml").read_text(encoding="utf-8")
    schema = tmp_path / "study" / text.splitlines()[0].removeprefix("#:schema ")
    assert schema.read_text(encoding="utf-8") == invoke("schema").output


def test_init_takes_the_deal_of_the_certificate(tmp_path):
    sister = of_series(tmp_path / "sister.txt", "2002-HE4")
    assert invoke("init", tmp_path / "he4", "--certificate", sister).exit_code == 0
    inputs = load_config(tmp_path / "he4" / "base.toml").config.inputs
    assert inputs.certificate == Path("certificates/sister.txt")
    assert inputs.deal.name == "gmacm-2002-he4.toml"


def test_init_refuses_a_folder_in_use_and_a_series_without_terms(tmp_path):
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "a.txt").write_text("mine")
    used = invoke("init", tmp_path / "used")
    assert used.exit_code == 2
    assert "new or empty folder" in used.output
    assert [file.name for file in (tmp_path / "used").iterdir()] == ["a.txt"]
    other = of_series(tmp_path / "other.txt", "2002-HE9")
    unknown = invoke("init", tmp_path / "new", "--certificate", other)
    assert unknown.exit_code == 2
    assert "--deal FILE" in unknown.output
    assert not (tmp_path / "new").exists()
