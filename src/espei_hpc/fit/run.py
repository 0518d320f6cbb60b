"""A whole fit: wait for the cluster, run ESPEI on it, say what came of it, let the cluster go."""

import contextlib
import copy
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil

from espei_hpc.cluster import dask_settings, local, readiness, shutdown
from espei_hpc.cluster.directory import ClusterDirectory
from espei_hpc.exit_codes import SIGNAL_BASE, ExitCode
from espei_hpc.faults import Fault, Refusal
from espei_hpc.fit.stop import Stopped, Stopper
from espei_hpc.fit.where import Wanted, Where, find
from espei_hpc.problem import Problem

Say = Callable[[str], None]
SUPERVISOR_GONE = "the script that started the fit is gone"


def run(problem: Problem, wanted: Wanted, stopper: Stopper, supervisor: int | None, say: Say) -> int:
    """Fit and return the exit code.

    Args:
        problem: the checked input.
        wanted: what is said about the cluster.
        stopper: already listening to signals.
        supervisor: process whose end ends the fit; None for none.
        say: prints a line.

    Raises:
        Refusal: if the fit could not be run, or was lost on the way.
    """
    if supervisor is not None:
        stopper.watch(_lost_supervisor(supervisor))
    if not problem.samples:
        return _fit(problem, problem.settings, None, stopper, say)
    where = find(problem, wanted)
    try:
        with _cluster(where):
            workers = readiness.wait(where.goal, stopper.check)
            if where.directory and not where.local:
                stopper.watch(_lost_cluster(where.directory))
            say(f"cluster ready: {workers} workers")
            return _fit(problem, _settings(problem, where.scheduler_file), where.directory, stopper, say)
    except Stopped:
        return _stopped_early(problem, where.directory, stopper, say)


def _fit(
    problem: Problem, settings: dict[str, Any], directory: ClusterDirectory | None, stopper: Stopper, say: Say
) -> int:
    from espei_hpc.fit import progress, stock, summary

    display = progress.display()
    try:
        sampling = stock.run(settings, stopper, display.report)
    except Exception as error:
        if stopper.lost:
            raise _lost(directory, stopper, "during the fit") from error
        raise _failed(directory, error) from error
    finally:
        display.close()
    for line in summary.lines(sampling, _outputs(problem)):
        say(line)
    if sampling.done == sampling.iterations:
        return ExitCode.OK
    so_far = f"after {sampling.done} of {sampling.iterations} iterations, which are saved"
    if stopper.signal is None:
        raise _lost(directory, stopper, so_far)
    say(f"stopped by signal {stopper.signal} {so_far}")
    return ExitCode.STOPPED


@contextlib.contextmanager
def _cluster(where: Where) -> Iterator[None]:
    """Use the cluster's Dask configuration; start it if it is a local one; end it if it is ours."""
    dask_settings.use_only(where.directory.dask_config if where.directory else None)
    dask_settings.silence()
    if where.directory is None:
        yield
    elif where.local:
        try:
            with local.running(where.directory, where.goal.workers or 1):
                yield
        finally:
            where.directory.remove_keys()
        where.directory.remove()
    else:
        try:
            yield
        finally:
            if where.directory.launcher_ended() is None:
                shutdown.ask(where.scheduler_file)


def _settings(problem: Problem, scheduler_file: Path) -> dict[str, Any]:
    """Return ESPEI's input with the cluster in place of what it names itself."""
    settings = copy.deepcopy(problem.settings)
    if settings.get("mcmc") is not None:
        settings["mcmc"]["scheduler"] = str(scheduler_file)
        settings["mcmc"].pop("cores", None)
    return settings


def _outputs(problem: Problem) -> tuple[Path, ...]:
    named = (problem.output_db, problem.trace, problem.lnprob)
    return tuple(path for path in named if path is not None)


def _lost_cluster(directory: ClusterDirectory) -> Callable[[], str | None]:
    def look() -> str | None:
        code = directory.launcher_ended()
        return None if code is None else f"the launcher ended with exit code {code}"

    return look


def _lost_supervisor(pid: int) -> Callable[[], str | None]:
    try:
        supervisor = psutil.Process(pid)
    except psutil.NoSuchProcess:
        return lambda: SUPERVISOR_GONE

    def look() -> str | None:
        # psutil knows a process from a later one with its number; one that nobody has waited for is over too.
        with contextlib.suppress(psutil.NoSuchProcess):
            if supervisor.is_running() and supervisor.status() != psutil.STATUS_ZOMBIE:
                return None
        return SUPERVISOR_GONE

    return look


def _stopped_early(problem: Problem, directory: ClusterDirectory | None, stopper: Stopper, say: Say) -> int:
    """Say what a stop with no samples, or too few to make a database of, has left."""
    saved = [path for path in _outputs(problem) if path.exists()]
    if stopper.signal is None:
        raise _lost(directory, stopper, "before the sampling had begun")
    say(f"stopped by signal {stopper.signal} before there was a chain to make a database of")
    for path in saved:
        say(f"written          {path}")
    return ExitCode.STOPPED if saved else SIGNAL_BASE + stopper.signal


def _lost(directory: ClusterDirectory | None, stopper: Stopper, when: str) -> Refusal:
    tail = directory.log_tail() if directory else ()
    cure = "the end of the launcher's log follows" if tail else ""
    return Refusal(ExitCode.UNAVAILABLE, [Fault("cluster", f"lost {when}: {stopper.lost}", cure)], tail)


def _failed(directory: ClusterDirectory | None, error: Exception) -> Refusal:
    """ESPEI raised: keep the traceback for whoever wants it, say what happened in one line."""
    cure = ""
    if directory:
        log = directory.path / "traceback.log"
        with contextlib.suppress(OSError):
            log.write_text("".join(traceback.format_exception(error)))
            cure = f"the traceback is in {log}"
    return Refusal(ExitCode.FAILED, [Fault("fit", f"{type(error).__name__}: {error}", cure)])
