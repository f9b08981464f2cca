"""The parts of scripts/bench on tiny sizes: they run, and the twin is the kernels' model."""

import json
import math
from typing import ClassVar

import numpy as np
import pytest
from click.testing import CliRunner

from benchmarks import bars, bench, command_speed, kernel_speed, numpy_twin, page, workloads
from benchmarks.plan import QUICK, TINY
from benchmarks.timing import best_of, exponent, line_through
from hemc.kernels import loans, rng
from hemc.model.simulation import simulate_block

N_PATHS = 256


def heavy(classes):
    """A small pool of which much is delinquent, late and resolved within five years."""
    overrides = (
        ("roll_rates.classes", str(classes)),
        ("scenario.stress_shift", "0.3"),
        ("loss.settled_share", "0.5"),
        ("tape.terms", "[{original_term=30, amortization_term=60, share=0.5},"
                       " {original_term=40, amortization_term=40, share=0.5}]"),
        ("simulation.tail_months", "24"),
    )  # fmt: skip
    return workloads.prepare(overrides, n_loans=600).model


class KernelDraws:
    """The kernel's own uniforms in the order in which the twin asks while it drops no loan."""

    def __init__(self, model, n_paths):
        self.seed, self.loans, self.n_paths = np.uint64(model.seed), model.pool.loan, n_paths
        self.month = 0

    def random(self, size):
        assert size == self.n_paths * self.loans.size
        self.month += 1
        draw = self._class if self.month == 1 else self._move
        return np.array([draw(p, i) for p in range(self.n_paths) for i in self.loans])

    def integers(self, high, size):
        return np.zeros(size, dtype=np.int64)

    def _class(self, path, loan):
        return rng.draw_loan(self.seed, rng.CLASS, path, loan, 0)

    def _move(self, path, loan):
        month = self.month - 1
        return rng.uniform(rng.philox4x32(loan, month >> 2, path, rng.MOVE, self.seed)[month & 3])


@pytest.mark.parametrize("classes", [1, 2])
def test_the_twin_with_the_draws_of_the_kernel_is_the_kernel(monkeypatch, classes):
    n_paths = 6
    model = heavy(classes)
    factors = model.factors.draw(0, n_paths)
    severity = np.repeat([[0.9], [0.4]], 10, axis=1)  # so that its draws do not matter
    pool = model.pool._replace(rules=model.pool.rules._replace(severity=severity))
    kernel = simulate_block(pool, factors, 0, "month-stepping")
    monkeypatch.setattr(numpy_twin, "_DROP_SHARE", 2.0)
    months = np.zeros((*factors.credit.shape, loans.N_COLUMNS))
    by_origin = np.zeros_like(kernel.loss_by_origin)
    losses = numpy_twin.Losses(pool.rules, KernelDraws(pool, n_paths), by_origin)
    numpy_twin.simulate_paths(pool, factors, losses, months)
    np.testing.assert_allclose(months, columns(kernel), rtol=1e-8, atol=1e-5)
    np.testing.assert_allclose(by_origin, kernel.loss_by_origin, rtol=1e-8)


def test_the_twin_drops_loans_and_draws_severities_as_the_kernel_does():
    model = heavy(2)
    factors = model.factors.draw(0, N_PATHS)
    months, by_origin = numpy_twin.simulate(model.pool, factors, seed=2)
    kernel = simulate_block(model.pool, factors, 0, "month-stepping")
    difference = months - columns(kernel)
    assert_zero_mean(difference.sum(axis=1), limit=4.0)
    assert_zero_mean(difference.reshape(N_PATHS, -1), limit=5.5)
    assert_zero_mean((by_origin - kernel.loss_by_origin).reshape(N_PATHS, -1), limit=4.0)
    np.testing.assert_allclose(by_origin.sum(axis=(1, 2)), months[:, :, loans.LOSS].sum(axis=1))


def columns(flows):
    """Return a block's flows in the order of the kernels' columns, [p, t, column]."""
    cash = [getattr(flows.cash, name)[:, :, None] for name in FLOWS]
    return np.concatenate([*cash, flows.state_balance, flows.state_loans], axis=2)


FLOWS = ("interest", "scheduled", "prepaid", "proceeds", "loss", "net_rate_balance")


def assert_zero_mean(differences, limit):
    """Each column of [p, figure] averages to zero within `limit` standard errors.

    Columns that differ on fewer than 30 paths are left out: their mean is not normal yet.
    """
    common = (differences != 0.0).sum(axis=0) >= 30
    assert common.any()
    seen = differences[:, common]
    z = seen.mean(axis=0) / (seen.std(axis=0, ddof=1) / N_PATHS**0.5)
    assert np.abs(z).max() < limit


