"""Importance sampling against plain paths of base → the table of tails in docs/accuracy.md."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl

from benchmarks.accuracy import PAGE, markdown, split_at_marks, write_between
from hemc import engine
from hemc.config import load_config
from hemc.kernels.flows import Floats
from hemc.kernels.jit import KERNEL_DIGEST
from hemc.outputs.estimates import (
    Design,
    Estimate,
    design_of,
    kish_sample_size,
    probability,
    quantile,
    take_sample,
)
from hemc.scale.store import RunStore
from hemc.scale.threads import Threads

ROOT = Path(__file__).parent.parent
BEGIN = "<!-- written by scripts/tails -->"

#: Probabilities whose loss quantiles are the thresholds; the last is the rare event.
LEVELS = (1e-2, 1e-3, 1e-4)


class Drawn(NamedTuple):
    """Lifetime losses of one run, % of the pool."""

    loss: Floats
    design: Design
    weight: Floats
    seconds: float

    def beyond(self, threshold: float) -> Estimate:
        """Return the probability of a larger loss."""
        return probability((self.loss > threshold).astype(np.float64), self.design)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and write the table between the marks of the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plain", type=int, default=100_000, help="plain paths (default: 100000)")
    parser.add_argument("--plain-run", type=Path, help="folder of a plain run of base, instead")
    parser.add_argument("--paths", type=int, default=20_000, help="weighted ones (default: 20000)")
    parser.add_argument("--page", type=Path, default=PAGE, help="file whose table is written")
    options = parser.parse_args(arguments)
    split_at_marks(options.page, BEGIN)
    aimed = draw("importance", options.paths, 1)
    sample = take_sample(aimed.loss, aimed.design)
    thresholds = [round(quantile(sample, 1.0 - level).value, 1) for level in LEVELS]
    weighted = draw("importance", options.paths, 2)
    plain = read_plain(options.plain_run) if options.plain_run else draw("plain", options.plain, 2)
    write_between(options.page, table(weighted, plain, thresholds), BEGIN)


def draw(method: str, n_paths: int, seed: int) -> Drawn:
    """Run base under a method, aiming at the rarest of LEVELS; the time holds the pilot too."""
    settings = {
        "simulation.sampling": f"'{method}'", "simulation.paths": str(n_paths),
        "simulation.seed": str(seed), "simulation.tail_probability": str(LEVELS[-1]),
    }  # fmt: skip
    loaded = load_config(ROOT / "configs" / "base.toml", settings)
    documents = engine.read_documents(loaded)
    model = engine.build_model(loaded.config, documents, engine.calibrate(loaded, documents))
    store, workers, start = RunStore(), Threads(), time.perf_counter()
    sampled = model.sampled(engine.choose_sampling(loaded.config, model, workers))
    engine.simulate(loaded.config, sampled, store, n_paths, lambda n: None, workers)
    seconds = time.perf_counter() - start
    return _drawn(store.paths.scan(), seconds)


def read_plain(folder: Path) -> Drawn:
    """Return the paths of a finished plain run of these kernels, with its simulation's time."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    found = (manifest["configuration"]["simulation"]["sampling"], manifest["kernel_digest"])
    expected = ("plain", KERNEL_DIGEST)
    if found != expected:
        raise SystemExit(f"{folder}: sampling and kernels are {found}, expected {expected}")
    return _drawn(pl.scan_parquet(folder / "paths.parquet"), manifest["seconds"]["simulate"])


def _drawn(paths: pl.LazyFrame, seconds: float) -> Drawn:
    """Return losses and weights of rows of paths.parquet."""
    chosen = paths.select("weight", "pool_loss_pct").collect()
    weight = chosen["weight"].to_numpy()
    return Drawn(chosen["pool_loss_pct"].to_numpy(), design_of(weight, 1), weight, seconds)


def table(weighted: Drawn, plain: Drawn, thresholds: list[float]) -> str:
    """Return thresholds with both estimates, their distance and what weights gain."""
    n_weighted, n_plain = weighted.loss.size, plain.loss.size
    rows = []
    for threshold in thresholds:
        ours, theirs = weighted.beyond(threshold), plain.beyond(threshold)
        z = (ours.value - theirs.value) / np.hypot(ours.standard_error, theirs.standard_error)
        relative = ours.standard_error / ours.value
        needed = (1.0 - ours.value) / ours.value / relative**2
        rows.append(
            (
                f"{threshold:.1f}", _shown(ours), _shown(theirs), f"{z:+.1f}",
                f"{100.0 * relative:.1f}", f"{needed / n_weighted:.0f}",
            )
        )  # fmt: skip
    header = (
        "loss above, % of pool",
        "importance",
        "plain",
        "z",
        "relative error, %",
        "gain on plain",
    )
    text = (
        f"{n_weighted:,} paths of importance sampling ({weighted.seconds:.0f} s, pilot included) "
        f"and {n_plain:,} plain ones ({plain.seconds:.0f} s) of base, aimed at a tail of "
        f"{LEVELS[-1]:g}; the thresholds come from a run of another seed. Weights are worth "
        f"{kish_sample_size(weighted.weight):,.0f} equal ones, the largest is "
        f"{weighted.weight.max():.1f}."
    )
    return f"{text}\n\n{markdown(header, rows)}"


def _shown(estimate: Estimate) -> str:
    """Return a probability with its error in units of 1e-4."""
    return f"{1e4 * estimate.value:.3g} ± {1e4 * estimate.standard_error:.2g} ‱"


if __name__ == "__main__":
    main()
