"""A certificate that does not show all stocks, and loans → what it shows, and loans of the rest.

States that a certificate does not show hide among its current loans until a number of loans is
drawn for them.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from types import MappingProxyType

import numpy as np
import polars as pl

from hemc.inputs.certificate import Certificate
from hemc.inputs.figures import Field
from hemc.inputs.published_totals import DELINQUENT_KEYS
from hemc.kernels.flows import Ints
from hemc.states import CURRENT, D30, N_LIVE, NAMES


def count_hidden_as_current(certificate: Certificate) -> tuple[Certificate, tuple[int, ...]]:
    """Return the certificate with no loans in the states it does not show, and these states."""
    rows = dict(certificate.delinquencies)
    hidden = []
    for s, key in zip(range(D30, N_LIVE), DELINQUENT_KEYS, strict=True):
        row = rows[key]
        if row["number"].value is None or row["balance"].value is None:
            none = Field(Decimal(0), None)
            rows[key] = MappingProxyType({**row, "number": none, "balance": none})
            hidden.append(s)
    return replace(certificate, delinquencies=MappingProxyType(rows)), tuple(hidden)


def place_hidden(
    tape: pl.DataFrame, count: Ints, behind: Ints, generator: np.random.Generator
) -> pl.DataFrame:
    """Return the tape with random current loans moved to hidden states, balances kept.

    `count` int64[live state] loans of each, 0 where shown; `behind` int64[live state] instalments.
    """
    state = np.repeat(np.arange(N_LIVE), count)
    current = np.flatnonzero((tape["state"] == NAMES[CURRENT]).to_numpy())
    chosen = generator.choice(current, size=state.size, replace=False)
    names = tape["state"].to_numpy().astype(object)
    months = np.array(tape["instalments_behind"].to_numpy())
    names[chosen], months[chosen] = np.array(NAMES)[state], behind[state]
    return tape.with_columns(
        pl.Series("state", names, dtype=tape.schema["state"]),
        pl.Series("instalments_behind", months, dtype=tape.schema["instalments_behind"]),
    )
