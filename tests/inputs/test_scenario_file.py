"""Scenario files: the shipped ones, files that name a CSV, and faults."""

import pytest
from inputs.macro_csv import HISTORY, STRESS, write_csv

from hemc.config import load_config
from hemc.errors import InputError
from hemc.inputs.scenario_file import read_macro_path, read_scenario_file

SHIPPED = (
    "base", "severely-adverse-2025", "adverse-2025", "rates-up", "rates-down", "insurer-failure",
    "replay-2006-2011",
)  # fmt: skip
FIGURES = ("unemployment_pct", "house_price_index", "mortgage_pct", "treasury_3m_pct")

JUMP = "{ quarter = '1976 Q4', unemployment_pct = 8, house_price_index = 25.2, "
JUMP += "mortgage_pct = 8.8, treasury_3m_pct = 4.7 }"


def line(quarter, unemployment=9.0, prices=24.0, more=""):
    return (
        f"{{ quarter = '{quarter}', unemployment_pct = {unemployment}, house_price_index = "
        f"{prices}, mortgage_pct = 7.8, treasury_3m_pct = 3{more} }}"
    )


def scenario(tmp_path, body):
    file = tmp_path / "s.toml"
    file.write_text(f'name = "s"\nmeaning = "m"\nsource = "judgement"\n{body}\n')
    return read_macro_path(read_scenario_file(file), file)


def written(tmp_path, *lines):
    return scenario(tmp_path, f"[figures]\njump_off = {JUMP}\nquarters = [{', '.join(lines)}]")


def shipped(root, name):
    file = root / "configs/scenarios" / f"{name}.toml"
    return read_macro_path(read_scenario_file(file), file)


def test_every_shipped_scenario_is_whole_and_can_be_loaded(root, base_toml):
    files = sorted((root / "configs/scenarios").glob("*.toml"))
    assert sorted(file.stem for file in files) == sorted(SHIPPED)
    for file in files:
        assert file.read_text().startswith("# ")
        loaded = load_config(base_toml, {"scenario.file": f"scenarios/{file.name}"})
        assert loaded.scenario_path == file
        assert loaded.scenario.source


def test_adverse_is_half_way_to_severely_adverse(root):
    severe, half = (shipped(root, f"{name}-2025") for name in ("severely-adverse", "adverse"))
    assert half.jump_off == severe.jump_off
    for a, b in zip(half.quarters, severe.quarters, strict=True):
        assert a.quarter == b.quarter
        for name in FIGURES:
            start, far = getattr(severe.jump_off, name), getattr(b, name)
            assert getattr(a, name) == pytest.approx(start + (far - start) / 2)


def test_rates_move_alone(root):
    for name in ("rates-up", "rates-down"):
        path = shipped(root, name)
        ends = path.quarters[-1]
        assert len(path.quarters) == 13
        for figure in ("unemployment_pct", "house_price_index"):
            assert {getattr(q, figure) for q in path.quarters} == {getattr(path.jump_off, figure)}
        assert (ends.mortgage_pct > path.jump_off.mortgage_pct) == (name == "rates-up")


def test_the_replay_has_six_years(root):
    path = shipped(root, "replay-2006-2011")
    names = [q.quarter for q in path.quarters]
    assert (path.jump_off.quarter, names[0], names[-1]) == ("2005 Q4", "2006 Q1", "2011 Q4")
    assert len(names) == 24


def test_a_scenario_changes_settings_below_the_command_line(base_toml):
    failure = {"scenario.file": "scenarios/insurer-failure.toml"}
    loaded = load_config(base_toml, failure)
    assert loaded.config.insurer.mode == "absent"
    assert loaded.config.insurer.discount_rate == 0.04
    where = {a.name: a.where_set for a in loaded.assumptions()}
    assert where["insurer.mode"] == "insurer-failure.toml"
    assert where["insurer.discount_rate"] == "base.toml"
    back = load_config(base_toml, failure | {"insurer.mode": "performing"})
    assert back.config.insurer.mode == "performing"


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ("[settings.insurer]\nmode = 'asleep'", "settings.insurer.mode"),
        ("[settings.insurers]\nmode = 'absent'", "settings.insurers"),
        ("[settings]\ninsurer = 3", "settings.insurer"),
        ("[settings.scenario]\nfile = 'b.toml'", "the whole file"),
        ("title = 'x'", "title"),
    ],
)
def test_a_fault_in_a_scenario_names_its_file(base_toml, tmp_path, body, place):
    file = tmp_path / "s.toml"
    file.write_text(f'name = "s"\nmeaning = "m"\nsource = "judgement"\n{body}\n')
    with pytest.raises(InputError) as caught:
        load_config(base_toml, {"scenario.file": f"'{file}'"})
    assert (caught.value.file, caught.value.place) == (str(file), place)


def test_a_scenario_that_does_not_exist(base_toml):
    with pytest.raises(InputError, match=r"none\.toml.*no such file"):
        load_config(base_toml, {"scenario.file": "none.toml"})


def test_a_csv_in_place_of_figures_equals_them(tmp_path):
    write_csv(tmp_path / "h.csv", HISTORY)
    write_csv(tmp_path / "s.csv", STRESS, "Severely Adverse")
    path = scenario(tmp_path, "[csv]\nfile = 's.csv'\nhistory = 'h.csv'")
    first, second = (line(name, u, p) for name, u, p in (("1977 Q1", 9, 24), ("1977 Q2", 10, 20)))
    assert path.jump_off == written(tmp_path, first, second).jump_off
    assert [q.quarter for q in path.quarters] == list(STRESS)
    assert path.quarters[0] == written(tmp_path, first).quarters[0]


def test_a_window_of_history_jumps_off_from_the_quarter_before(tmp_path):
    write_csv(tmp_path / "h.csv", HISTORY)
    path = scenario(tmp_path, "[csv]\nfile = 'h.csv'\nfirst = 'Q2 1976'\nlast = '1976Q2'")
    assert (path.jump_off.quarter, len(path.quarters)) == ("1976 Q1", 1)


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        ((line("1977 Q2"),), "1977 Q2 after 1976 Q4"),
        ((line("1977 Q1"), line("1977 Q3")), "1977 Q3 after 1977 Q1"),
        ((line("1977 Q1"), line("1977 Q1")), "1977 Q1 after 1977 Q1"),
        ((line("1977 Q1", prices=4.9),), "house prices of 4.9 after 25.2"),
        ((line("1977 Q1", more=", index_rate = 0.01"), line("1977 Q2")), "no index_rate"),
    ],
)
def test_gaps_and_rates_in_the_place_of_levels_are_refused(tmp_path, lines, found):
    with pytest.raises(InputError) as caught:
        written(tmp_path, *lines)
    assert caught.value.found == found


def test_a_level_where_a_rate_belongs_is_refused(tmp_path):
    with pytest.raises(InputError) as caught:
        written(tmp_path, line("1977 Q1", unemployment=275.1))
    assert caught.value.place == "figures.quarters 1.unemployment_pct"
    assert "an unemployment rate in per cent" in caught.value.expected


def test_figures_and_a_csv_are_one_too_many(tmp_path):
    body = f"[csv]\nfile = 'h.csv'\n[figures]\njump_off = {JUMP}\nquarters = [{line('1977 Q1')}]"
    with pytest.raises(InputError, match="either 'figures' or 'csv'"):
        scenario(tmp_path, body)
