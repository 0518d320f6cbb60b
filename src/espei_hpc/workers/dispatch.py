"""Which worker runs which job: pure rules, driven by a clock handed in.

The pool drives them by the real clock, ``schedule.replay`` by a simulated one.
"""

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

DEPTH = 2
"""Jobs at a worker: one running, and one queued so that it never waits for the next."""


@dataclass(frozen=True)
class Job:
    """One evaluation.

    Attributes:
        key: what tells it from all others.
        kind: jobs of a kind take about the same time.
        arguments: for the evaluator.
        priority: comparable with that of every other job; the smaller goes first.
    """

    key: Hashable
    kind: Hashable = field(compare=False)
    arguments: tuple[Any, ...] = field(compare=False)
    priority: Any = field(compare=False, default=0)


@dataclass(frozen=True)
class Bounds:
    """When a running job counts as overdue, and how many copies of it may be out.

    Attributes:
        times: overdue beyond so many times the long time of its kind...
        margin: ...and beyond the long time and so many seconds.
        unknown: seconds, where its kind has been seen fewer than ``seen`` times;
            longer where other kinds take long.
        seen: answers from which a kind's time counts as known.
        copies: workers that may have one job at a time.
    """

    times: float = 5.0
    margin: float = 20.0
    unknown: float = 600.0
    seen: int = 5
    copies: int = 3


class Times:
    """The latest times of something: its usual (median) and its long (nine in ten are shorter) one.

    Both hold when a stopped worker answers late, and when many proposals are
    outside the prior and take no time.
    """

    def __init__(self, window: int) -> None:
        self._latest: deque[float] = deque(maxlen=window)
        self.count = 0
        self.usual = 0.0
        self.long = 0.0

    def add(self, value: float) -> None:
        """Take note of one more."""
        self.count += 1
        self._latest.append(value)
        ordered = sorted(self._latest)
        self.usual = ordered[(len(ordered) - 1) // 2]
        self.long = ordered[(len(ordered) * 9 - 1) // 10]


class _Worker:
    """A worker as the rules see it."""

    def __init__(self, number: int) -> None:
        self.number = number
        """Order of joining, which breaks ties."""
        self.jobs: list[Job] = []
        """In the order of their running; the first one runs."""
        self.since = 0.0
        """When the first one began."""
        self.silent = False
        self.alone: Hashable = None
        """Key of a job behind which none may be queued."""
        self._ratios = Times(window=16)

    @property
    def factor(self) -> float:
        """Its usual time relative to all workers'."""
        return self._ratios.usual if self._ratios.count else 1.0

    def learn(self, ratio: float) -> None:
        self._ratios.add(ratio)


_Place = tuple[float, int, str]
"""What is best if small, a worker's number, its name."""


class Dispatcher:
    """Decides which worker runs which job.

    Args:
        depth: jobs at a worker, the running one included.
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
        """Busy workers with a free place, by when they are expected to have done all that they have.

        In order, so that a choice takes as long with a thousand workers as with ten."""
        self._places: dict[str, tuple[list[_Place], _Place, int]] = {}
        """In which of the two a worker is, as what, and how many jobs it can take."""
        self._room = 0
        self._holders: dict[Hashable, list[str]] = {}
        """Who has each job that is not answered yet, by its key."""
        self._kinds: dict[Hashable, Times] = {}

    @property
    def workers(self) -> tuple[str, ...]:
        """All that joined and did not leave, in that order."""
        return tuple(self._workers)

    def silent(self, worker: str) -> bool:
        """Whether it has an overdue job, and so gets no more until it answers."""
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
        """Remove a worker; return its jobs that nobody else has who still answers, to be given again."""
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
        """Forget a job that is given up: no answer to it is awaited any more."""
        self._holders.pop(job.key, None)

    def wanted(self, job: Job) -> bool:
        """Whether its answer is still awaited."""
        return job.key in self._holders

    def room(self) -> int:
        """Jobs that can be given now: idle workers and free places in the queues."""
        return self._room

    def give(self, job: Job, now: float, *, alone: bool = False) -> str:
        """Choose a worker for a job: the fastest idle one, else the one that will be free soonest.

        Args:
            job: to be run; may be at other workers already.
            now: the time.
            alone: queue nothing behind it, as it may be what kills workers: what dies
                with it would come under the same suspicion.

        Returns:
            The worker.

        Raises:
            LookupError: if no worker that does not have it already has a free place.
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
        """Take note of a worker's answer, and learn from the seconds that it took there.

        Returns:
            Whether it is the first answer to this job, and awaited.
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
        """Find the workers that fell silent since the last call, and their jobs to be started elsewhere.

        That is the job that runs far too long and what is queued behind it.
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
        """Seconds after which the running job of ``worker`` is overdue."""
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
        """When a busy worker is expected to have done all that it has."""
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
        """Have a worker found, or not, by what it has now."""
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
        """Have a worker not found any more."""
        if name in self._places:
            places, place, room = self._places.pop(name)
            del places[bisect_left(places, place)]
            self._room -= room
