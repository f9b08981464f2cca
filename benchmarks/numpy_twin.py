"""The pool simulation again in NumPy alone: month by month over all loans of a few paths.

Pool, moves and factors in, the kernels' monthly columns out. It is what a careful programmer
writes without a compiler: one entry for each live loan of each path, sums by path over contiguous
runs, most loans handled by one comparison, finished loans dropped. Its random numbers are its own,
so that its results equal the kernels' in law only.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from hemc.kernels import loans
from hemc.kernels.flows import Floats, Ints
from hemc.kernels.loans import LossRules
from hemc.kernels.transitions import MoveRates, PathFactors
from hemc.model.simulation import PoolModel
from hemc.states import CHARGED_OFF, CURRENT, D180, FORECLOSURE, N_LIVE, PAID_OFF, REO

#: Paths handled at once: the fastest of 2, 4, 8, 16 and 32 for base, since the entries of a month
#: then still fit into a core's cache.
BLOCK_PATHS = 4

#: Finished entries are dropped when they reach this share; moving the rest costs time too.
_DROP_SHARE = 0.05

_GONE = N_LIVE  # state of a finished loan until it is dropped
_N_ROWS = N_LIVE + 1


class Entries(NamedTuple):
    """Loans of several paths side by side, one element each, ordered by path.

    `row` is the first row of the path and latent class in a month's matrices, `origin` the place
    in loss by origin [p, state, class], flattened. `state` is a live state or _GONE. The rest is
    as in Pool, with `power` = (1+ρ)^paid.
    """

    path: Ints
    row: Ints
    origin: Ints
    state: Ints
    behind: Ints
    power: Floats
    balance: Floats
    scheduled_a: Floats
    scheduled_c: Floats
    growth: Floats
    net_share: Floats
    maturity: Ints


class Matrices(NamedTuple):
    """Cumulative moves of a few paths; row = (path × classes + class) × _N_ROWS + state."""

    cumulative: Floats  # [t, row, d + 1] payoff first, then best to worst
    destination: Ints  # [state, d + 1]
    stay_from: Floats  # [t, row] a draw in [stay_from, stay_to) stays
    stay_to: Floats  # [t, row]


class Losses(NamedTuple):
    """What a charge-off needs: severities, random numbers, where to keep the loss by origin."""

    rules: LossRules
    generator: np.random.Generator
    by_origin: Floats  # [p, state, class]


def simulate(model: PoolModel, factors: PathFactors, seed: int) -> tuple[Floats, Floats]:
    """Simulate one path for each row of `factors`.

    Returns months float64[p, t, loans.N_COLUMNS] and loss by origin float64[p, state, class].
    Raises ValueError for a share of paying bankruptcies, which this twin does not know.
    """
    if model.rules.bankruptcy_paying_share != 0.0:
        raise ValueError("the NumPy twin knows no payments in bankruptcy")
    generator = np.random.Generator(np.random.SFC64(seed))
    months = np.zeros((*factors.credit.shape, loans.N_COLUMNS))
    by_origin = np.zeros((len(months), *model.shares.cumulative.shape))
    for first in range(0, len(months), BLOCK_PATHS):
        block = slice(first, first + BLOCK_PATHS)
        some = PathFactors(*(factor[block] for factor in factors))
        losses = Losses(model.rules, generator, by_origin[block])
        simulate_paths(model, some, losses, months[block])
    return months, by_origin


def simulate_paths(model: PoolModel, factors: PathFactors, losses: Losses, months: Floats) -> None:
    """Fill zeroed months[p, t, column] and losses by origin of a few paths, all at once."""
    matrices = cumulate(model.moves, factors)
    entries = _start(model, len(months), losses.generator)
    for t in range(months.shape[1]):
        entries = _drop_finished(entries)
        if entries.path.size == 0:
            break
        _move_month(entries, matrices, t, losses, months[:, t])


def cumulate(moves: MoveRates, factors: PathFactors) -> Matrices:
    """Compute every path's cumulative moves of every month from its factors."""
    n_paths, n_months = factors.credit.shape
    _, n_classes, _, width = moves.threshold.shape
    cumulative = np.ones((n_months, n_paths, n_classes, _N_ROWS, width + 1))
    hazard = moves.payoff_hazard * factors.prepayment[:, :, None]
    for s in range(N_LIVE):
        row = _cumulate_state(moves, factors, s, np.exp(-hazard[:, :, s]))
        cumulative[:, :, :, s, : row.shape[-1]] = row.transpose(1, 0, 2, 3)
    cumulative = cumulative.reshape(n_months, -1, width + 1)
    own = [int(np.flatnonzero(moves.destination[s] == s)[0]) for s in range(N_LIVE)]
    place = np.tile([*own, 1], n_paths * n_classes)
    row_number = np.arange(place.size)
    stay_from, stay_to = cumulative[:, row_number, place - 1], cumulative[:, row_number, place]
    gone = np.arange(_N_ROWS - 1, place.size, _N_ROWS)
    stay_from[:, gone] = 0.0
    return Matrices(cumulative, moves.destination, stay_from, stay_to)


