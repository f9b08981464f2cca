"""Any panel: the counts are those of a plain loop over each loan's history."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inputs.panel_files import freddie_line, naive_counts, write_lines

from benchmarks.made_panel import known_rates, make_parts, write_panel
from hemc.inputs.panel import read_panel
from hemc.inputs.product import read_product
from hemc.states import NAMES, PAID_OFF

PRODUCT = "configs/products/closed-end-second-2003.toml"
LIVE_OR_ENDED = st.integers(0, 11)


@st.composite
def histories(draw):
    """Draw histories of loans that end at most once; months may be missing anywhere."""
    drawn = {}
    for loan in range(draw(st.integers(1, 6))):
        months = draw(st.lists(st.integers(0, 12), min_size=1, max_size=12, unique=True))
        states = [draw(LIVE_OR_ENDED) for _ in months]
        history = {}
        for month, state in zip(sorted(months), states, strict=True):
            history[month] = state
            if state >= PAID_OFF:
                break
        drawn[f"loan {loan}"] = history
    return drawn


def rows_of(drawn):
    """Return the rows of histories from November 2014, so that the year changes."""
    return [
        (loan, f"{2014 + (10 + month) // 12}-{(10 + month) % 12 + 1:02d}", NAMES[state])
        for loan, history in drawn.items()
        for month, state in history.items()
    ]


@settings(max_examples=150, derandomize=True, deadline=None)
@given(drawn=histories(), order=st.randoms(use_true_random=False))
def test_counts_are_those_of_a_plain_loop(tmp_path_factory, drawn, order):
    rows = rows_of(drawn)
    order.shuffle(rows)
    expected = {months: naive_counts(drawn, months) for months in (1, 3, 6)}
    if not expected[1]:
        return
    file = tmp_path_factory.mktemp("panel") / "panel"
    pl.DataFrame(rows, schema=["loan", "month", "status"], orient="row").write_parquet(file)
    panel = read_panel([file])
    assert panel.n_loans == len(drawn)
    for months, counts in expected.items():
        table = panel.moves.possible(months)
        assert {(s, to): table[s, to] for s, to in zip(*table.nonzero(), strict=True)} == counts


@pytest.mark.parametrize("layout", ["plain", "freddie"])
def test_counts_of_a_made_panel_are_recovered_exactly(tmp_path, root, layout):
    rates = known_rates(read_product(root / PRODUCT))
    np.testing.assert_allclose(rates.sum(axis=1), 1.0)
    truth = write_panel(make_parts(rates, 20_000, seed=3), tmp_path, layout)
    panel = read_panel([tmp_path / "*"])
    assert (panel.moves.counts[1] == truth).all()
    assert panel.n_rows == 20_000
    assert panel.exclusions.is_empty()
    assert panel.n_loans > 400, "loans that end are replaced"


def test_a_made_panel_with_a_fault_is_not_recovered(tmp_path, root):
    rates = known_rates(read_product(root / PRODUCT))
    truth = write_panel(make_parts(rates, 5_000, seed=3), tmp_path, "freddie")
    write_lines(tmp_path / "more.txt", [freddie_line("F14Q00000000", "201804", "1")])
    panel = read_panel([tmp_path / "*"])
    assert not (panel.moves.counts[1] == truth).all() or not panel.exclusions.is_empty()
