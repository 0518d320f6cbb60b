"""A whole fit: lock its run directory, wait for the cluster, fit, print a summary, release the cluster."""

import contextlib
import copy
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from espei_hpc import parent_process
from espei_hpc.cluster import dask_settings, failed_hosts, launcher_log, local, readiness, shutdown
from espei_hpc.errors import Fault, Refusal
from espei_hpc.exit_codes import SIGNAL_BASE, ExitCode
from espei_hpc.fit.losses import lost_cluster, lost_supervisor
from espei_hpc.fit.opening import Opening, opened
from espei_hpc.fit.stop import Stopped, Stopper
from espei_hpc.fit.walltime import Walltime
from espei_hpc.fit.where import ClusterOptions, Where, find
from espei_hpc.inputs import Problem
from espei_hpc.rundir import cleanup as earlier
from espei_hpc.rundir.cluster_directory import ClusterDirectory
from espei_hpc.rundir.run_directory import RunDirectory
from espei_hpc.sampler.sampling import Sampling
from espei_hpc.text import counted

Say = Callable[[str], None]


def run(
    opening: Opening,
    wanted: ClusterOptions,
    stopper: Stopper,
    walltime: Walltime,
    supervisor: int | None,
    say: Say,
) -> int:
    """Fit and return the exit code.

    Args:
        opening: the input, its run directory and how to begin.
        wanted: which cluster to use.
        stopper: already listening to signals.
        walltime: how much longer the fit may run.
        supervisor: number of a process whose end stops the fit; None for none.
        say: prints a line.

    Raises:
        Refusal: if the fit could not run, or lost its cluster.
    """
    started_by = parent_process.apptainer()
    if started_by:
        parent_process.end_with_parent()
    try:
        # Inside the try: if the script has ended already, this raises at once.
        if supervisor is not None:
            stopper.watch(lost_supervisor(supervisor))
        return _run(opening, wanted, stopper, walltime, say)
    finally:
        if wanted.cluster_id is not None:
            # The script ends its cluster; but it may be gone while the cluster is still starting.
            ClusterDirectory(wanted.run_directory.resolve(), wanted.cluster_id).end()
        if started_by:
            started_by.clean_up()


def _run(opening: Opening, wanted: ClusterOptions, stopper: Stopper, walltime: Walltime, say: Say) -> int:
    with opened(opening, stopper.check, say) as (problem, directory):
        fit = _kind(opening)(problem, directory, opening, stopper, walltime, say)
        code: int = ExitCode.FAILED
        # This process holds the run directory, so no other start is in use.
        earlier.tidy(directory.path, but=wanted.cluster_id)
        directory.started()
        try:
            code = fit.run(wanted)
        except Refusal as refusal:
            code = refusal.code
            raise
        except Stopped:
            code = SIGNAL_BASE + (stopper.signal or 0)
            raise
        finally:
            directory.ended(code, walltime.iteration, walltime.workers)
        return code


def _kind(opening: Opening) -> "type[FitRun]":
    if opening.search is None:
        return FitRun
    from espei_hpc.fit.search_run import SearchRun

    return SearchRun


