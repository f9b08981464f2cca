"""Texts that stand beside figures, shared by console, report and forecast certificate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: Label of each headline figure by measure and statistic, in order of importance.
HEADLINES = {
    ("pool_loss_pct", "mean"): "Expected lifetime loss",
    ("pool_loss_pct", "es_99"): "99 % expected shortfall of lifetime loss",
    ("oc_below_target_after_reaching", "probability"): (
        "P(OC ever below its target after reaching it)"
    ),
    ("draws", "probability"): "P(draw on the insurer)",
    ("writedown", "probability"): "P(any writedown), no insurer",
    ("next_month_loss", "mean"): "Next month's loss",
}

#: Name of each headline figure's cell in the workbook, a contract with workbooks that link to it.
HEADLINE_NAMES = {
    ("pool_loss_pct", "mean"): "expected_loss_pct",
    ("pool_loss_pct", "es_99"): "loss_es_99_pct",
    ("oc_below_target_after_reaching", "probability"): "oc_below_target_probability",
    ("draws", "probability"): "draw_probability",
    ("writedown", "probability"): "writedown_probability",
    ("next_month_loss", "mean"): "next_month_loss",
}

#: Names of the statistics of measures.parquet.
STATISTICS = {
    "mean": "mean", "sd": "standard deviation", "probability": "probability",
    "p1": "1 %", "p5": "5 %", "p25": "25 %", "p50": "50 %", "p75": "75 %", "p90": "90 %",
    "p95": "95 %", "p99": "99 %", "p99_9": "99.9 %",
    "es_97_5": "expected shortfall 97.5 %", "es_99": "expected shortfall 99 %",
}  # fmt: skip

#: Latent classes of loans where there are two.
CLASS_NAMES = ("movers", "chronic")

#: What happens to notes in excess of the pool where no insurer pays.
UNDERCOLLATERALIZATION = {
    "implied": "balances and interest continue; the loss is what is unpaid at the end",
    "pro_rata": "notes are written down pro rata",
    "reverse_order": "notes are written down in reverse order of seniority",
}

#: What the steps of the order of payments take, by kind.
STEP_MEANINGS = {
    "fee": "a fee",
    "premium": "the insurer's premium on the opening notes",
    "interest": "interest and what is carried forward",
    "cap_carryover": "interest that the net WAC cap cut",
    "collections": "principal collections",
    "hold_oc": "principal that keeps OC, or releases it",
    "cover": "principal until the classes are covered by the pool",
    "build_oc": "principal that builds OC",
    "reimbursement": "the insurer's claim with interest",
    "residual": "what is left, to the certificates",
}

#: Lines of a certificate's blocks by the end of their keys, in the certificate's own words.
POOL_LINES = {
    "beginning_pool": "Beginning Pool Balance",
    "ending_pool": "Ending Pool Balance",
    "principal_collections": "Principal Collections",
    "active_loan_count": "Active Loan Count",
    "interest_collections": "Interest Collections",
    "excess_cash": "Excess Cash",
}
NOTE_LINES = {
    "beginning": "Beginning Balance",
    "ending": "Ending Balance",
    "principal": "Principal",
    "interest": "Interest",
    "shortfall": "Interest Shortfall",
}
OC_LINES = {
    "beginning": "Beginning Overcollateralization",
    "change": "Overcollateralization Increase",
    "outstanding": "Outstanding Overcollateralization",
    "target": "Target Overcollateralization",
    "certificates_paid": "Paid to Certificates",
}
DRAW_LINES = {"draw": "Credit Enhancement Draw Amount"}
LOSS_LINES = {
    "beginning": "Beginning Loss Amount",
    "current_month": "Current Month Loss Amount",
    "recoveries": "Current Month Recoveries",
    "ending": "Ending Loss Amount",
}
DELINQUENCY_LINES = {
    "30": "Delinquent Loans (30 Days)",
    "60": "Delinquent Loans (60 Days)",
    "90": "Delinquent Loans (90 Days)",
    "120": "Delinquent Loans (120 Days)",
    "150": "Delinquent Loans (150 Days)",
    "180+": "Delinquent Loans (180+ Days)",
    "REO": "REO",
    "FC": "Foreclosures",
    "BK": "Bankruptcies",
}

#: Parts of a delinquent state's row.
_PARTS = {"number": "loans", "balance": "balance", "pct": "% of balance"}


def figure_label(figure: str) -> str:
    """Return the short name of a certificate's figure, in its words as far as they are short."""
    table, _, key = figure.partition(".")
    if table == "delinq":
        state, _, part = key.partition(".")
        days = DELINQUENCY_LINES[state].removeprefix("Delinquent Loans (").removesuffix(")")
        return f"{days}, {_PARTS[part]}"
    if table == "notes":
        name, _, part = key.rpartition(".")
        return f"{name} {NOTE_LINES[part]}"
    lines = POOL_LINES | OC_LINES | DRAW_LINES if table != "losses" else LOSS_LINES
    text = lines.get(key, key)
    for long, short in (("Overcollateralization", "OC"), ("Current Month", "Month's")):
        text = text.replace(long, short)
    return text.removesuffix(" Amount")


def headline_label(row: Mapping[str, Any]) -> str:
    """Return the label of a row of measures.parquet or summary.json."""
    key = (row["measure"], row["statistic"])
    return HEADLINES.get(key, f"{key[0]}, {key[1]}".replace("_", " "))
