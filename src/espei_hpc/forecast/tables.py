"""The walltime of a fit by number of ranks, from a replay, and the recommended number."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from itertools import count
from typing import Any

from espei_hpc.forecast.barrier import barrier
from espei_hpc.forecast.costs import Costs
from espei_hpc.forecast.cut import best_cut
from espei_hpc.forecast.effective import Cost, costs
from espei_hpc.forecast.measure import Measured
from espei_hpc.forecast.replay import replay
from espei_hpc.sampler.moves import STRETCH

WORTH = 0.8
"""Minimum efficiency of a recommended number of ranks."""

CALLS = 6000
"""Approximate number of calls in the replay of a row."""

ITERATIONS = 40
"""Maximum number of iterations in the replay of a row."""


@dataclass(frozen=True)
class RankRow:
    """Prediction for one number of ranks, for our engine and for stock ESPEI.

    Attributes:
        ranks: number of MPI ranks: the workers and the scheduler.
        nodes: number of full nodes; None if the cores per node are unknown.
        pieces: number of pieces of an evaluation.
        seconds_per_iteration: time per iteration of our engine, s.
        efficiency: ideal time per iteration, walkers x evaluation / workers, over the predicted one.
        hours: walltime of all iterations, without starting and ending the cluster.
        core_hours: core-hours of the ranks, or of the nodes if these are known.
        stock_seconds_per_iteration: time per iteration of stock ESPEI on as many ranks, s.
        stock_hours: its walltime of all iterations.
    """

    ranks: int
    nodes: int | None
    pieces: int
    seconds_per_iteration: float
    efficiency: float
    hours: float
    core_hours: float
    stock_seconds_per_iteration: float
    stock_hours: float


@dataclass(frozen=True)
class Plan:
    """The result of ``espei-hpc plan``.

    Attributes:
        symbols: number of symbols to fit.
        walkers: number of walkers.
        iterations: iterations requested.
        sampler: name of the walkers' move; stock ESPEI has the stretch move alone.
        measured: measured time of evaluations.
        stock_evaluation: CPU seconds of one evaluation with ESPEI's own functions.
        cores_per_node: cores per node of the cluster, if given.
        hours: time limit of the fit, if given.
        rows: predictions, from few ranks to many.
        recommended: the largest number of ranks with good efficiency.
        within: the smallest number of ranks that finishes within the time limit, if any does.
        costs: what an effective sample size costs with each sampler, on the recommended ranks.
    """

    symbols: int
    walkers: int
    iterations: int
    sampler: str
    measured: Measured
    stock_evaluation: float
    cores_per_node: int | None
    hours: float | None
    rows: tuple[RankRow, ...]
    recommended: RankRow
    within: RankRow | None
    costs: tuple[Cost, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, for JSON."""
        return asdict(self)


def plan(
    symbols: int,
    walkers: int,
    iterations: int,
    measured: Measured,
    stock_evaluation: float,
    *,
    cores_per_node: int | None = None,
    hours: float | None = None,
    sampler: str = STRETCH,
) -> Plan:
    """Replay a fit with several numbers of ranks; takes some seconds.

    Args:
        symbols: number of symbols to fit.
        walkers: number of walkers.
        iterations: iterations requested.
        measured: measured time of evaluations.
        stock_evaluation: CPU seconds of one evaluation with ESPEI's own functions.
        cores_per_node: cores per node, to use whole nodes only.
        hours: time limit, to also find the smallest number of ranks that meets it.
        sampler: name of the walkers' move.
    """
    fit = _Forecast(walkers, iterations, measured, stock_evaluation, cores_per_node, sampler)
    rows = tuple(fit.row(ranks) for ranks in rank_numbers(walkers, cores_per_node))
    best = recommended(rows)
    return Plan(
        symbols=symbols,
        walkers=walkers,
        iterations=iterations,
        sampler=sampler,
        measured=measured,
        stock_evaluation=stock_evaluation,
        cores_per_node=cores_per_node,
        hours=hours,
        rows=rows,
        recommended=best,
        within=None if hours is None else fit.fewest(hours, rows),
        costs=costs(symbols, measured.evaluation, (best.ranks - 1) * best.efficiency),
    )


