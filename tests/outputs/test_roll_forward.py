"""The roll-forward adds up across and down, and a month without news moves nothing but time."""

import datetime as dt

import numpy as np
import polars as pl
import pytest

from hemc.errors import InternalError
from hemc.outputs import roll_forward
from hemc.outputs.estimates import Design
from hemc.outputs.roll_forward import Chain, Months, roll_forward_table

MONTHS = Months("D", dt.date(2003, 10, 27), dt.date(2003, 11, 25), 270e6, 250e6)
PAID = 407_619.61
N = 400


def chains(moves=(3e5, -2e5, 1e6, -5e4), paid=PAID, seed=1):
    """A measure without and one with a present value; `moves` are state, rates, scenario, rate."""
    rng = np.random.default_rng(seed)
    month = rng.gamma(2.0, 1e5, N)
    opening = month + rng.lognormal(15.0, 0.8, N)
    state, rates, scenario, discount = (
        move * rng.uniform(0.5, 1.5, N) if move else 0.0 for move in moves
    )
    loss = {"opening": opening, "time": opening - month}
    loss["pool_state"] = loss["time"] + state
    loss["roll_rates"] = loss["pool_state"] + rates
    loss["scenario"] = loss["roll_rates"] + scenario
    value = {"opening": 0.9 * opening, "accretion": 0.903 * opening}
    value["time"] = value["accretion"] - month
    value["pool_state"] = value["time"] + state
    value["roll_rates"] = value["pool_state"] + rates
    value["scenario"] = value["roll_rates"] + scenario
    value["discount"] = value["scenario"] + discount
    return [Chain("pool_loss", loss, paid), Chain("draws_pv", value, paid)]


def lines(table, view, measure):
    rows = table.filter(view=view, measure=measure).to_dicts()
    return {row["step"]: row for row in rows}


@pytest.mark.parametrize("design", [Design(), Design(2), Design(4, np.linspace(0.5, 1.5, N))])
def test_lines_add_up_across_and_down(design):
    table = roll_forward_table(chains(), MONTHS, design)
    for measure in ("pool_loss", "draws_pv"):
        rows = lines(table, "steps", measure)
        closing, change = rows.pop("closing"), rows.pop("change")
        for column in ("to_come", "realised", "total"):
            assert sum(row[column] for row in rows.values()) == pytest.approx(closing[column])
            gained = closing[column] - rows["opening"][column]
            assert change[column] == pytest.approx(gained, abs=0.005)
        for row in (*rows.values(), closing, change):
            assert row["total"] == pytest.approx(row["to_come"] + row["realised"])
        reserve = lines(table, "reserve", measure)
        assert reserve.pop("closing")["to_come"] == pytest.approx(
            sum(row["to_come"] for row in reserve.values())
        )


def test_a_month_without_news_moves_time_and_payment_only():
    table = roll_forward_table(chains(moves=(0.0, 0.0, 0.0, 0.0)), MONTHS, Design())
    moved = table.filter(pl.col("step").is_in(["pool_state", "roll_rates", "scenario", "discount"]))
    assert len(moved) == 8  # of which one is the reserve's
    assert moved.select(pl.col("to_come", "standard_error").abs().max()).row(0) == (0.0, 0.0)
    rows = lines(table, "steps", "pool_loss")
    assert rows["time"]["to_come"] < -1e5
    assert rows["realised"]["total"] == PAID
    expected = -rows["time"]["to_come"]
    reserve = lines(table, "reserve", "pool_loss")
    assert reserve["timing_and_assumptions"]["to_come"] == pytest.approx(PAID - expected)
    assert reserve["paid"]["to_come"] == -PAID


def test_each_step_has_the_error_of_its_differences():
    figures = chains()[0].figures
    rows = lines(roll_forward_table(chains(), MONTHS, Design()), "steps", "pool_loss")
    moved = figures["roll_rates"] - figures["pool_state"]
    assert rows["roll_rates"]["to_come"] == pytest.approx(moved.mean())
    assert rows["roll_rates"]["standard_error"] == pytest.approx(moved.std(ddof=1) / N**0.5)
    apart = sum(figures[name].var(ddof=1) / N for name in ("roll_rates", "pool_state")) ** 0.5
    assert rows["roll_rates"]["independent_standard_error"] == pytest.approx(apart)
    assert rows["time"]["independent_standard_error"] is None
    assert rows["closing"]["pool"] == 250e6


def test_what_was_paid_may_not_be_known():
    table = roll_forward_table(chains(paid=None), MONTHS, Design())
    assert table.filter(view="reserve").is_empty()
    rows = lines(table, "steps", "pool_loss")
    assert [rows[name]["total"] for name in ("realised", "closing", "change")] == [None] * 3
    assert rows["roll_rates"]["total"] == rows["roll_rates"]["to_come"]


def test_a_cent_that_goes_missing_is_a_fault(monkeypatch):
    """The sums are checked on the lines themselves: one line that is off is seen."""
    plain = roll_forward._line

    def off(measure, step, to_come, realised):
        if step == "roll_rates":
            to_come = to_come._replace(value=to_come.value + 0.01)
        return plain(measure, step, to_come, realised)

    monkeypatch.setattr(roll_forward, "_line", off)
    with pytest.raises(InternalError, match=r"roll-forward of pool_loss, to_come: .* in parts"):
        roll_forward_table(chains(), MONTHS, Design())
