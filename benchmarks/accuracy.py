"""Base under every sampling method, at several seeds → the tables of docs/accuracy.md."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, get_args

import numpy as np
import polars as pl

from hemc import engine
from hemc.config import LoadedConfig, load_config
from hemc.kernels.factors import autoregress_paths
from hemc.kernels.flows import Floats
from hemc.model.innovations import PLAIN, draw_innovations
from hemc.outputs.measures import measure_paths
from hemc.outputs.sample_size import sample_size
from hemc.outputs.two_level import with_two_level_mean
from hemc.scale.block import RunModel
from hemc.scale.store import RunStore
from hemc.scale.threads import Threads
from hemc.settings.simulation import UNIT_PATHS, SimulationSettings

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "accuracy.md"
BEGIN, END = "<!-- written by scripts/accuracy -->", "<!-- end -->"
METHODS = get_args(SimulationSettings.model_fields["sampling"].annotation)

#: Figure → measure, statistic, class, whose errors are compared.
FIGURES = {
    "mean loss": ("pool_loss_pct", "mean", None),
    "P(draw)": ("draws", "probability", None),
    "99 % loss": ("pool_loss_pct", "p99", None),
    "ES 99 %": ("pool_loss_pct", "es_99", None),
    "life of A-2": ("wal", "mean", "A-2"),
}


class Sampled(NamedTuple):
    """One method at one seed."""

    estimates: Floats  # [figure, value | standard error]
    effective: float
    ms_per_path: float
    paths: pl.DataFrame


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and write the tables between the marks of the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--paths", type=int, default=8_192, help="of each run (default: 8192)")
    parser.add_argument("--seeds", type=int, default=4, help="runs of each method (default: 4)")
    parser.add_argument("--page", type=Path, default=PAGE, help="file whose tables are written")
    options = parser.parse_args(arguments)
    split_at_marks(options.page)
    seeds = range(1, options.seeds + 1)
    found = {m: [measure(m, options.paths, seed) for seed in seeds] for m in METHODS}
    head = (
        f"{options.paths:,} paths of base, {options.seeds} seeds of each method. Gain = plain "
        "variance / the method's, both from stated errors (mean of squares over the seeds)."
    )
    parts = [head, gain_table(found), direction_table(options.paths, found["plain"][0].paths)]
    write_between(options.page, "\n\n".join(parts))


def configure(method: str, n_paths: int, seed: int) -> tuple[LoadedConfig, RunModel]:
    """Return configuration and model of base under a method."""
    settings = {"sampling": f"'{method}'", "paths": str(n_paths), "seed": str(seed)}
    overrides = {f"simulation.{key}": value for key, value in settings.items()}
    loaded = load_config(ROOT / "configs" / "base.toml", overrides)
    documents = engine.read_documents(loaded)
    return loaded, engine.build_model(loaded.config, documents, engine.calibrate(loaded, documents))


def measure(method: str, n_paths: int, seed: int) -> Sampled:
    """Run base under a method; the time holds pilot and large-pool paths too."""
    loaded, model = configure(method, n_paths, seed)
    store, workers, start = RunStore(), Threads(), time.perf_counter()
    sampling = engine.choose_sampling(loaded.config, model, workers)
    sampled = model.sampled(sampling)
    engine.simulate(loaded.config, sampled, store, n_paths, lambda n: None, workers)
    refined = None
    if method == "two-level":
        refined = engine.refine_mean_loss(loaded.config, model, store, workers)
    seconds = time.perf_counter() - start
    paths = store.paths.scan().collect()
    measures = measure_paths(paths, 1.0, UNIT_PATHS[method])
    if refined is not None:
        measures = with_two_level_mean(measures, refined)
    size = sample_size(paths.lazy(), loaded.config.simulation, refined)
    estimates = np.array([figure(measures, *key) for key in FIGURES.values()])
    return Sampled(estimates, size.effective, 1e3 * seconds / n_paths, paths)


def figure(
    measures: pl.DataFrame, measure: str, statistic: str, note: str | None
) -> tuple[float, float]:
    """Return value and standard error of a row of measures.parquet."""
    rows = measures.filter(
        pl.col("note").eq_missing(pl.lit(note)), measure=measure, statistic=statistic
    )
    value, error = rows.select("value", "standard_error").row(0)
    return value, float("nan") if error is None else error


def gain_table(found: dict[str, list[Sampled]]) -> str:
    """Return what each method gains, and how its values lie to those of plain paths."""
    variance = {m: _over_seeds(runs)[:, 1] for m, runs in found.items()}
    plain = _over_seeds(found["plain"])
    rows = []
    for method, runs in found.items():
        estimates = _over_seeds(runs)
        z = (estimates[:, 0] - plain[:, 0]) / np.sqrt((plain[:, 1] + estimates[:, 1]) / len(runs))
        gains = variance["plain"] / variance[method]
        rows.append(
            (
                method, f"{UNIT_PATHS[method]}", *(f"{gain:.1f}" for gain in gains),
                f"{np.mean([run.effective for run in runs]):,.0f}",
                "" if method == "plain" else f"{np.abs(z).max():.1f}",
                f"{min(run.ms_per_path for run in runs):.2f}",
            )
        )  # fmt: skip
    header = (
        "method", "paths a unit", *FIGURES, "effective sample size", "largest \\|z\\| to plain",
        "ms a path",
    )  # fmt: skip
    return markdown(header, rows)


def _over_seeds(runs: list[Sampled]) -> Floats:
    """Return mean value and mean squared error of each figure, float64[figure, 2]."""
    estimates = np.stack([run.estimates for run in runs])
    return np.column_stack(
        [estimates[:, :, 0].mean(axis=0), (estimates[:, :, 1] ** 2).mean(axis=0)]
    )


def direction_table(n_paths: int, paths: pl.DataFrame) -> str:
    """Return how much of log loss, over the plain paths of seed 1, each direction explains."""
    loaded, model = configure("strata", UNIT_PATHS["strata"], 1)
    sampling = engine.choose_sampling(loaded.config, model, Threads())
    assert sampling.directions is not None
    pilot, n_months = sampling.directions.credit[0], model.n_months
    drawn = draw_innovations(PLAIN, 1, 0, n_paths, n_months).credit
    log_loss = np.log(paths["pool_loss"].to_numpy() + 1.0)
    level = np.empty((n_months, n_months))  # of the factor by month, after an impulse in a month
    autoregress_paths(np.eye(n_months), loaded.config.scenario.credit_persistence, 1.0, level)
    survival = np.exp(-0.03 * np.arange(n_months))
    principal = np.linalg.svd(level * survival)[0]
    directions = {
        "regression in the pilot, smoothed": pilot,
        "sum of the factor, weighted by a pool falling 3 % a month": level @ survival,
        "main principal direction of the factor, weighted so": principal[:, 0],
        "sum of the factor over all months": level.sum(axis=1),
    }
    directions = {name: v / np.linalg.norm(v) for name, v in directions.items()}
    rows = [
        (
            name, f"{abs(v @ pilot):.4f}", f"{np.corrcoef(drawn @ v, log_loss)[0, 1] ** 2:.3f}"
        ) for name, v in directions.items()
    ]  # fmt: skip
    return markdown(("direction", "cosine to the pilot's", "R² of log loss"), rows)


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table whose first column is text and whose others are figures."""
    lines = [header, ["---"] + ["---:"] * (len(header) - 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def write_between(page: Path, text: str, begin: str = BEGIN) -> None:
    """Replace what stands between the marks of a page."""
    before, after = split_at_marks(page, begin)
    page.write_text(f"{before}{begin}\n\n{text}\n\n{END}{after}", encoding="utf-8")


def split_at_marks(page: Path, begin: str = BEGIN) -> tuple[str, str]:
    """Return what stands before and after the tables of a page."""
    before, _, rest = page.read_text(encoding="utf-8").partition(begin)
    _, mark, after = rest.partition(END)
    if not mark:
        raise SystemExit(f"{page}: found no '{begin}' followed by '{END}'")
    return before, after


if __name__ == "__main__":
    main()
