"""The record of a next certificate that shows what a run expects, or the median of its paths."""

import polars as pl

_POOL = ("beginning_pool", "ending_pool", "principal_collections", "interest_collections",
         "excess_cash")  # fmt: skip
_NOTE = ("beginning", "ending", "principal", "interest")


def planted(run, before, date, middle="mean"):
    """Return the record that follows `before`, the run's own; counts are whole loans."""
    forecast = pl.read_parquet(run / "next_month.parquet").drop("path", "weight")
    values = getattr(forecast.cast(pl.Float64), middle)().row(0, named=True)
    cents = {name: f"{value:.2f}" for name, value in values.items()}
    delinquent = {}
    for key in before["delinq"]:
        number = round(values[f"delinq.{key}.number"])
        balance = cents[f"delinq.{key}.balance"] if number else "0.00"
        delinquent[key] = {"balance": balance, "number": str(number), "pct": "0.00"}
    notes = {
        name: row | {part: cents[f"notes.{name}.{part}"] for part in _NOTE}
        for name, row in before["notes"].items()
    }
    pool = before["pool"] | {key: cents[f"pool.{key}"] for key in _POOL}
    pool["active_loan_count"] = str(round(values["pool.active_loan_count"]))
    losses = {key: cents.get(f"losses.{key}") for key in ("beginning", "current_month", "ending")}
    return before | {
        "payment_date": date, "pool": pool, "notes": notes, "delinq": delinquent,
        "oc": {key: cents[f"oc.{key}"] for key in before["oc"]},
        "losses": losses | {"recoveries": None},
    }  # fmt: skip
