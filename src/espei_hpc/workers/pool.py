"""Evaluations on the workers of a Dask cluster, with exactly one result each, even if workers fail."""

import pickle
import time
from collections.abc import Callable, Hashable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from queue import Empty
from types import TracebackType
from typing import Any, Self

import distributed

from espei_hpc.workers import refusals
from espei_hpc.workers.clock import Clock
from espei_hpc.workers.crew import Crew
from espei_hpc.workers.dispatch import DEPTH, Bounds, Dispatcher, Job
from espei_hpc.workers.limits import Limits
from espei_hpc.workers.remote import Events, Remote
from espei_hpc.workers.results import Done, Failed
from espei_hpc.workers.runner import Answer

TICK = 0.5
"""Seconds between two checks for overdue jobs."""


@dataclass
class _Out:
    """A job without a result yet."""

    job: Job
    arguments: bytes
    deaths: list[str] = field(default_factory=list)


class Pool:
    """Runs jobs on every worker of a cluster, with one evaluator on each; use it from one thread.

    Args:
        client: a synchronous client of the cluster. With ``direct_to_workers=True``
            calls do not go through the scheduler; each worker uses up to ``depth``
            connections of its ``connection_limit``.
        factory: called on each worker with ``packed``, returns the evaluator: a
            callable with an attribute ``description`` that can be pickled and
            compared. It must be importable there.
        packed: input from which the evaluator is built.
        depth: jobs per worker, including the running one.
        bounds: when a job is overdue.
        limits: time limits and retry limits.

    Attributes:
        notes: messages for the user about workers; the caller empties it.
    """

    def __init__(
        self,
        client: distributed.Client,
        factory: Callable[[bytes], Callable[..., Any]],
        packed: bytes,
        *,
        depth: int = DEPTH,
        bounds: Bounds | None = None,
        limits: Limits | None = None,
    ) -> None:
        self._dispatcher = Dispatcher(depth, bounds)
        self._limits = limits or Limits()
        self._events: Events = Events()
        self._clock = Clock()
        made_from = pickle.dumps((factory, packed), protocol=pickle.HIGHEST_PROTOCOL)
        self._crew = Crew(
            client, made_from, self._events, self._clock, self._limits, joined=self._joined, left=self._left
        )
        self.notes = self._crew.notes
        self._out: dict[Hashable, _Out] = {}
        self._moving: dict[Hashable, float] = {}
        """Jobs to be started elsewhere, with their earliest start."""
        self._came: list[Done | Failed] = []
        self._tended = self._heard = self._clock.now()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def workers(self) -> int:
        """Number of workers whose evaluator is ready."""
        return len(self._dispatcher.workers)

    @property
    def making(self) -> int:
        """Number of workers that are building their evaluator."""
        return self._crew.making

    def start(self, still_wanted: Callable[[], None]) -> Any:
        """Build evaluators on all workers, and wait for the first one; other workers join when ready.

        Args:
            still_wanted: called regularly; raises to stop waiting.

        Returns:
            The description of the evaluator.

        Raises:
            Refusal: if no worker can build one, or not in time.
        """
        self._crew.start()
        while self._crew.description is None:
            still_wanted()
            self._hear(TICK)
            self._tend()
        return self._crew.description[0]

    def room(self) -> int:
        """Jobs that can be given now."""
        return max(0, self._dispatcher.room() - len(self._moving))

    def give(self, job: Job) -> None:
        """Run a job; only call this if there is room.

        Raises:
            LookupError: if there is no room.
        """
        if not self._out:
            self._heard = self._clock.now()
        arguments = pickle.dumps(job.arguments, protocol=pickle.HIGHEST_PROTOCOL)
        self._out[job.key] = _Out(job, arguments)
        try:
            self._send(job)
        except LookupError:
            del self._out[job.key]
            raise

    def wait(self, seconds: float) -> list[Done | Failed]:
        """Wait for results, at most ``seconds``, and return them.

        Raises:
            Refusal: if the workers or the scheduler are lost, no worker answers any more,
                or a new worker has a different evaluator.
        """
        end = time.monotonic() + seconds
        while True:
            left = 0.0 if self._came else end - time.monotonic()
            heard = self._hear(min(TICK, left))
            self._tend()
            if not heard and (self._came or left <= 0):
                came, self._came = self._came, []
                return came

    def close(self) -> None:
        """Release everything on the cluster; takes a few seconds at most, even if workers hang."""
        self._crew.close()

    def _hear(self, seconds: float) -> bool:
        """Handle the next event, if one comes within ``seconds``."""
        try:
            event = self._events.get(timeout=max(0.0, seconds))
        except Empty:
            return False
        event()
        return True

    def _tend(self) -> None:
        """Regularly move overdue jobs to other workers, and check the limits."""
        now = self._clock.now()
        if now - self._tended < TICK:
            return
        self._tended = now
        overdue = self._dispatcher.overdue(now)
        for worker in dict.fromkeys(worker for worker, _ in overdue):
            self._crew.note(
                f"{self._crew[worker]} hangs (no result for {self._dispatcher.bound(worker):.0f} s): "
                "its jobs go to other workers, and it gets no more until it answers"
            )
        for _, job in overdue:
            self._moving.setdefault(job.key, now)
        self._place(now)
        self._crew.check(now)
        if self._out and now - self._heard > self._limits.answer + self._dispatcher.patience:
            raise refusals.no_answer(now - self._heard, len(self._out), self._crew.remotes)

    def _place(self, now: float) -> None:
        """Start jobs of other workers again, if there is room."""
        if not self._crew.connected:
            return
        due = [self._out[key].job for key, start in self._moving.items() if start <= now]
        for job in sorted(due, key=lambda job: job.priority):
            with suppress(LookupError):
                self._send(job)
                del self._moving[job.key]

    def _send(self, job: Job) -> None:
        out = self._out[job.key]
        remote = self._crew[self._dispatcher.give(job, self._clock.now(), alone=bool(out.deaths))]
        remote.start(
            partial(remote.run, out.arguments),
            partial(self._answered, remote, job),
            partial(self._crew.lose, remote),
            self._events,
        )

    def _joined(self, remote: Remote) -> None:
        now = self._clock.now()
        self._dispatcher.join(remote.address, now)
        self._place(now)

    def _left(self, remote: Remote) -> None:
        """Move the jobs that only a lost worker had."""
        for job in self._dispatcher.leave(remote.address):
            self._move(job, remote)
        self._place(self._clock.now())

    def _move(self, job: Job, remote: Remote) -> None:
        """Move a job of a lost worker, or give it up if it seems to kill workers.

        It is unknown which of its jobs the worker was running: it may have finished
        the first one and lost its result.
        """
        out = self._out[job.key]
        # If the scheduler is lost too, the whole cluster is dying: do not blame this job.
        if self._crew.connected:
            out.deaths.append(f"{remote}: {remote.used}")
        if len(out.deaths) < self._limits.deaths:
            pause = self._limits.pause if len(out.deaths) > 1 else 0.0
            self._moving[job.key] = self._clock.now() + pause
            return
        self._dispatcher.drop(job)
        self._forget(job)
        cause = f"its worker died {len(out.deaths)} times, most likely killed for lack of memory"
        why = f"{cause}: {'; '.join(out.deaths)}"
        self._came.append(Failed(job, why, "", "", remote.address, remote.host))

    def _answered(self, remote: Remote, job: Job, answer: Answer) -> None:
        if remote not in self._crew:
            return
        self._heard = self._clock.now()
        remote.note_memory(answer.memory, answer.peak)
        if self._dispatcher.silent(remote.address):
            self._crew.note(f"{remote} answers again")
        if not self._dispatcher.finished(remote.address, job, answer.seconds, self._heard):
            return
        self._forget(job)
        self._came.append(_result(remote, job, answer))

    def _forget(self, job: Job) -> None:
        del self._out[job.key]
        self._moving.pop(job.key, None)


def _result(remote: Remote, job: Job, answer: Answer) -> Done | Failed:
    if answer.trouble is None:
        return Done(job, pickle.loads(answer.value), answer.seconds, remote.address, answer.began)  # noqa: S301
    cause = f"memory: {remote}, {remote.used}" if answer.trouble.memory else f"exception: {remote}"
    return Failed(job, cause, answer.trouble.error, answer.trouble.traceback, remote.address, remote.host)