@dataclass
class FitRun:
    """One start of a fit, from the wait for its cluster to its exit code."""

    problem: Problem
    directory: RunDirectory
    opening: Opening
    stopper: Stopper
    walltime: Walltime
    say: Say
    cluster: ClusterDirectory | None = None
    sampling: Sampling = field(default_factory=Sampling)

    def run(self, wanted: ClusterOptions) -> int:
        """Do the remaining work and return the exit code."""
        problem, directory = self.problem, self.directory
        if not problem.samples:
            return self.without_cluster()
        if directory.finished(problem):
            self.say(_finished_already(directory, problem))
            return ExitCode.OK
        if directory.complete(problem):
            return self.without_cluster()
        self.walltime.check(directory.record, wanted.workers)
        return self.on_cluster(find(problem, wanted))

    def on_cluster(self, where: Where) -> int:
        """Fit on a cluster; end the cluster with the fit if it is ours."""
        self.cluster = where.directory
        try:
            if self.walltime.known:
                self.say(self.walltime.describe())
                self.stopper.watch_clock(self.walltime.over)
            with _cluster(where):
                workers = readiness.wait(where.goal, self.stopper.check)
                self.walltime.workers = workers
                if where.directory and not where.local:
                    self.stopper.watch(lost_cluster(where.directory))
                self.say(f"cluster ready: {counted(workers, 'worker')}")
                if why := _why_without_mpi(where.directory):
                    self.say(f"ranks started without MPI ({why})")
                return self._fit(where.scheduler_file)
        except Stopped:
            return self._stopped_early()

    def without_cluster(self) -> int:
        """Fit without evaluating the likelihood: only the outputs are missing."""
        return self._fit(None)

    def _fit(self, scheduler_file: Path | None) -> int:
        from espei_hpc.fit import progress, summary

        display = progress.display()
        try:
            sampling = self._sample(scheduler_file, display.report)
        except Refusal:
            raise
        except Exception as error:
            if self.stopper.lost:
                raise self._lost("during the fit") from error
            raise self._failed(error) from error
        finally:
            display.close()
        for line in summary.lines(sampling, self._outputs(), self.problem.outside):
            self.say(line)
        if sampling.done >= sampling.iterations or sampling.reached:
            return ExitCode.OK
        so_far = f"after {sampling.done} of {counted(sampling.iterations, 'iteration')}, all saved"
        if self.stopper.over is not None:
            return self._over(sampling.done, so_far)
        if self.stopper.signal is None:
            raise self._lost(so_far)
        self.say(f"stopped by signal {self.stopper.signal} {so_far}")
        return ExitCode.STOPPED

    def _over(self, done: int, so_far: str) -> int:
        """Report that the walltime is used up; refuse if not one iteration was done, as a restart would."""
        resumes = self.opening.engine == "graph"
        if done <= (self.directory.done if resumes else 0) and not self._searching:
            what = f"{self.stopper.over}, and no iteration was finished"
            raise Refusal(
                ExitCode.UNAVAILABLE, [Fault("time", what, "request more walltime or more workers")]
            )
        again = "; run the same command to resume" if resumes else ""
        self.say(f"stopped {so_far}: {self.stopper.over}{again}")
        return ExitCode.STOPPED

    def _sample(self, scheduler_file: Path | None, report: Callable[[Sampling], None]) -> Sampling:
        if self.problem.samples and self.opening.engine == "graph":
            from espei_hpc.fit.graph_fit import GraphFit

            fit = GraphFit(
                self.problem,
                self.directory,
                scheduler_file,
                self.stopper,
                self.walltime,
                self.opening.verify,
                report,
                self.say,
                self.opening.goal,
                self.opening.sampler,
            )
            self.sampling = fit.sampling
            self._keep_image()
            return fit.run()
        from espei_hpc.fit import stock

        self._keep_image()
        return stock.run(_settings(self.problem, scheduler_file), self.stopper, report)

    def _keep_image(self) -> None:
        """Make sure that all is saved even without the image; what saving needs is loaded by now."""
        if started_by := parent_process.apptainer():
            started_by.keep_image()

    def _outputs(self) -> tuple[Path, ...]:
        named = (self.problem.output_db, self.problem.trace, self.problem.lnprob)
        return tuple(path for path in named if path is not None)

    def _stopped_early(self) -> int:
        """Report a stop with no iterations, or too few to write a database."""
        done = self.sampling.done
        if self.stopper.over is not None:
            return self._over(
                done, f"after {counted(done, 'iteration')}, all saved, too few to write a database"
            )
        if self.stopper.signal is None:
            saved = f"after {counted(done, 'iteration')}, all saved, too few to write a database"
            raise self._lost(saved if done else "before the first iteration was finished")
        saved = "; its search is saved: run the same command to resume" if self._searching else ""
        self.say(
            f"stopped by signal {self.stopper.signal} with too few iterations to write a database{saved}"
        )
        written = [path for path in self._outputs() if path.exists()]
        for path in written:
            self.say(f"written          {path}")
        resumes = written or self._searching
        return ExitCode.STOPPED if resumes else SIGNAL_BASE + self.stopper.signal

    @property
    def _searching(self) -> bool:
        """Whether the best fit was still being searched, around which a chain is to begin."""
        return self.directory.searched and self.directory.saved is None and not self.sampling.done

    def _lost(self, when: str) -> Refusal:
        # Restart the cluster only if the fit can resume, and only if the cluster was ready before.
        silent: list[str] = []
        if self.cluster and self.walltime.workers is not None and self.opening.engine == "graph":
            silent = failed_hosts.silent_hosts(self.cluster)
            self.cluster.lost(silent)
        tail = self.cluster.log_tail() if self.cluster else ()
        cure = "the end of the launcher's log is below" if tail else ""
        faults = [Fault("cluster", f"lost {when}: {self.stopper.lost}", cure)]
        faults += [Fault(f"host {host}", "does not answer") for host in silent]
        faults += launcher_log.causes(self.cluster) if self.cluster else []
        return Refusal(ExitCode.UNAVAILABLE, faults, tail)

    def _failed(self, error: Exception) -> Refusal:
        """Save the traceback of an exception in ESPEI, and report it in one line."""
        cure = ""
        if self.cluster:
            log = self.cluster.traceback_file
            with contextlib.suppress(OSError):
                log.write_text("".join(traceback.format_exception(error)))
                cure = f"see {log} for the traceback"
        return Refusal(ExitCode.FAILED, [Fault("fit", f"{type(error).__name__}: {error}", cure)])


@contextlib.contextmanager
def _cluster(where: Where) -> Iterator[None]:
    """Use the cluster's Dask configuration; start it if it is a local one; end it if it is ours."""
    # For a cluster of another owner, readiness.wait finds the configuration.
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
        ours = where.directory
        try:
            yield
        finally:
            shutdown.ask(where.scheduler_file, lambda: ours.launcher_ended() is not None)


def _settings(problem: Problem, scheduler_file: Path | None) -> dict[str, Any]:
    """Return ESPEI's input with the scheduler file of our cluster."""
    settings = copy.deepcopy(problem.settings)
    if settings.get("mcmc") is not None:
        settings["mcmc"]["scheduler"] = str(scheduler_file)
        settings["mcmc"].pop("cores", None)
    return settings


def _finished_already(directory: RunDirectory, problem: Problem) -> str:
    if directory.done >= problem.iterations or directory.judged is None:
        done = counted(directory.done, "iteration")
        return f"already finished: {done}; increase mcmc.iterations to continue"
    asked = counted(problem.iterations, "iteration")
    return (
        f"already finished: {directory.judged}, after {directory.done} of {asked}; "
        "increase or omit --until to continue"
    )


def _why_without_mpi(cluster: ClusterDirectory | None) -> str | None:
    first_rank = cluster.ranks().get(0, {}) if cluster else {}
    why: str | None = first_rank.get("without_mpi")
    return why
