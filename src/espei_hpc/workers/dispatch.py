"""Which worker runs which job: pure rules; the caller passes the time.

The pool uses the real clock, ``schedule.replay`` a simulated one.
"""

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

DEPTH = 2
"""Jobs per worker: one running, and one queued so that the worker never waits for the next."""


@dataclass(frozen=True)
class Job:
    """One evaluation.

    Attributes:
        key: its unique key.
        kind: jobs of the same kind take about the same time.
        arguments: arguments of the evaluator.
        priority: comparable with that of every other job; smaller values go first.
    """

    key: Hashable
    kind: Hashable = field(compare=False)
    arguments: tuple[Any, ...] = field(compare=False)
    priority: Any = field(compare=False, default=0)


@dataclass(frozen=True)
class Bounds:
    """When a running job counts as overdue, and how many copies of it may run.

    Attributes:
        times: a job is overdue after this many times the long time of its kind...
        margin: ...and after the long time plus this many seconds.
        unknown: seconds for a kind with fewer than ``seen`` results; longer if
            other kinds take long.
        seen: number of results from which the time of a kind is known.
        copies: maximum number of workers that have the same job.
    """

    times: float = 5.0
    margin: float = 20.0
    unknown: float = 600.0
    seen: int = 5
    copies: int = 3


