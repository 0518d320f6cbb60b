"""The run directory of a fit, ``NAME.run``: locked by one process, with the files of earlier starts."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from espei_hpc.errors import Fault, Refusal
from espei_hpc.exit_codes import ExitCode
from espei_hpc.inputs import Problem
from espei_hpc.inputs.fingerprint import USER_CODE, fingerprint
from espei_hpc.rundir.changes import compare
from espei_hpc.rundir.checkpoint import Saved, Store, check_array
from espei_hpc.rundir.cluster_directory import cannot_create
from espei_hpc.rundir.evaluations import NAME as EVALUATIONS
from espei_hpc.rundir.files import PRIVATE_DIRECTORY, read_json, write_json
from espei_hpc.rundir.lock import Lock
from espei_hpc.rundir.progress_file import NAME as PROGRESS
from espei_hpc.rundir.record import NAME, SAMPLER, Record
from espei_hpc.rundir.timeline import NAME as TIMELINE
from espei_hpc.sampler import FloatArray
from espei_hpc.sampler.goal import Goal, Judgement, judge
from espei_hpc.sampler.moves import MOVES, STRETCH

CHECKPOINT = "checkpoint"
FAILED_PARAMETERS = "failed-parameters.json"
"""Tells with which parameters an evaluation failed, and how."""
DIFFERENCE = "difference.json"
"""Records where a prepared unit's result differed from ESPEI's; while it exists, nothing is prepared."""
OPTIMUM = "optimum.json"
"""The best fit that a search has found, with what the data determine."""
ANSWER = "requeue"
"""Whether to restart the fit, as the last start left it for its job script."""
NEW_START = "start a new fit with --force-new (the old one is moved aside), or use another --run-dir"


@dataclass
class RunDirectory:
    """A run directory that this process holds.

    Attributes:
        path: its path.
        lock: keeps other processes out.
        store: its checkpoint.
        record: the record of the last start; None if there is none.
        saved: the chain of the checkpoint; None if there is none.
        notes: damage that was found, one sentence each.
        judged: how close the saved chain is to its goal; None if there is no goal.
    """

    path: Path
    lock: Lock
    store: Store
    record: Record | None = None
    saved: Saved | None = None
    notes: tuple[str, ...] = ()
    judged: Judgement | None = None

    @property
    def done(self) -> int:
        """Number of saved iterations."""
        return self.saved.state.iteration if self.saved else 0

    def complete(self, problem: Problem) -> bool:
        """Whether the saved chain is complete, so that no cluster is needed."""
        reached = self.judged is not None and self.judged.reached
        return problem.samples and (self.done >= problem.iterations or reached)

    def judge(self, goal: Goal | None, sampler: str) -> None:
        """Compare the saved chain of a sampler with a goal."""
        saved = self.saved
        self.judged = judge(goal, saved.positions, MOVES[sampler].part) if goal and saved else None

    def finished(self, problem: Problem) -> bool:
        """Whether the chain is complete and all outputs are written."""
        outputs = (problem.output_db, problem.trace, problem.lnprob)
        written = all(path.exists() for path in outputs if path is not None)
        return self.complete(problem) and written and bool(self.record and self.record.finished == self.done)

    def found(self, problem: Problem, starts: int) -> bool:
        """Whether the best fit of so many starts is found and its database is written."""
        finished = self.record is not None and self.record.finished is not None
        kept = (read_json(self.path / OPTIMUM) or {}).get("starts", ())
        return finished and len(kept) >= starts and problem.output_db.exists()

    def owns(self, path: Path) -> bool:
        """Whether a file holds only samples of this chain, so that it may be overwritten."""
        return self.saved is not None and (
            _may_be_written(path, self.saved.positions) or _may_be_written(path, self.saved.log_probabilities)
        )

    def load(self) -> None:
        """Read the files of earlier starts.

        Raises:
            Refusal: if they are not usable.
        """
        self.record = Record.read(self.path)
        self.saved = self.store.load()
        self.notes = tuple(self.store.notes)

    def check_same(self, problem: Problem, sampler: str = STRETCH, *, searches: bool = False) -> None:
        """Refuse to resume the chain of another problem or sampler.

        Args:
            problem: the problem now.
            sampler: name of the sampler now.
            searches: whether the best fit is searched, now as before.

        Raises:
            Refusal: (BAD_INPUT) naming everything that has changed.
        """
        if self.saved is None and not (searches and self.searched):
            return
        if self.record is None:
            what = "has a checkpoint, but its run.json is missing or not readable"
            raise Refusal(ExitCode.BAD_INPUT, [Fault(str(self.path), what, NEW_START)])
        recorded, now = (
            {SAMPLER: STRETCH, **self.record.fingerprint},
            {SAMPLER: sampler, **fingerprint(problem)},
        )
        if problem.user_code is None and not any(map(_is_user_code, recorded)):
            # Version 0.1.0 did not record a fitting description beside the input.
            now = {name: mark for name, mark in now.items() if not _is_user_code(name)}
        changes = compare(recorded, now)
        if changes:
            faults = [Fault(str(self.path), change) for change in changes]
            why = "cannot resume a chain with a different problem"
            undo = "undo these changes"
            if sampler != self.record.sampler:
                why += " or sampler"
                undo += f" (give --sampler {self.record.sampler})"
            faults.append(Fault(str(problem.path), why, f"{undo}, or {NEW_START}"))
            raise Refusal(ExitCode.BAD_INPUT, faults)

    def begin(self, problem: Problem, sampler: str = STRETCH) -> None:
        """Record the problem and the sampler that this directory belongs to."""
        # Without a mark for the stretch move, earlier versions can resume its chains.
        other = {} if sampler == STRETCH else {SAMPLER: sampler}
        self.record = Record.new(fingerprint(problem) | other, problem.user_code)
        self.record.write(self.path)

    def finish(self, iterations: int, judged: Judgement | None = None) -> None:
        """Record that the fit is finished, by its goal or by its iterations, and its outputs are written."""
        if self.record is not None:
            reached = asdict(judged) if judged is not None and judged.reached else None
            self.record = replace(self.record, finished=iterations, reached=reached)
            self.record.write(self.path)

    def started(self) -> None:
        """Record that a start is running; it stays recorded so if the start is killed."""
        (self.path / ANSWER).unlink(missing_ok=True)
        if self.record is not None and self.record.ended is not None:
            self.record = replace(self.record, ended=None)
            self.record.write(self.path)

    def ended(self, code: int, iteration_seconds: float | None, workers: int | None) -> None:
        """Record how a start has ended.

        Args:
            code: its exit code.
            iteration_seconds: mean time per iteration, s; None if it finished none.
            workers: number of its workers.
        """
        if self.record is None:
            return
        self.record = replace(self.record, ended=int(code))
        if iteration_seconds is not None:
            self.record = replace(self.record, iteration_seconds=iteration_seconds, workers=workers)
        # Report the original error, such as a full disk, not the failure to record it.
        with suppress(Refusal):
            self.record.write(self.path)

    @property
    def differed(self) -> bool:
        """Whether a prepared likelihood was found to differ from ESPEI's in this fit."""
        return (self.path / DIFFERENCE).exists()

    def go_back(self, problem: Problem, iteration: int, difference: Mapping[str, object]) -> None:
        """Record a difference, and go back to the last checkpoint with at most ``iteration`` iterations.

        Raises:
            Refusal: if files cannot be written or moved.
        """
        write_json(self.path / DIFFERENCE, difference)
        # They may hold discarded samples; and they are this chain's own (see ``owns``).
        for path in (problem.trace, problem.lnprob):
            if path is not None:
                path.unlink(missing_ok=True)
        self.store.go_back(iteration)
        self.load()

    @property
    def begun(self) -> bool:
        """Whether an earlier start left a checkpoint, readable or not."""
        return self.store.directory.exists() or self.searched

    @property
    def searched(self) -> bool:
        """Whether an earlier start left evaluations of a search."""
        return (self.path / EVALUATIONS).exists()

    def set_aside(self, problem: Problem) -> Path:
        """Move all files of earlier starts to a new directory next to this one, and return its path."""
        number = 1
        while (aside := self.path.with_name(f"{self.path.name}.{number}")).exists():
            number += 1
        aside.mkdir(mode=PRIVATE_DIRECTORY)
        for name in (
            CHECKPOINT,
            NAME,
            DIFFERENCE,
            EVALUATIONS,
            FAILED_PARAMETERS,
            OPTIMUM,
            PROGRESS,
            TIMELINE,
        ):
            if (self.path / name).exists():
                (self.path / name).rename(aside / name)
        for path in (problem.trace, problem.lnprob):
            if path is not None and path.exists():
                shutil.move(path, aside / path.name)
        self.store = Store(self.path / CHECKPOINT)
        self.record, self.saved, self.notes = None, None, ()
        return aside


def _is_user_code(name: str) -> bool:
    return name.startswith(USER_CODE)


def _may_be_written(path: Path, array: FloatArray) -> bool:
    try:
        check_array(path, array)
    except Refusal:
        return False
    return True


@contextmanager
def held(
    path: Path, still_wanted: Callable[[], None] = lambda: None, job: str = ""
) -> Iterator[RunDirectory]:
    """Lock a run directory, so that no other process runs a fit in it.

    Args:
        path: the run directory; created if it does not exist.
        still_wanted: called while waiting for a lock held on another host; raises to give up.
        job: batch system and job of this process, which a second process reports; empty outside a job.

    Raises:
        Refusal: (UNAVAILABLE) if another process holds the lock, naming it; (CANNOT_CREATE) if the
            directory cannot be created.
    """
    path = path.resolve()
    directory = RunDirectory(path, Lock(path, job), Store(path / CHECKPOINT))
    try:
        directory.path.mkdir(mode=PRIVATE_DIRECTORY, parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_create(path, error) from error
    directory.lock.acquire(still_wanted)
    try:
        yield directory
    finally:
        directory.lock.release()
