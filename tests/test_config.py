"""Configuration: base.toml is complete, faults name their place, assumptions their source."""

import tomllib

import pytest

from hemc.config import Config, load_config
from hemc.errors import InputError

TARGET = "{ measure = 'draws', statistic = 'mean', relative_error = 0.1 }"


def leaves(values, prefix=""):
    for key, value in values.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}"


def test_base_toml_names_every_key_at_its_default(base_toml):
    loaded = load_config(base_toml)
    named = set(leaves(tomllib.loads(base_toml.read_text())))
    every = set(leaves(loaded.config.model_dump()))
    assert every - named == {
        "inputs.latent_classes",
        "tape.file",
        "scenario.file",
        "scenario.index_path",
        "roll_rates.posterior",
        "simulation.target",
        "simulation.loan_seed",
    }  # commented: no default
    assert named <= every
    assert loaded.config == Config(name="base", inputs=loaded.config.inputs)


def test_every_line_of_base_toml_with_a_unit_is_commented(base_toml):
    for line in base_toml.read_text().splitlines():
        if line.startswith(("credit_sd", "index_rate", "servicing_fee", "tail_months")):
            assert "#" in line


@pytest.mark.parametrize(
    ("overrides", "place", "found"),
    [
        ({"simulation.path": "5"}, "simulation.path", "did you mean 'paths'"),
        ({"simulation.paths": "0"}, "simulation.paths", "0"),
        ({"simulation.paths": "'many'"}, "simulation.paths", "many"),
        ({"simulation.block_paths": "100"}, "simulation.block_paths", "100"),
        ({"simulation.sampling": "'stratified'"}, "simulation.sampling", "stratified"),
        ({"simulation.sampling": "'strata'"}, "simulation.paths", "10000"),
        ({"simulation.target": "{ measure = 'draws' }"}, "simulation.target.statistic", "nothing"),
        (
            {"simulation.sampling": "'two-level'", "simulation.method": "'large-pool'"},
            "simulation.sampling",
            "two-level",
        ),
        (
            {"simulation.sampling": "'two-level'", "simulation.target": TARGET},
            "simulation.target",
            "draws",
        ),
        ({"scenario.credit_sd": "nan"}, "scenario.credit_sd", "nan"),
        ({"scenario.credit_sd": "inf"}, "scenario.credit_sd", "inf"),
        ({"loss.settled_share": "1.5"}, "loss.settled_share", "1.5"),
        ({"roll_rates.classes": "3"}, "roll_rates.classes", "3"),
        ({"insurer.mode": "asleep"}, "insurer.mode", "asleep"),
        ({"name": "'../up'"}, "name", "../up"),
        ({"nothing": "1"}, "nothing", "an unknown key"),
    ],
)
def test_a_bad_value_names_its_place(base_toml, overrides, place, found):
    with pytest.raises(InputError) as caught:
        load_config(base_toml, overrides)
    assert caught.value.place == place
    assert found in caught.value.found
    assert str(base_toml) in str(caught.value)


def test_all_faults_are_reported_at_once(base_toml):
    with pytest.raises(InputError, match=r"also simulation\.seed"):
        load_config(base_toml, {"simulation.paths": "-1", "simulation.seed": "-1"})


def test_a_section_cannot_be_set_through_a_value(base_toml):
    with pytest.raises(InputError, match="which is no section"):
        load_config(base_toml, {"name.first": "1"})


@pytest.mark.parametrize("content", [b"", b"name = ", b"\xff\xfe\x00", b"[inputs]\n"])
def test_damaged_files_give_one_error(tmp_path, content):
    path = tmp_path / "c.toml"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        load_config(path)
    assert caught.value.file == str(path)


def test_assumptions_tell_where_they_were_set(base_toml, tmp_path):
    loaded = load_config(
        base_toml, {"scenario.credit_sd": "0.42", "tape.instalments_behind.reo": "8"}
    )
    where = {a.name: a.where_set for a in loaded.assumptions()}
    assert where["scenario.credit_sd"] == "command line"
    assert where["tape.instalments_behind"] == "command line"
    assert where["scenario.index_rate"] == "base.toml"
    short = tmp_path / "short.toml"
    short.write_text('name = "s"\n[inputs]\ncertificate = "a"\ndeal = "b"\nproduct = "c"\n')
    assert {a.where_set for a in load_config(short).assumptions()} == {"default"}


def test_relative_inputs_start_at_the_configuration(base_toml):
    loaded = load_config(base_toml)
    assert loaded.path(loaded.config.inputs.deal).is_file()


@pytest.mark.parametrize(
    ("sampling", "paths", "near"),
    [
        ("strata", 10_000, "9984 or 10048"),
        ("sobol", 100, "such as 128"),
        ("antithetic", 7, "6 or 8"),
    ],
)
def test_paths_that_cut_a_unit_are_refused_with_the_nearest(base_toml, sampling, paths, near):
    settings = {"simulation.sampling": f"'{sampling}'", "simulation.paths": str(paths)}
    with pytest.raises(InputError) as caught:
        load_config(base_toml, settings)
    assert (caught.value.place, caught.value.found) == ("simulation.paths", str(paths))
    assert near in caught.value.expected