def test_the_twin_conserves_the_pool_on_every_path_and_month():
    model = heavy(2)
    months, _ = numpy_twin.simulate(model.pool, model.factors.draw(0, 6), seed=3)
    out = months[:, :, loans.SCHEDULED : loans.LOSS + 1].sum(axis=2)
    balance = months[:, :, loans.BALANCE : loans.COUNT].sum(axis=2)
    opening = np.full((6, 1), model.pool.pool.balance.sum())
    np.testing.assert_allclose(
        np.diff(balance, axis=1, prepend=opening), -out, atol=1e-6 * opening[0, 0] / 1e3
    )


def test_the_twin_refuses_what_it_does_not_know():
    model = workloads.prepare((("loss.bankruptcy_paying_share", "0.1"),), n_loans=300).model
    with pytest.raises(ValueError, match="bankruptcy"):
        numpy_twin.simulate(model.pool, model.factors.draw(0, 1), seed=1)


def test_scaled_totals_keep_states_and_sizes():
    base, scaled = workloads.prepare(), workloads.prepare(n_loans=100_000)
    assert len(scaled.tape) == pytest.approx(100_000, rel=1e-3)
    share = [w.tape["state"].value_counts(normalize=True).sort("state") for w in (base, scaled)]
    assert share[0]["state"].to_list() == share[1]["state"].to_list()
    np.testing.assert_allclose(share[0]["proportion"], share[1]["proportion"], atol=2e-5)
    mean = [w.tape["balance"].mean() for w in (base, scaled)]
    assert mean[0] == pytest.approx(mean[1], rel=1e-3)
    assert base.model.n_months == scaled.model.n_months


def test_a_shorter_horizon_has_the_same_beginning():
    model = heavy(1)
    long = workloads.simulate_flows(model, "event-driven", 0, 4)
    short = workloads.simulate_flows(workloads.shorten(model, 12), "event-driven", 0, 4)
    np.testing.assert_array_equal(short.cash.loss, long.cash.loss[:, :12])


def test_threads_and_blocks_of_the_timed_simulation_change_no_loss():
    model = heavy(1)
    one = workloads.simulate(model, "event-driven", 130)
    np.testing.assert_array_equal(one, workloads.simulate(model, "event-driven", 130, threads=2))


def test_every_piece_takes_turns_and_the_first_round_does_not_count():
    calls = []
    best = best_of(3, {"a": lambda: calls.append("a"), "b": lambda: calls.append("b")})
    assert calls == ["a", "b"] * 4
    assert set(best) == {"a", "b", "calibration"}
    assert 0.0 < best["a"] < best["calibration"] < math.inf


def test_lines_and_exponents_of_known_times():
    assert line_through((10, 20, 30), (25.0, 0.0, 65.0)) == (5.0, 2.0)
    assert exponent((1, 2, 4), (3.0, 6.0 * 2**0.5, 24.0)) == pytest.approx(1.5)


class TestBars:
    """Bars on made-up measurements, met and missed."""

    RESULTS: ClassVar = {
        "threads": [
            {"classes": 1, "threads": 1, "ms_per_path": 0.60},
            {"classes": 1, "threads": 2, "ms_per_path": 0.30},
            {"classes": 2, "threads": 1, "ms_per_path": 1.00},
            {"classes": 2, "threads": 2, "ms_per_path": 0.50},
        ],
        "methods": [
            {"cpr": cpr, "method": method, "ms_per_path": ms}
            for cpr, times in {"base": (1.0, 3.0, 50.0), "8 %": (1.0, 5.0, 99.0)}.items()
            for method, ms in zip(
                ("event-driven", "month-stepping", "NumPy twin"), times, strict=True
            )
        ],
        "commands": [{"paths": 10_000, "seconds": 11.0}, {"paths": 1_000, "seconds": 3.0}],
        "loans": {"ns_per_loan_low": 10.0, "ns_per_loan_high": 11.0},
        "paths": {"exponent": 1.01},
        "start_up": {"cold": {"kernels": 12.0}, "warm": {"kernels": 0.5}},
        "notes": [
            {"part": "factors", "ms_per_path": 0.02},
            {"part": "factors and pool", "ms_per_path": 1.00},
            {"part": "notes, wrapped", "ms_per_path": 0.14},
            {"part": "notes, unwrapped", "ms_per_path": 0.13},
        ],
        "long": {"paths": 1_000_000, "peak_mb": 2_500.0},
    }

    def test_all_are_met(self):
        judged = bars.judge(self.RESULTS)
        assert len(judged) == 15
        assert all(bar.is_met for bar in judged)
        assert bench.bar_lines(judged).count("met   ") == 15

    @pytest.mark.parametrize(
        ("section", "worse", "missed"),
        [
            ("commands", [{"paths": 10_000, "seconds": 12.1}], 1),
            ("commands", [{"paths": 1_000, "seconds": 4.1}], 1),
            ("loans", {"ns_per_loan_low": 10.0, "ns_per_loan_high": 12.1}, 1),
            ("loans", {"ns_per_loan_low": 10.0, "ns_per_loan_high": 7.9}, 1),
            ("paths", {"exponent": 0.94}, 1),
            ("paths", {"exponent": 1.06}, 1),
            ("start_up", {"cold": {"kernels": 15.1}, "warm": {"kernels": 1.1}}, 2),
            ("long", {"paths": 1_000_000, "peak_mb": 3_001.0}, 1),
            ("paths", {"exponent": math.nan}, 1),
        ],
    )
    def test_one_is_missed(self, section, worse, missed):
        judged = bars.judge(self.RESULTS | {section: worse})
        assert sum(not bar.is_met for bar in judged) == missed

    def test_slower_simulation_misses_bars_of_threads_and_methods(self):
        slow = {"classes": 1, "threads": 2, "ms_per_path": 0.46}
        rows = [row for row in self.RESULTS["threads"] if row["classes"] == 2]
        fast = {"classes": 1, "threads": 1, "ms_per_path": 0.60}
        judged = bars.judge({"threads": [*rows, slow, fast]})
        assert [bar.is_met for bar in judged] == [False, True, False]
        rows = [row | {"ms_per_path": 1.0} for row in self.RESULTS["methods"]]
        assert not any(bar.is_met for bar in bars.judge({"methods": rows}))

    def test_slower_notes_miss_their_bars(self):
        slow = {"part": "notes, wrapped", "ms_per_path": 0.16}
        rows = [row for row in self.RESULTS["notes"] if row["part"] != slow["part"]]
        assert [bar.is_met for bar in bars.judge({"notes": [*rows, slow]})] == [False, True]
        slow["ms_per_path"] = 0.18
        assert [bar.is_met for bar in bars.judge({"notes": [*rows, slow]})] == [False, False]

    def test_a_section_that_was_not_measured_has_no_bar(self):
        assert bars.judge({}) == []


