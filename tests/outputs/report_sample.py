"""A small run's folder, made without the engine: known random figures in the real tables' form."""

import json

import numpy as np
import polars as pl

from hemc.outputs.measures import measure_paths
from hemc.outputs.next_certificate import next_certificate
from hemc.outputs.sensitivities import sensitivity_rows
from hemc.states import N_LIVE, NAMES

N_PATHS, N_MONTHS = 1_200, 50
POOL, ORIGINAL = 390e6, 634e6
CLASSES = ("A-1", "A-2")
HEADLINES = (
    ("pool_loss_pct", None, "mean"), ("pool_loss_pct", None, "es_99"),
    ("oc_below_target_after_reaching", "wrapped", "probability"),
    ("draws", "wrapped", "probability"), ("writedown", "unwrapped", "probability"),
    ("next_month_loss", None, "mean"),
)  # fmt: skip


def paths_table(seed=1):
    """Return paths.parquet: class A-2 is hit on some paths, class A-1 on none."""
    rng = np.random.default_rng(seed)
    loss = rng.lognormal(16.5, 0.7, N_PATHS)
    deep = np.maximum(loss - 40e6, 0.0)
    zero = np.zeros(N_PATHS)
    first = np.where(deep > 0, rng.integers(3, 40, N_PATHS), 0)
    return pl.DataFrame(
        {
            "path": np.arange(N_PATHS), "weight": np.ones(N_PATHS),
            "pool_loss": loss, "pool_loss_pct": 100.0 * loss / POOL,
            "oc_shortfall_max": np.minimum(loss / 5.0, 7.9e6),
            "oc_missed_after_target": loss > 15e6, "oc_exhausted": deep > 0,
            "oc_target_stepped_down": loss < 12e6,
            "first_oc_below_target_month": first, "first_oc_exhausted_month": first,
            "excess_interest": 2.5e7 + 0.5 * loss, "excess_interest_used": 0.5 * loss,
            "oc_released": 0.0 * loss + 8e6,
            "first_undercollateralized_month": first, "first_draw_month": first,
            "draws": deep, "draws_pv": 0.8 * deep, "peak_unreimbursed": 1.1 * deep,
            "reimbursement": 0.1 * deep, "premium": rng.normal(1.3e6, 1e5, N_PATHS),
            "premium_pv": rng.normal(1.1e6, 1e5, N_PATHS), "insurer_net": 0.7 * deep - 1.1e6,
            "reimbursed_share": pl.Series(np.where(deep > 0, 0.1, np.nan)).fill_nan(None),
            "insurer_default_month": pl.Series([9] + [None] * (N_PATHS - 1), dtype=pl.Int64),
            "residual": rng.normal(2e7, 3e6, N_PATHS),
            "pool_loss_nine_quarters": 0.4 * loss, "draws_nine_quarters": 0.2 * deep,
            "oc_nine_quarters": 8e6 - np.minimum(loss / 9.0, 8e6),
            "undercollateralization_nine_quarters": 0.3 * deep,
            "next_month_loss": rng.normal(2e5, 3e4, N_PATHS),
            "next_month_cpr": rng.normal(0.34, 0.03, N_PATHS),
            "interest_shortfall_A-1": zero, "interest_shortfall_A-2": deep / 10.0,
            "interest_shortfall_IO": zero,
            **{f"wrapped_interest_shortfall_{n}": zero for n in ("A-1", "A-2", "IO")},
            "wrapped_writedown_A-1": zero, "wrapped_writedown_A-2": deep / 5.0,
            "wal_A-1": rng.normal(0.4, 0.02, N_PATHS), "wal_A-2": rng.normal(4.0, 0.4, N_PATHS),
            "writedown_A-1": zero, "writedown_A-2": deep,
            "first_undercollateralized_month_A-1": 0 * first,
            "first_undercollateralized_month_A-2": first,
            **value_columns(rng, deep), "wrap_value_A-1": zero, "wrap_value_A-2": 0.7 * deep,
        }
    ).with_columns(
        pl.col("^first_.*month.*$").replace(0, None)
    )  # fmt: skip


def value_columns(rng, deep):
    """Return what the classes are worth; A-1 floats, and IO has no price to yield at."""
    spread = rng.normal(0.0, 0.001, N_PATHS)
    columns = {f"discount_margin{x}_A-1": 0.001 + 0.0 * spread for x in ("", "_to_call")}
    for name, coupon in (("A-1", 0.012), ("A-2", 0.0314)):
        columns |= {f"yield{x}_{name}": coupon + spread for x in ("", "_to_call", "_unwrapped")}
        columns |= {f"price{x}_{name}": 99.79 + 0.0 * spread for x in ("", "_to_call")}
        columns[f"price_unwrapped_{name}"] = 99.79 - deep / 1e7
        columns[f"wal_to_call_{name}"] = rng.normal(0.4, 0.02, N_PATHS)
        columns[f"duration_{name}"] = columns[f"effective_duration_{name}"] = 2.0 + spread
        columns[f"window_first_{name}"] = rng.integers(3, 9, N_PATHS)
        columns[f"window_last_{name}"] = rng.integers(40, 50, N_PATHS)
        columns[f"window_last_to_call_{name}"] = rng.integers(30, 40, N_PATHS)
    return columns | {"price_IO": 7.94 + 0.0 * spread}


