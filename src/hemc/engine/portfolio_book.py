"""A portfolio and workers go in; paths of its deals come out as files, in two passes.

The first pass runs every deal with an insurer that never fails and adds up claims by path and
month, which tell when it would have failed; the second runs the paths on which it does again.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
import polars as pl

from hemc.engine.paths import Progress
from hemc.engine.portfolio_deal import DealFacts, Portfolio, ReadyDeal, prepare_deal
from hemc.engine.run_model import LONGEST_HORIZON
from hemc.errors import HemcError, InputError
from hemc.kernels.flows import Floats, Ints
from hemc.scale.deal_block import claim_block, settle_block
from hemc.scale.threads import Workers, block_ranges

#: Folder of the deals' paths within that of the portfolio.
DEALS = "deals"

#: Failures at most so many paths apart are run again together: two more paths take less time than
#: another call.
_NEAR = 3

Result = TypeVar("Result")


class Failure(NamedTuple):
    """A deal that could not be run, and why, in one line."""

    deal: str
    error: str


class Claims(NamedTuple):
    """What the first pass leaves: the deals that ran, their net claims, the largest gap."""

    deals: tuple[DealFacts, ...]
    net: Floats  # [p, t] of all deals, USD
    largest_gap: float  # of the cash identities, USD


@dataclass
class Book:
    """A portfolio on its way; the paths of its deals are files of `folder`."""

    portfolio: Portfolio
    folder: Path
    workers: Workers
    progress: Progress
    strict: bool  # a certificate that does not tie out is a failure
    failures: dict[str, str] = field(default_factory=dict)

    def claim(self) -> Claims:
        """Run all deals that have not failed with an insurer that never fails."""
        n_paths = self.portfolio.n_paths
        deals, net, largest_gap = [], np.zeros((n_paths, LONGEST_HORIZON)), 0.0
        for entry in self.portfolio.settings.deals:
            if entry.name in self.failures:
                continue
            prepare = partial(prepare_deal, self.portfolio, entry, self.strict)
            ready = self._attempt(entry.name, prepare, (HemcError,))
            if ready is None:
                self.progress(n_paths)
                continue
            played = self._attempt(entry.name, partial(self._play, ready))
            if played is not None:
                deals.append(ready.facts)
                net[:, : ready.facts.n_months] += played[0]
                largest_gap = max(largest_gap, played[1])
        return Claims(tuple(deals), net, largest_gap)

    def settle(self, deals: tuple[DealFacts, ...], default_month: Ints) -> int | None:
        """Run the paths again on which the insurer fails, and return how many of all deals.

        None where a deal fails that has passed the first pass: its claims have to leave the total.
        """
        n_settled = 0
        for deal in deals:
            work = partial(self._settle_deal, deal, default_month)
            n_paths = self._attempt(deal.name, work)
            if n_paths is None:
                self._paths_file(deal.name).unlink()
                self._model_file(deal.name).unlink()
                return None
            n_settled += n_paths
        for deal in deals:
            self._model_file(deal.name).unlink()
        return n_settled

    def paths(self, deals: tuple[DealFacts, ...]) -> Iterator[tuple[str, pl.DataFrame]]:
        """Yield name and paths of every deal, one at a time in memory."""
        for deal in deals:
            yield deal.name, pl.read_parquet(self._paths_file(deal.name))

    def _play(self, ready: ReadyDeal) -> tuple[Floats, float]:
        """Run a deal's paths; return its net claims float64[p, t] and largest gap, USD."""
        n_paths, simulation = self.portfolio.n_paths, self.portfolio.settings.simulation
        net, gap, done = np.empty((n_paths, ready.facts.n_months)), 0.0, 0
        rows: list[pl.DataFrame] = []
        work = partial(claim_block, ready.model, ready.position)
        try:
            for block in self.workers.map_blocks(
                work, block_ranges(n_paths, simulation.block_paths)
            ):
                n = len(block.rows)
                net[done : done + n] = block.net_claims
                rows.append(block.rows)
                gap, done = max(gap, block.largest_gap), done + n
                self.progress(n)
        except Exception:
            self.progress(n_paths - done)
            raise
        name = ready.facts.name
        pl.concat(rows).write_parquet(self._paths_file(name))
        # On disk, so that memory holds one deal's model at a time.
        self._model_file(name).write_bytes(pickle.dumps((ready.model, ready.position)))
        return net, gap

    def _settle_deal(self, deal: DealFacts, default_month: Ints) -> int:
        """Run the paths of a deal again on which the insurer fails; return their number."""
        failing = np.flatnonzero(default_month < deal.n_months)
        if not failing.size:
            return 0
        model, position = pickle.loads(self._model_file(deal.name).read_bytes())
        ranges = list(_ranges(failing, self.portfolio.settings.simulation.block_paths))
        work = partial(settle_block, model, position, default_month)
        settled = pl.concat(self.workers.map_blocks(work, ranges))
        file = self._paths_file(deal.name)
        pl.read_parquet(file).update(settled, on="path").write_parquet(file)
        return len(settled)

    def _attempt(
        self, deal: str, work: Callable[[], Result], own: tuple[type[HemcError], ...] = ()
    ) -> Result | None:
        """Do the work of a deal; None where it fails, which is noted.

        A fault of hemc is the deal's; an error of input only if it is among `own`: while simulating
        it comes from disk or cluster, and ends the whole run.
        """
        try:
            return work()
        except own as error:
            self.failures[deal] = _first_line(error)
        except (HemcError, MemoryError, OSError):
            raise
        except Exception as error:
            self.failures[deal] = f"{type(error).__name__}: {_first_line(error)}"
        return None

    def _paths_file(self, deal: str) -> Path:
        return self.folder / DEALS / f"{deal}.parquet"

    def _model_file(self, deal: str) -> Path:
        return self.folder / DEALS / f"{deal}.model"


def require_deals(book: Book, claims: Claims) -> None:
    """Raise InputError, with the first failure, where no deal ran."""
    if not claims.deals:
        name, error = next(iter(book.failures.items()))
        raise InputError(
            book.portfolio.file, f"deal {name}", f"no deal that runs ({error})", "one at least"
        )


def _ranges(paths: Ints, most: int) -> Iterator[tuple[int, int]]:
    """Yield first path and number of paths of ranges that hold all `paths`, which ascend."""
    first = last = int(paths[0])
    for path in map(int, paths[1:]):
        if path - last > _NEAR or path - first >= most:
            yield first, last + 1 - first
            first = path
        last = path
    yield first, last + 1 - first


def _first_line(error: Exception) -> str:
    """Return an error in one line."""
    return (str(error).splitlines() or ["no message"])[0]