MACHINE = {
    "processor": "a processor", "cores": 2, "memory_gb": 8.0, "system": "Linux",
    "versions": {"python": "3.11"}, "kernel_digest": "0123", "date": "2004-02-25",
}  # fmt: skip


@pytest.mark.parametrize(("exponent", "code"), [(1.0, 0), (1.2, 1)])
def test_check_measures_the_bars_alone_and_exits_with_its_verdict(monkeypatch, exponent, code):
    seen = {}

    def measure(plan, long, also, only):
        seen.update(plan=plan, only=only)
        return {"paths": {"exponent": exponent, "rows": []}}

    monkeypatch.setattr(bench, "measure", measure)
    run = CliRunner().invoke(bench.main, ["--check", "--quick"])
    assert run.exit_code == code
    assert ("MISSED" in run.output) == bool(code)
    assert seen["plan"] is QUICK
    assert set(seen["only"]) == set(bars.SECTIONS)


def test_a_missed_bar_is_written_down_and_fails_nothing_without_check(monkeypatch, tmp_path):
    results = {
        "machine": MACHINE, "rounds": 7, "minutes": 4.0, "paths": {"exponent": 1.2, "rows": []},
    }  # fmt: skip
    monkeypatch.setattr(bench, "measure", lambda *given: results)
    run = CliRunner().invoke(bench.main, ["--out", str(tmp_path / "docs")])
    assert run.exit_code == 0
    assert "**missed**" in (tmp_path / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    raw = json.loads((tmp_path / "docs" / "benchmarks.json").read_text(encoding="utf-8"))
    assert raw["paths"]["exponent"] == 1.2
    assert raw["plan"] == "full"


def test_kernel_sections_measure_render_and_survive_json():
    measured = {
        "methods": kernel_speed.compare_methods(TINY),
        "loans": kernel_speed.grow_loans(TINY),
        "horizon": kernel_speed.grow_horizon(TINY),
        "notes": kernel_speed.share_of_notes(TINY),
    }
    results = json.loads(json.dumps(measured)) | {
        "machine": MACHINE,
        "plan": "tiny", "rounds": 1, "minutes": 0.1,
    }  # fmt: skip
    text = page.render(results)
    for heading in ("Bars", "Event-driven", "Growth with loans", "horizon", "the notes"):
        assert heading in text
    assert "not to be quoted" in text
    assert "The whole command" not in text
    assert all(row["ms_per_path"] > 0.0 for row in measured["methods"])
    assert measured["horizon"][-1]["months"] == workloads.prepare().model.n_months


def test_a_command_is_timed_with_its_memory_and_exit_code():
    script = "import sys; block = bytearray(80_000_000); sys.exit(3)"
    record = command_speed.launch([command_speed.sys.executable, "-c", script], check=False)
    assert record["exit_code"] == 3
    assert 80 < record["peak_mb"] < 200
    assert 0.0 < record["seconds"] < 60.0
    with pytest.raises(command_speed.CommandFailedError, match="oh no"):
        command_speed.launch(["sh", "-c", "echo oh no; exit 1"])


def test_paths_to_the_target_grow_with_the_square_of_the_error():
    assert command_speed.paths_to_target(500, 100.0, 3.0) == pytest.approx(4_500)
    assert command_speed.paths_to_target(500, 100.0, None) is None
    assert "plain" in command_speed.sampling_methods()