class Times:
    """Recent durations: the usual one (median) and the long one (90th percentile).

    Both are robust if a hanging worker answers late, and if many proposals are
    outside the prior and take no time.
    """

    def __init__(self, window: int) -> None:
        self._latest: deque[float] = deque(maxlen=window)
        self.count = 0
        self.usual = 0.0
        self.long = 0.0

    def add(self, value: float) -> None:
        """Record a duration."""
        self.count += 1
        self._latest.append(value)
        ordered = sorted(self._latest)
        self.usual = ordered[(len(ordered) - 1) // 2]
        self.long = ordered[(len(ordered) * 9 - 1) // 10]


class _Worker:
    """State of a worker."""

    def __init__(self, number: int) -> None:
        self.number = number
        """Order of joining; breaks ties."""
        self.jobs: list[Job] = []
        """In order; the first one is running."""
        self.since = 0.0
        """When the first job began."""
        self.silent = False
        self.alone: Hashable = None
        """Key of a job after which no other may be queued."""
        self._ratios = Times(window=16)

    @property
    def factor(self) -> float:
        """Its usual time relative to that of all workers."""
        return self._ratios.usual if self._ratios.count else 1.0

    def learn(self, ratio: float) -> None:
        self._ratios.add(ratio)


_Place = tuple[float, int, str]
"""Sort key (smaller is better), number and name of a worker."""


class Dispatcher:
    """Decides which worker runs which job.

    Args:
        depth: jobs per worker, including the running one.
        bounds: when a job is overdue.
    """

    def __init__(self, depth: int = DEPTH, bounds: Bounds | None = None) -> None:
        self._depth = depth
        self._bounds = bounds or Bounds()
        self._workers: dict[str, _Worker] = {}
        self._joined = 0
        self._idle: list[_Place] = []
        """Workers without a job, the fastest first."""
        self._queues: list[_Place] = []
        """Busy workers with a free place, by the expected end of their jobs.

        Sorted, so that a choice takes as long with a thousand workers as with ten."""
        self._places: dict[str, tuple[list[_Place], _Place, int]] = {}
        """By worker: which of the two lists it is in, its entry there, and its free places."""
        self._room = 0
        self._holders: dict[Hashable, list[str]] = {}
        """The workers that have each unfinished job, by its key."""
        self._kinds: dict[Hashable, Times] = {}

    @property
    def workers(self) -> tuple[str, ...]:
        """All workers, in order of joining."""
        return tuple(self._workers)

    def silent(self, worker: str) -> bool:
        """Whether a worker hangs: it has an overdue job, and gets no more until it answers."""
        return self._workers[worker].silent

    @property
    def patience(self) -> float:
        """Seconds after which a job of any kind is overdue on a worker of usual speed."""
        return max((self._bound(kind) for kind in self._kinds), default=self._bounds.unknown)

    def join(self, worker: str, now: float) -> None:
        """Add an idle worker."""
        self._joined += 1
        self._workers[worker] = _Worker(self._joined)
        self._workers[worker].since = now
        self._note_place(worker)

    def leave(self, worker: str) -> list[Job]:
        """Remove a worker; return its jobs that no responding worker has, to be given again."""
        self._take_place(worker)
        gone = self._workers.pop(worker)
        lost = []
        for job in gone.jobs:
            holders = self._holders.get(job.key)
            if holders is not None and worker in holders:
                holders.remove(worker)
                if all(self._workers[name].silent for name in holders):
                    lost.append(job)
        return lost

    def drop(self, job: Job) -> None:
        """Forget a job that is given up: its result is no longer needed."""
        self._holders.pop(job.key, None)

    def wanted(self, job: Job) -> bool:
        """Whether a result is still needed."""
        return job.key in self._holders

    def room(self) -> int:
        """Jobs that can be given now: idle workers and free places in the queues."""
        return self._room

    def give(self, job: Job, now: float, *, alone: bool = False) -> str:
        """Choose a worker for a job: the fastest idle one, else the one that will be free soonest.

        Args:
            job: the job to run; other workers may already have it.
            now: the time, s.
            alone: queue no job after it, because it may kill workers: other jobs
                on such a worker would be suspected too.

        Returns:
            The worker.

        Raises:
            LookupError: if no other worker has a free place.
        """
        chosen = self._choose(job)
        if chosen is None:
            raise LookupError(f"no worker has a free place for {job.key!r}")
        worker = self._workers[chosen]
        if not worker.jobs:
            worker.since = now
        worker.jobs.append(job)
        worker.alone = job.key if alone else None
        self._holders.setdefault(job.key, []).append(chosen)
        self._note_place(chosen)
        return chosen

    def finished(self, worker: str, job: Job, seconds: float, now: float) -> bool:
        """Record a worker's result and its duration.

        Returns:
            Whether it is the first result of this job, and still needed.
        """
        there = self._workers.get(worker)
        if there is not None:
            there.jobs = [other for other in there.jobs if other.key != job.key]
            there.since = now
            there.silent = False
            there.alone = None if there.alone == job.key else there.alone
            self._learn(there, job.kind, seconds)
            self._note_place(worker)
        return self._holders.pop(job.key, None) is not None

    def overdue(self, now: float) -> list[tuple[str, Job]]:
        """Return the workers that hang since the last call, and their jobs to be started elsewhere.

        These are the overdue job and the jobs queued after it.
        """
        moved = []
        for name, worker in self._workers.items():
            if worker.silent or not worker.jobs or now - worker.since <= self.bound(name):
                continue
            worker.silent = True
            self._note_place(name)
            moved += [(name, job) for job in worker.jobs if self._may_move(job)]
        return moved

    def bound(self, worker: str) -> float:
        """Return the seconds after which the running job of ``worker`` is overdue."""
        there = self._workers[worker]
        return self._bound(there.jobs[0].kind, max(1.0, there.factor))

    def _bound(self, kind: Hashable, factor: float = 1.0) -> float:
        times, bounds = self._kinds.get(kind), self._bounds
        if times is None or times.count < bounds.seen:
            longest = max((known.long for known in self._kinds.values()), default=0.0)
            return max(bounds.unknown, bounds.times * longest)
        long = times.long * factor
        return max(bounds.times * long, long + bounds.margin)

    def _may_move(self, job: Job) -> bool:
        holders = self._holders.get(job.key, ())
        answering = any(not self._workers[name].silent for name in holders)
        return 0 < len(holders) < self._bounds.copies and not answering

    def _choose(self, job: Job) -> str | None:
        holders = self._holders.get(job.key, ())
        return next((name for _, _, name in chain(self._idle, self._queues) if name not in holders), None)

    def _end(self, worker: _Worker) -> float:
        """Return when a busy worker is expected to finish its jobs."""
        return worker.since + sum(self._usual(job.kind) for job in worker.jobs) * worker.factor

    def _usual(self, kind: Hashable) -> float:
        times = self._kinds.get(kind)
        return times.usual if times is not None else self._typical(self._kinds.values())

    @staticmethod
    def _typical(kinds: Iterable[Times]) -> float:
        usual = sorted(times.usual for times in kinds)
        return usual[len(usual) // 2] if usual else 1.0

    def _learn(self, worker: _Worker, kind: Hashable, seconds: float) -> None:
        times = self._kinds.setdefault(kind, Times(window=64))
        times.add(seconds)
        if times.usual > 0:
            worker.learn(seconds / times.usual)

    def _note_place(self, name: str) -> None:
        """Update a worker's entry in the lists of free workers."""
        self._take_place(name)
        worker = self._workers[name]
        if len(worker.jobs) >= self._depth or worker.silent or worker.alone is not None:
            return
        places = self._queues if worker.jobs else self._idle
        place = (self._end(worker) if worker.jobs else worker.factor, worker.number, name)
        insort(places, place)
        room = self._depth - len(worker.jobs)
        self._places[name] = places, place, room
        self._room += room

    def _take_place(self, name: str) -> None:
        """Remove a worker from the lists of free workers."""
        if name in self._places:
            places, place, room = self._places.pop(name)
            del places[bisect_left(places, place)]
            self._room -= room
