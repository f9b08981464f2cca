"""Reports of deals by date → the months between them as the sampler's kernels read them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from hemc.inputs.certificate_series import DealSeries, Report
from hemc.kernels.flows import Floats, Ints
from hemc.kernels.move_tables import IMPOSSIBLE, Series
from hemc.settings.calibration import CalibrationSettings
from hemc.states import CHARGED_OFF, CURRENT, N_LIVE, N_STATES, PAID_OFF

#: Charge-offs in one reported loss that are thought of at most.
_MOST_CHARGED_OFF = 400
#: Label of states that a loan has left the pool by; others are labelled by themselves.
_LEFT = PAID_OFF
#: A reported loss below this is rounding, USD.
_SMALLEST_LOSS = 1.0


class LossSize(NamedTuple):
    """What one charge-off costs, as a share of a loan's mean balance."""

    mean: float
    cv: float


class SeriesMonths(NamedTuple):
    """What is known of the months of several deals, dates that no certificate reports included."""

    series: Series
    known: Ints  # [e, live state] reported stocks, -1 where not reported
    total: Ints  # [e] reported loans, -1 where not reported or not trusted
    names: tuple[str, ...]  # [deal]
    dates: tuple[str, ...]  # [e] year and month
    intervals: tuple[tuple[str, str], ...]  # first and last month of each payoff interval
    remarks: tuple[str, ...]


@dataclass
class _Columns:
    """The columns of one deal by month from its first date on."""

    known: Ints
    total: Ints
    interval: Ints
    repurchased: Ints
    additions: Floats
    losses: list[tuple[int, int, float, float]]  # first and last month, USD, mean loan balance
    payoffs: list[tuple[int, int, float]]  # first and last month, number
    remarks: list[str]

    @property
    def n(self) -> int:
        """Number of dates."""
        return len(self.total)


def series_months(
    deals: Sequence[DealSeries],
    multipliers: Sequence[Floats],
    settings: CalibrationSettings,
    size: LossSize,
) -> SeriesMonths:
    """Lay out the months of several deals one after the other.

    `multipliers` holds each deal's seasoning multiplier on current → 30 by month from its first
    date, 1 at its last.
    """
    columns = [_columns(deal, settings) for deal in deals]
    known = np.concatenate([c.known for c in columns])
    total = np.concatenate([c.total for c in columns])
    n = np.array([c.n for c in columns])
    start = np.concatenate([[0], n.cumsum()[:-1]])
    is_first = np.zeros(n.sum(), dtype=np.bool_)
    is_first[start] = True
    first_interval = np.cumsum([0, *(c.interval.max(initial=0) + 1 for c in columns[:-1])])
    label = np.stack([_labels(k, t) for k, t in zip(known, total, strict=True)])
    losses = [(a + at, b + at, usd, balance)
              for c, at in zip(columns, start, strict=True)
              for a, b, usd, balance in c.losses]  # fmt: skip
    payoffs = [(a + at, b + at, k)
               for c, at in zip(columns, start, strict=True) for a, b, k in c.payoffs]  # fmt: skip
    mean = np.array([k for *_, k in payoffs])
    series = Series(
        is_first=is_first,
        is_last=np.roll(is_first, -1),
        deal=np.repeat(np.arange(len(deals)), n),
        interval=np.concatenate(
            [c.interval + i for c, i in zip(columns, first_interval, strict=True)]
        ),
        multiplier=np.concatenate(multipliers),
        repurchased=np.concatenate([c.repurchased for c in columns]),
        additions=np.concatenate([c.additions for c in columns]),
        label=label,
        windows=_redraw_windows(start, n, label),
        loss_window=_windows(len(total), losses),
        loss_fit=_loss_fit([(usd, balance) for *_, usd, balance in losses], size),
        payoff_window=_windows(len(total), payoffs),
        payoff_mean=mean,
        payoff_sd=np.maximum(mean * settings.payoff_count_error, 1.0),
    )
    return SeriesMonths(
        series, known, total,
        tuple(deal.series for deal in deals),
        tuple(_month_name(deal.reports[0].month + k)
              for deal, c in zip(deals, columns, strict=True) for k in range(c.n)),
        tuple((_month_name(a.month), _month_name(b.month))
              for deal in deals
              for a, b in pairwise(deal.reports)),
        tuple(remark for c in columns for remark in c.remarks),
    )  # fmt: skip


def _month_name(month: int) -> str:
    """Return a month counted from year 0 as text, such as 2004-02."""
    return f"{month // 12}-{month % 12 + 1:02}"


def _columns(deal: DealSeries, settings: CalibrationSettings) -> _Columns:
    """Spread a deal's reports over the months from the first to the last."""
    first = deal.reports[0].month
    n = deal.reports[-1].month - first + 1
    columns = _Columns(
        known=np.full((n, N_LIVE), -1), total=np.full(n, -1), interval=np.zeros(n, dtype=np.int64),
        repurchased=np.zeros(n, dtype=np.int64), additions=np.zeros(n),
        losses=[], payoffs=[], remarks=list(deal.remarks),
    )  # fmt: skip
    for report in deal.reports:
        e = report.month - first
        columns.known[e] = [-1 if k is None else k for k in report.count]
        columns.total[e] = -1 if report.n_loans is None else report.n_loans
        columns.repurchased[e] = report.repurchased if e else 0
    for i, (before, after) in enumerate(pairwise(deal.reports)):
        months = (before.month - first + 1, after.month - first)
        columns.interval[months[0] : months[1] + 1] = i
        _add_interval(columns, before, after, months, settings)
    return columns


