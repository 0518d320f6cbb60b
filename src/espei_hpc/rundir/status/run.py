"""The status of a fit, read from the files of its run directory."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import yaml

from espei_hpc.errors import Fault, Refusal
from espei_hpc.exit_codes import SIGNAL_BASE, ExitCode
from espei_hpc.rundir.checkpoint.recovery import segments
from espei_hpc.rundir.checkpoint.segment import Name
from espei_hpc.rundir.evaluations import NAME as EVALUATIONS
from espei_hpc.rundir.files import read_json
from espei_hpc.rundir.progress_file import Progress
from espei_hpc.rundir.record import Record
from espei_hpc.rundir.run_directory import CHECKPOINT, OPTIMUM
from espei_hpc.rundir.status import cluster, holding
from espei_hpc.rundir.status.cluster import Cluster
from espei_hpc.rundir.status.holding import Holding
from espei_hpc.rundir.status.runs import Run
from espei_hpc.sampler.moves import STRETCH


class FitState(StrEnum):
    """What a fit is doing, or how its last start ended."""

    NEVER = "never started"
    """No start has reached the first evaluation."""
    BEGINNING = "beginning"
    """It runs, but the cluster is not ready, or nothing is saved yet."""
    SAMPLING = "sampling"
    FINISHED = "finished"
    STOPPED = "stopped"
    """By a signal, or before the end of its job."""
    LOST = "lost"
    """The fit or its cluster was killed."""
    FAILED = "failed"
    CLUSTER = "a cluster without a fit of its own"
    """Started by start-cluster."""


@dataclass(frozen=True)
class Status:
    """The status of a run.

    Attributes:
        run: the run.
        state: what it is doing, or how its last start ended.
        saved: iterations in its checkpoint, from the names of the segments; their content is not read.
        saved_ago: seconds since the last segment was written, by this host's clock; None if there is none.
        asked: iterations requested in its input now; None if unknown.
        ended: exit code of its last start; None while it runs, if it was killed, and before the first.
        holding: the process that runs it; None if there is none.
        cluster: the newest start of its own cluster that still exists; None if there is none.
        progress: the progress of its last start; None if there is none.
        sampler: name of the walkers' move.
        best_fit: what a search has found, the content of ``optimum.json``; empty before, None if it samples.
    """

    run: Run
    state: FitState
    saved: int
    saved_ago: float | None
    asked: int | None
    ended: int | None
    holding: Holding | None
    cluster: Cluster | None
    progress: Progress | None
    sampler: str = STRETCH
    best_fit: Mapping[str, Any] | None = None

    @property
    def done(self) -> int:
        """Number of finished iterations; those after the last checkpoint may still be lost."""
        sampled = self.progress.iteration if self.progress and self.state is FitState.SAMPLING else None
        return max(self.saved, int(sampled or 0))

    @property
    def scheduler_host(self) -> str | None:
        """The host of its cluster's scheduler; without MPI the host of the fit."""
        if self.cluster is not None and self.cluster.host is not None:
            return self.cluster.host
        return self.holding.holder.host if self.holding and self.holding.holder else None

    @property
    def scheduler_container(self) -> str:
        """The container engine, if the scheduler's host is a container with its own hostname; else empty."""
        if self.cluster is not None and self.cluster.host is not None:
            return self.cluster.container
        return self.holding.holder.container if self.holding and self.holding.holder else ""


def look(run: Run) -> Status:
    """Read the status of a run.

    Raises:
        Refusal: (BAD_INPUT) if its run directory is not readable.
    """
    try:
        # Read the lock first: a process records how it ended before it releases the lock.
        held = holding.look(run.directory)
        names = _segments(run.directory / CHECKPOINT)
    except OSError as error:
        what = f"cannot read the run directory ({error.strerror or error})"
        cure = "only its owner may read it"
        raise Refusal(ExitCode.BAD_INPUT, [Fault(run.name, what, cure)]) from error
    record, own = Record.read(run.directory), cluster.look(run.directory)
    return Status(
        run=run,
        state=_state(record, held, own, begun=bool(names)),
        saved=_saved(names),
        saved_ago=_age(run.directory / CHECKPOINT / str(names[-1])) if names else None,
        asked=_asked(run.input_file),
        ended=record.ended if record else None,
        holding=held,
        cluster=own,
        progress=Progress.read(run.directory),
        best_fit=None if names else _best_fit(run.directory),
        sampler=record.sampler if record else STRETCH,
    )


def _state(record: Record | None, held: Holding | None, own: Cluster | None, *, begun: bool) -> FitState:
    if held is not None and held.counts:
        return FitState.SAMPLING if begun and (own is None or own.address) else FitState.BEGINNING
    if record is None:
        return FitState.CLUSTER if own is not None and own.named else FitState.NEVER
    if record.ended == ExitCode.OK:
        return FitState.FINISHED
    if record.ended in (None, ExitCode.UNAVAILABLE):
        return FitState.LOST
    return FitState.STOPPED if _signalled(record.ended) else FitState.FAILED


def _best_fit(directory: Path) -> Mapping[str, Any] | None:
    searches = (directory / EVALUATIONS).exists()
    return (read_json(directory / OPTIMUM) or {}) if searches else None


def _signalled(code: int | None) -> bool:
    return code is not None and (code == ExitCode.STOPPED or code > SIGNAL_BASE)


def _segments(directory: Path) -> list[Name]:
    try:
        return segments(directory)
    except FileNotFoundError:
        return []


def _saved(names: Sequence[Name]) -> int:
    """Return the number of iterations in consecutive segments, from the start on."""
    # Of two segments with the same beginning the longer one counts, as it does when the fit resumes.
    ends = {(name.number, name.first): name.end for name in names}
    number = done = 0
    while (number, done) in ends:
        number, done = number + 1, ends[number, done]
    return done


def _age(path: Path) -> float | None:
    try:
        return time.time() - path.stat().st_mtime
    except OSError:
        return None


def _asked(input_file: Path | None) -> int | None:
    """Return the iterations requested in an input, which ``check`` validates, not this function."""
    if input_file is None:
        return None
    try:
        asked = yaml.safe_load(input_file.read_text())["mcmc"]["iterations"]
    except (OSError, ValueError, TypeError, KeyError, yaml.YAMLError, RecursionError):
        return None
    return asked if isinstance(asked, int) else None