def _cumulate_state(moves: MoveRates, factors: PathFactors, s: int, stays: Floats) -> Floats:
    """Return one state's cumulative moves [p, t, class, d + 1]; `stays` in the pool is [p, t]."""
    n = int(moves.n_destinations[s])
    worse = ndtr(moves.threshold[:, :, s, :n] + factors.credit[:, :, None, None])
    worse[..., n - 1] = 1.0
    kept = np.ones(worse.shape[:-1])
    if moves.has_charge_off[s]:
        lowest, gamma = worse[..., 0], factors.charge_off[:, :, None]
        lumpy = lowest
        if moves.lumpiness > 0.0:
            per_gamma = moves.lumpiness * ((1.0 - lowest) ** (-1.0 / moves.lumpiness) - 1.0)
            lumpy = -np.expm1(-per_gamma * gamma)
        kept = np.divide(1.0 - lumpy, 1.0 - lowest, out=np.zeros_like(kept), where=lowest < 1.0)
    cumulative = np.ones((*worse.shape[:-1], n + 1))
    leaves = 1.0 - stays[:, :, None]
    cumulative[..., 0] = leaves
    better = 1.0 - worse[..., n - 2 :: -1] if n > 1 else worse[..., :0]
    cumulative[..., 1:n] = leaves[..., None] + (1.0 - leaves[..., None]) * better * kept[..., None]
    return cumulative


def _start(model: PoolModel, n_paths: int, generator: np.random.Generator) -> Entries:
    """Lay the pool out once for each path and draw latent classes."""
    pool = model.pool
    n_classes = model.moves.threshold.shape[1]
    path = np.repeat(np.arange(n_paths), pool.balance.size)
    state = np.tile(pool.state, n_paths)
    u = generator.random(state.size)
    latent_class = (u[:, None] >= model.shares.cumulative[state, :-1]).sum(axis=1)
    power = (pool.scheduled_a - pool.balance) / pool.scheduled_c
    return Entries(
        path=path,
        row=(path * n_classes + latent_class) * _N_ROWS,
        origin=(path * N_LIVE + state) * n_classes + latent_class,
        state=state,
        behind=np.tile(pool.behind, n_paths),
        power=np.tile(power, n_paths),
        balance=np.tile(pool.balance, n_paths),
        scheduled_a=np.tile(pool.scheduled_a, n_paths),
        scheduled_c=np.tile(pool.scheduled_c, n_paths),
        growth=np.tile(pool.growth, n_paths),
        net_share=np.tile(pool.net_share, n_paths),
        maturity=np.tile(pool.maturity, n_paths),
    )


def _drop_finished(entries: Entries) -> Entries:
    """Return the live entries once enough are finished."""
    finished = np.count_nonzero(entries.state == _GONE)
    if finished == 0 or finished < _DROP_SHARE * entries.state.size:
        return entries
    live = np.flatnonzero(entries.state != _GONE)
    return Entries._make(column[live] for column in entries)


def _move_month(
    entries: Entries, matrices: Matrices, t: int, losses: Losses, month_rows: Floats
) -> None:
    """Move every entry through one month, in place, and fill month_rows[p, column]."""
    month = t + 1
    row = entries.row + entries.state
    u = losses.generator.random(row.size)
    stays = (u >= matrices.stay_from[t][row]) & (u < matrices.stay_to[t][row])
    rate = (entries.growth - 1.0) * entries.net_share
    columns = np.zeros((6, row.size))
    columns[loans.NET_RATE_BALANCE] = 12.0 * rate * entries.balance
    _stay(entries, stays, month, columns)
    movers = np.flatnonzero(~stays)
    place = (u[movers, None] >= matrices.cumulative[t][row[movers]]).sum(axis=1)
    to = matrices.destination[entries.state[movers], place]
    _move(entries, movers, to, month, losses, columns)
    _mature(entries, month, columns)
    _sum_by_path(entries, columns, month_rows)