def rank_numbers(walkers: int, cores_per_node: int | None) -> list[int]:
    """Return the numbers of ranks to examine: up to four workers per walker.

    These are powers of two up to half the number of walkers, then 1/2, 1, 2, 3 and 4
    workers per walker. With cores per node, whole nodes: one, two, three, four, six,
    eight, twelve and so on.
    """
    most = 4 * walkers + 1
    if cores_per_node is None:
        powers = [2**power for power in range(1, most.bit_length()) if 2**power <= walkers // 2]
        return sorted({*powers, walkers // 2 + 1, *(walkers * times + 1 for times in range(1, 5))})
    numbers = [nodes * cores_per_node for nodes in _nodes(most // cores_per_node)]
    return [ranks for ranks in numbers if ranks > 1] or [2 * cores_per_node]


def _nodes(most: int) -> Iterator[int]:
    """Yield 1, 2, 3, 4, 6, 8, 12, 16, ... up to ``most``; always yield 1."""
    yield 1
    for power in count(1):
        for nodes in (2**power, 3 * 2 ** (power - 1)):
            if nodes > most:
                return
            yield nodes


def recommended(rows: Iterable[RankRow]) -> RankRow:
    """Return the most ranks with an efficiency of at least ``WORTH``, or else the most efficient row."""
    rows = list(rows)
    worth = [row for row in rows if row.efficiency >= WORTH]
    if worth:
        return max(worth, key=lambda row: row.ranks)
    return max(rows, key=lambda row: row.efficiency)


@dataclass(frozen=True)
class _Forecast:
    walkers: int
    iterations: int
    measured: Measured
    stock_evaluation: float
    cores_per_node: int | None
    sampler: str

    def row(self, ranks: int) -> RankRow:
        costs = Costs(self.measured.evaluation, self.measured.spread, self.measured.units)
        workers = ranks - 1
        pieces = best_cut(self.walkers, workers, costs, sampler=self.sampler)
        so_many = max(3, min(ITERATIONS, self.iterations, CALLS // (self.walkers * pieces)))
        ours = replay(self.walkers, workers, so_many, costs, pieces, sampler=self.sampler)
        stock = barrier(self.walkers, workers, ITERATIONS, replace(costs, evaluation=self.stock_evaluation))
        nodes = None if self.cores_per_node is None else -(-ranks // self.cores_per_node)
        hours = self._hours(ours.seconds_per_iteration)
        return RankRow(
            ranks=ranks,
            nodes=nodes,
            pieces=pieces,
            seconds_per_iteration=ours.seconds_per_iteration,
            efficiency=ours.efficiency,
            hours=hours,
            core_hours=hours * (ranks if nodes is None else nodes * (self.cores_per_node or 1)),
            stock_seconds_per_iteration=stock,
            stock_hours=self._hours(stock),
        )

    def fewest(self, hours: float, rows: Iterable[RankRow]) -> RankRow | None:
        """Return the fewest ranks that finish within ``hours``; None if no row does."""
        step = self.cores_per_node or 1
        quick = [row for row in rows if row.hours <= hours]
        if not quick:
            return None
        best = min(quick, key=lambda row: row.ranks)
        # Lower limit: all workers are always busy.
        workers = self.walkers * self.measured.evaluation * (self.iterations + 1) / (3600 * hours)
        low, high = max(int(workers) // step, 1 // step), best.ranks // step
        while high - low > 1:  # `low` steps are too few, `high` are enough
            middle = (low + high) // 2
            row = self.row(middle * step)
            if row.hours <= hours:
                best, high = row, middle
            else:
                low = middle
        return best

    def _hours(self, seconds_per_iteration: float) -> float:
        # One iteration more: the starting walkers are evaluated too.
        return (self.iterations + 1) * seconds_per_iteration / 3600