def months_table(seed=2):
    """Return months.parquet with every series that the report shows."""
    rng = np.random.default_rng(seed)
    fall = np.exp(-np.arange(1, N_MONTHS + 1) / 8.0)
    series = {
        ("pool_balance", None, None): POOL * fall, ("cpr", None, None): 0.3 + 0.0 * fall,
        ("cdr", None, None): 0.02 + 0.0 * fall, ("loss", None, None): 2e5 * fall,
        ("cumulative_loss", None, None): np.cumsum(2e5 * fall), ("oc", None, None): 7e6 * fall,
        ("oc_target", None, None): 7.9e6 * fall, ("draws", None, None): 1e4 * fall,
        ("unreimbursed", None, None): 1e5 * fall,
    }  # fmt: skip
    series |= {("note_balance", name, None): 1e8 * fall for name in CLASSES}
    series |= {("balance", None, state): 1e6 * fall for state in NAMES[:N_LIVE]}
    parts = []
    for (name, note, state), middle in series.items():
        noise = np.abs(rng.normal(1.0, 0.02, N_MONTHS))
        for statistic, factor in zip(
            ("mean", "sd", "p5", "p25", "p50", "p75", "p95"),
            (1.03, 0.3, 0.5, 0.8, 1.0, 1.2, 1.6), strict=True,
        ):  # fmt: skip
            parts.append(_month_rows(name, note, state, statistic, factor * noise * middle))
    parts += [_month_rows("trigger_value", None, "losses", s, 0.02 * (1 - fall))
              for s in ("mean", "p5", "p50", "p95")]  # fmt: skip
    for name, level in (("trigger_threshold", 0.035), ("trigger_tripped", 0.25)):
        parts.append(_month_rows(name, None, "losses", "mean", np.full(N_MONTHS, level)))
    for name in ("oc_below_target", "oc_exhausted", "undercollateralized"):
        parts.append(_month_rows(name, None, None, "mean", 0.2 * (1.0 - fall)))
    return pl.concat(parts)


def _month_rows(name, note, state, statistic, value):
    return pl.DataFrame({"month": np.arange(1, N_MONTHS + 1), "value": value}).select(
        "month", pl.lit(name).alias("series"), pl.lit(note, dtype=pl.String).alias("note"),
        pl.lit(state, dtype=pl.String).alias("state"), pl.lit(statistic).alias("statistic"),
        "value",
    )  # fmt: skip


def tie_out_table():
    """Return tieout.parquet with one identity of each status."""
    rows = [
        ("pool roll", "390719522.22", "390719522.22", "0.00", "pass", ""),
        ("note roll A-1", "-0.50", "1234567.89", "-1234568.39", "fail", "a repurchase"),
        ("day count", None, None, None, "not testable", "needs deal terms"),
        ("factor A-1", "0.3172680", "0.3172680", "0E-7", "pass", ""),
    ]
    names = ("name", "printed", "recomputed", "difference", "status", "note")
    return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")


def roll_rate_table():
    """Return roll_rates.parquet with an informed, a prior-driven and a fixed move."""
    rows = [
        ("current", "current", None, None, None, 0.96, 0.002, 0.957, 0.963, None, False),
        ("current", "30", 0.0037, 0.0032, 0.0014, 0.0027, 0.0008, 0.0016, 0.0041, 0.57, False),
        ("30", "60", 0.58, 0.33, 0.10, 0.36, 0.095, 0.21, 0.52, 0.95, True),
        ("current", "charged off", None, 1e-5, 0.0, 1e-5, 0.0, 1e-5, 1e-5, None, True),
    ]
    names = ("from_state", "to_state", "reported_ratio", "prior_mean", "prior_sd",
             "posterior_mean", "posterior_sd", "p5", "p95", "sd_ratio", "prior_driven")  # fmt: skip
    schema = {n: pl.String if n.endswith("state") else pl.Float64 for n in names}
    table = pl.DataFrame(rows, schema=schema | {"prior_driven": pl.Boolean}, orient="row")
    return table.with_columns(pl.lit("2003-HE2").alias("deal"), pl.lit("all").alias("latent_class"))