def _stay(entries: Entries, stays: NDArray[np.bool_], month: int, columns: Floats) -> None:
    """Let current loans and buckets that stay pay one instalment; the others fall behind."""
    pays = stays & (entries.state < D180) & (entries.maturity >= month)
    new = np.where(pays, entries.power * entries.growth, entries.power)
    principal = entries.scheduled_c * (new - entries.power)
    payment = (entries.growth - 1.0) * entries.scheduled_a
    columns[loans.INTEREST] = np.where(pays, payment - principal, 0.0) * entries.net_share
    columns[loans.SCHEDULED] = principal
    entries.power[:] = new
    entries.balance[:] -= principal
    entries.behind[:] += stays & ~pays


def _move(
    entries: Entries,
    movers: Ints,
    to: Ints,
    month: int,
    losses: Losses,
    columns: Floats,
) -> None:
    """Settle the loans that change their state; `to` belongs to `movers`."""
    state, late = entries.state[movers], month > entries.maturity[movers]
    cured = late & (to < D180) & (to < state)
    charged_off, paid_off = to == CHARGED_OFF, (to == PAID_OFF) | cured
    _charge_off(entries, movers[charged_off], losses, columns)
    _pay_off(entries, movers[paid_off], columns)
    lives = ~(charged_off | paid_off)
    movers, to, state, late = movers[lives], to[lives], state[lives], late[lives]
    frozen, re_aged = late | (to >= D180), state >= D180
    _pay_instalments(entries, movers, np.where(frozen | re_aged, 0, 1 + state - to), columns)
    entries.behind[movers] = np.where(frozen, entries.behind[movers] + 1, to)
    entries.state[movers] = to


def _charge_off(entries: Entries, i: Ints, losses: Losses, columns: Floats) -> None:
    """Take loans `i` out with a loss."""
    table = losses.rules.severity
    route = np.isin(entries.state[i], (FORECLOSURE, REO)).astype(np.int64)
    severity = table[route, losses.generator.integers(table.shape[1], size=i.size)]
    loss = severity * entries.balance[i]
    columns[loans.LOSS, i] = loss
    origin = np.bincount(entries.origin[i], loss, losses.by_origin.size)
    losses.by_origin[:] += origin.reshape(losses.by_origin.shape)
    columns[loans.PROCEEDS, i] = (1.0 - severity) * entries.balance[i]
    _finish(entries, i)


def _pay_off(entries: Entries, i: Ints, columns: Floats) -> None:
    """Take loans `i` out with their balance and the interest of arrears and half a month."""
    gross = (entries.growth[i] - 1.0) * entries.balance[i] * (entries.behind[i] + 0.5)
    columns[loans.INTEREST, i] = gross * entries.net_share[i]
    columns[loans.PREPAID, i] = entries.balance[i]
    _finish(entries, i)


def _pay_instalments(entries: Entries, i: Ints, n: Ints, columns: Floats) -> None:
    """Let loans `i` pay `n` instalments each."""
    new = entries.power[i] * entries.growth[i] ** n
    principal = entries.scheduled_c[i] * (new - entries.power[i])
    gross = n * (entries.growth[i] - 1.0) * entries.scheduled_a[i] - principal
    columns[loans.INTEREST, i] = gross * entries.net_share[i]
    columns[loans.SCHEDULED, i] = principal
    entries.power[i] = new
    entries.balance[i] -= principal


def _mature(entries: Entries, month: int, columns: Floats) -> None:
    """Repay current loans whose maturity this month is."""
    i = np.flatnonzero((entries.maturity == month) & (entries.state == CURRENT))
    columns[loans.SCHEDULED, i] += entries.balance[i]
    _finish(entries, i)


def _finish(entries: Entries, i: Ints) -> None:
    """Mark loans `i` as gone."""
    entries.state[i] = _GONE
    entries.balance[i] = 0.0


def _sum_by_path(entries: Entries, columns: Floats, month_rows: Floats) -> None:
    """Add cash over each path's run of entries, and balances and counts by state."""
    path, first = np.unique(entries.path, return_index=True)
    month_rows[path, : loans.BALANCE] = np.add.reduceat(columns, first, axis=1).T
    n = len(month_rows) * _N_ROWS
    place = entries.path * _N_ROWS + entries.state
    by_state = np.bincount(place, entries.balance, n).reshape(-1, _N_ROWS)
    month_rows[:, loans.BALANCE : loans.COUNT] = by_state[:, :N_LIVE]
    by_state = np.bincount(place, minlength=n).reshape(-1, _N_ROWS)
    month_rows[:, loans.COUNT :] = by_state[:, :N_LIVE]
