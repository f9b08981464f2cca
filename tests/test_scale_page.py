"""The table of what pieces and processes cost."""

from benchmarks.scale import Cost, costs_text


def test_each_way_is_compared_with_the_one_above_in_the_same_turn():
    costs = {
        "threads": [Cost(100.0, 190.0), Cost(200.0, 390.0), Cost(300.0, 590.0)],
        "processes": [Cost(110.0, 200.0), Cost(240.0, 400.0), Cost(300.0, 600.0)],
    }
    text = costs_text(costs, 1_000)
    assert text.startswith("1,000 paths of base, medians of 3 turns (")
    assert "| threads | 200.0 | 390.0 |  |" in text
    assert "| processes | 240.0 | 400.0 | +10.0% |" in text