def forecast_table(seed=3):
    """Return next_certificate.parquet."""
    rng = np.random.default_rng(seed)
    keys = ("pool.beginning_pool", "pool.active_loan_count", "notes.A-1.ending", "oc.target",
            "credit_enhancement.draw", "delinq.30.balance", "delinq.30.number", "delinq.30.pct",
            "losses.current_month")  # fmt: skip
    cash = {
        "pool.interest_collections": 2.5e6, "pool.principal_collections": 14e6,
        "credit_enhancement.draw": 0.0, "notes.A-1.interest": 1.1e6, "notes.A-2.interest": 0.4e6,
        "notes.A-1.principal": 14e6, "notes.A-2.principal": 0.0, "oc.certificates_paid": 0.8e6,
    }  # fmt: skip
    figures = {key: rng.normal(1e6, 1e5, 200) for key in keys}
    figures |= {key: value * rng.uniform(0.9, 1.1, 200) for key, value in cash.items()}
    return next_certificate(pl.DataFrame(figures))


def assumption_table():
    """Return assumptions.parquet."""
    rows = [
        ("deal.undercollateralization", "implied", "deal.toml", "assumption: debt notes", ""),
        ("loss.lumpiness", "4.0", "default", "judgement", "unevenness of a month's losses"),
    ]
    names = ("name", "value", "where_set", "source", "meaning")
    return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")


def sensitivity_table():
    """Return sensitivities.parquet: one setting moves everything, one the writedowns only."""
    base, other = paths_table().head(400), paths_table(9).head(400)
    moved = base.with_columns(pl.col("writedown_A-2") * 0.5)
    return pl.concat(
        [
            sensitivity_rows("roll_rates.classes", "2", base, other),
            sensitivity_rows("deal.undercollateralization", "pro_rata", base, moved),
        ]
    )


def oracle_table():
    """Return oracle.parquet: one flow, and one that is too rare for an error."""
    return pl.DataFrame(
        {"flow": ["loss", "net_rate_balance"], "months": ["lifetime", "frequent months"],
         "paths": [25, 25], "simulated": [46_100.0, 3.0], "expected": [46_250.0, 3.0],
         "standard_error": [120.0, None], "z": [-1.25, None]}
    )  # fmt: skip


def manifest():
    """Return manifest.json."""
    return {
        "name": "base", "series": "2003-HE2", "group": 1, "issuer": "GMACM",
        "payment_date": "2004-02-25", "first_projected_month": "2004-03", "months": N_MONTHS,
        "step_down": "2005-10",
        "paths": N_PATHS, "effective_sample_size": float(N_PATHS), "seed": 7, "threads": 2,
        "sampling": {"method": "plain", "unit_paths": 1, "units": N_PATHS},
        "effective_sample_size_of_weights": float(N_PATHS), "independent_paths": N_PATHS,
        "target": None,
        "largest_identity_residual_usd": 3.9e-6, "warnings": ["rows are few"],
        "quotes": [
            {"note": "A-1", "clean_price": 100.0, "accrued_interest": 0.0,
             "bond_equivalent_yield": None, "discount_margin": 0.001},
            {"note": "A-2", "clean_price": 99.5, "accrued_interest": 0.21,
             "bond_equivalent_yield": 0.0316, "discount_margin": None},
            {"note": "IO", "clean_price": None, "accrued_interest": 0.47,
             "bond_equivalent_yield": 0.071, "discount_margin": None},
        ],
        "versions": {"hemc": "0.1.0"}, "kernel_digest": "88e63b76a5d11513",
        "configuration": {
            "insurer": {"mode": "performing"},
            "scenario": {"factors": "on", "stress_shift": 0.0},
            "outputs": {"band_paths": 1_000},
            "roll_rates": {"classes": 1, "stock_weight": 0.25},
            "tape": {"terms": [{"share": 0.1}], "file": None},
        },
    }  # fmt: skip


def write_sample(folder):
    """Write the files of a run into `folder` and return it."""
    folder.mkdir(exist_ok=True)
    paths = paths_table()
    measures = measure_paths(paths, ORIGINAL)
    tables = {
        "paths": paths, "measures": measures, "months": months_table(),
        "tieout": tie_out_table(), "roll_rates": roll_rate_table(),
        "assumptions": assumption_table(), "sensitivities": sensitivity_table(),
        "next_certificate": forecast_table(), "oracle": oracle_table(),
    }  # fmt: skip
    for name, table in tables.items():
        table.write_parquet(folder / f"{name}.parquet")
    wanted = [
        row
        for measure, insurer, statistic in HEADLINES
        for row in measures.to_dicts()
        if (row["measure"], row["insurer"], row["note"], row["statistic"])
        == (measure, insurer, None, statistic)
    ]
    assert len(wanted) == len(HEADLINES)
    (folder / "summary.json").write_text(json.dumps(wanted))
    (folder / "manifest.json").write_text(json.dumps(manifest()))
    return folder
