"""A fit in simulated time: the real sampler and the real dispatch rules with made-up evaluations.

The time of an iteration depends only on the time of evaluations, the overhead of
the client and the network latency. So the engine's loop is run here with a clock
that jumps from result to result.
"""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from espei_hpc.forecast.costs import Costs, FloatArray, width
from espei_hpc.sampler import Graph, State, Task
from espei_hpc.sampler.moves import MOVES, STRETCH
from espei_hpc.workers.dispatch import Dispatcher, Job

LOG_PROBABILITY_SPREAD = 1.47
"""Standard deviation of the made-up log-probabilities: 2 Phi(-1.47 / sqrt(2)) = 30 % are accepted."""


@dataclass(frozen=True)
class Replayed:
    """The result of a replay.

    Attributes:
        seconds: from the first call to the last result.
        seconds_per_iteration: the same, divided by the number of iterations.
        efficiency: ideal time per iteration, walkers x evaluation / workers, over the actual one.
        calls: number of calls to workers.
        client: fraction of the time that the client was busy.
    """

    seconds: float
    seconds_per_iteration: float
    efficiency: float
    calls: int
    client: float


def replay(
    walkers: int,
    workers: int,
    iterations: int,
    costs: Costs,
    pieces: int,
    seed: int = 0,
    speeds: Sequence[float] | None = None,
    sampler: str = STRETCH,
) -> Replayed:
    """Run the engine's loop in simulated time, from known log-probabilities to the last iteration.

    Args:
        walkers: number of walkers.
        workers: number of workers.
        iterations: number of iterations.
        costs: the times.
        pieces: number of pieces of an evaluation.
        seed: seed of the evaluation times and of the chain.
        speeds: relative speed of each worker, shape (workers,); 0.5 is half as fast.
        sampler: name of the walkers' move.
    """
    speeds = [1.0] * workers if speeds is None else speeds
    clock = _SimulatedClock(costs, speeds)
    graph = _graph(walkers, iterations, seed, sampler)
    times = costs.evaluations(walkers, iterations, seed)
    shuffled = np.random.default_rng(seed + 1)
    shares = costs.shares(pieces)
    missing: dict[Task, int] = {}
    waiting: list[tuple[Job, float]] = []
    while not graph.finished:
        while clock.room():
            if not waiting and (task := graph.pop()):
                missing[task] = len(shares)
                parts = _uneven(shares, costs.unevenness, shuffled) * times[task.half_step - 2, task.walker]
                waiting = [_piece(task, number, float(part)) for number, part in enumerate(parts)][::-1]
            if not waiting:
                break
            clock.give(*waiting.pop())
        for task in clock.answers():
            missing[task] -= 1
            if not missing[task]:
                del missing[task]
                graph.put(task, shuffled.normal(0, LOG_PROBABILITY_SPREAD))
        graph.take()
    limit = walkers * costs.evaluation / sum(speeds)
    each = clock.now / iterations
    return Replayed(clock.now, each, limit / each, clock.calls, clock.calls * costs.per_call / clock.now)


class _SimulatedClock:
    """Client, workers and the network between them.

    The client does one thing at a time: half of a call's time is spent on the call,
    half on its result. A worker runs its jobs in order.
    """

    def __init__(self, costs: Costs, speeds: Sequence[float]) -> None:
        self.now = 0.0
        self.calls = 0
        self._half_call = costs.per_call / 2
        self._way = costs.latency / 2
        self._dispatcher = Dispatcher()
        self._speed = {str(number): speed for number, speed in enumerate(speeds)}
        self._free = dict.fromkeys(self._speed, 0.0)
        self._coming: list[tuple[float, int, str, Job, float]] = []
        for worker in self._speed:
            self._dispatcher.join(worker, 0.0)

    def room(self) -> int:
        return self._dispatcher.room()

    def give(self, job: Job, work: float) -> None:
        """Submit a job that takes ``work`` seconds at the usual speed."""
        self.now += self._half_call
        self.calls += 1
        worker = self._dispatcher.give(job, self.now)
        seconds = work / self._speed[worker]
        self._free[worker] = end = max(self.now + self._way, self._free[worker]) + seconds
        heapq.heappush(self._coming, (end + self._way, self.calls, worker, job, seconds))

    def answers(self) -> list[Task]:
        """Wait for a result; return the tasks of all results."""
        self.now = max(self.now, self._coming[0][0])
        tasks = []
        while self._coming and self._coming[0][0] <= self.now:
            _, _, worker, job, seconds = heapq.heappop(self._coming)
            self.now += self._half_call
            self._dispatcher.finished(worker, job, seconds, self.now)
            tasks.append(job.arguments[0])
        return tasks


def _piece(task: Task, number: int, work: float) -> tuple[Job, float]:
    return Job((task, number), number, (task,), task), work


def _graph(walkers: int, iterations: int, seed: int, sampler: str) -> Graph:
    random = np.random.RandomState(seed)
    positions, known = random.normal(size=(walkers, 1)), random.normal(0, LOG_PROBABILITY_SPREAD, walkers)
    state = State(0, positions, known, np.zeros(walkers, np.int64), random.get_state(legacy=True))  # type: ignore[arg-type]
    return Graph(state, iterations, move=MOVES[sampler])


def _uneven(shares: FloatArray, unevenness: float, random: np.random.Generator) -> FloatArray:
    """Vary the shares of an evaluation's pieces, keeping their sum."""
    if unevenness == 0 or len(shares) == 1:
        return shares
    sigma = width(unevenness * len(shares) ** 0.5)
    varied: FloatArray = shares * random.lognormal(0, sigma, len(shares))
    varied /= varied.sum()
    return varied