def _add_interval(
    columns: _Columns,
    before: Report,
    after: Report,
    months: tuple[int, int],
    settings: CalibrationSettings,
) -> None:
    """Read additions, losses and payoffs between two consecutive reports."""
    first, last = months
    balance = _mean_balance(before) or _mean_balance(after)
    added = float(before.prefunding - after.prefunding)
    if balance and added > 0.0:
        columns.additions[first : last + 1] = added / balance / (last - first + 1)
    if balance:
        reported = _losses(before, after, months)
        columns.losses += [(start, end, usd, balance) for start, end, usd in reported]
    paid = _paid_off(before, after, last - first + 1, balance, settings)
    exits = _exits(columns, before, after, first, last)
    if exits is not None and paid is not None and not _agree(paid, exits, settings):
        columns.remarks.append(
            f"{after.path.name}: {after.n_loans} loans would be {exits:.0f} exits, the principal "
            f"speaks for {paid:.0f}; loan count left out"
        )
        columns.total[last] = columns.known[last, CURRENT] = -1
    if columns.total[last] < 0 and paid is not None:
        columns.payoffs.append((first, last, paid))


def _losses(
    before: Report, after: Report, months: tuple[int, int]
) -> Iterator[tuple[int, int, float]]:
    """Yield first month, last month and USD of the losses reported between two reports.

    The last month has its own loss; what the loss to date rose by before it is the others'.
    """
    first, last = months
    if after.loss is not None:
        yield last, last, float(after.loss)
    opening, closing = after.loss_to_date_open, before.loss_to_date_close
    if last > first and opening is not None and closing is not None and opening >= closing:
        yield first, last - 1, float(opening - closing)


def _mean_balance(report: Report) -> float | None:
    """Return the mean balance of a loan, USD."""
    if not report.n_loans or not report.pool:
        return None
    return float(report.pool) / report.n_loans


def _paid_off(
    before: Report,
    after: Report,
    n_months: int,
    balance: float | None,
    settings: CalibrationSettings,
) -> float | None:
    """Return how many mean loans the principal of an interval paid off, schedule aside."""
    if balance is None or before.pool is None or after.pool is None:
        return None
    fall = before.pool + before.prefunding - after.pool - after.prefunding
    scheduled = settings.scheduled_share * n_months * float(before.pool + after.pool) / 2.0
    return max(float(fall) - scheduled, 0.0) / balance


def _exits(columns: _Columns, before: Report, after: Report, first: int, last: int) -> float | None:
    """Return how many loans left in an interval by the loan counts."""
    if before.n_loans is None or after.n_loans is None or columns.total[first - 1] < 0:
        return None
    return float(before.n_loans + columns.additions[first : last + 1].sum() - after.n_loans)


def _agree(paid: float, exits: float, settings: CalibrationSettings) -> bool:
    """Tell whether principal and loan counts tell the same story; small numbers always do."""
    allowed = settings.count_tolerance * abs(exits) + 3.0 * math.sqrt(paid + 1.0)
    return abs(paid - exits) <= allowed


def _labels(known: Ints, total: int) -> Ints:
    """Return which states a date's report does not tell apart, int64[state].

    Reported states stand alone; the others make up the rest of the loans, together with those
    that have left where the number of loans is not known either.
    """
    label = np.arange(N_STATES)
    label[:N_LIVE][known < 0] = CURRENT
    label[[PAID_OFF, CHARGED_OFF]] = CURRENT if total < 0 else _LEFT
    return label


def _redraw_windows(start: Ints, n: Ints, label: Ints) -> Ints:
    """Return stretches of dates inside which, or at a deal's ends, loans could be elsewhere.

    From each date there are a short stretch and one as long as the longest gap.
    """
    hidden = np.array([(row[:N_LIVE] == CURRENT).sum() > 1 or row[PAID_OFF] == CURRENT
                       for row in label])  # fmt: skip
    windows = []
    for at, k in zip(start, n, strict=True):
        here = hidden[at : at + k]
        longest = max(_longest_run(here[1:-1]) + 1, 2)
        for a, length in product(range(k - 1), sorted({2, longest})):
            b = min(a + length, k - 1)
            ends = (a == 0 and here[0]) or (b == k - 1 and here[-1])
            if here[a + 1 : b].any() or ends:
                windows.append((at + a, at + b))
    return np.array(list(dict.fromkeys(windows)), dtype=np.int64).reshape(-1, 2)


def _longest_run(flags: NDArray[np.bool_]) -> int:
    """Return the length of the longest run of true values."""
    longest = run = 0
    for flag in flags:
        run = run + 1 if flag else 0
        longest = max(longest, run)
    return longest


def _windows(n: int, known: Sequence[tuple[int, int, *tuple[float, ...]]]) -> Ints:
    """Return for each month which of some reported flows holds it, -1 for none."""
    window = np.full(n, -1)
    for w, (first, last, *_) in enumerate(known):
        window[first : last + 1] = w
    return window


def _loss_fit(losses: Sequence[tuple[float, float]], size: LossSize) -> Floats:
    """Return the log density of reported losses by number charged off, float64[window, number].

    A charge-off's loss is gamma distributed about its mean, so that the sum of k is gamma with k
    times the shape. No loss means no charge-off.
    """
    fit = np.full((len(losses), _MOST_CHARGED_OFF + 1), -IMPOSSIBLE)
    shape = np.arange(1, _MOST_CHARGED_OFF + 1) / size.cv**2
    for w, (usd, balance) in enumerate(losses):
        if usd < _SMALLEST_LOSS:
            fit[w, 0] = 0.0
            continue
        scale = balance * size.mean * size.cv**2
        fit[w, 1:] = (shape - 1.0) * np.log(usd / scale) - usd / scale - gammaln(shape)
        fit[w, 1:] -= np.log(scale)
    return fit
