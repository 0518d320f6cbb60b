"""The command ``espei-hpc``: options in, exit codes out. Only this package prints errors."""

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from espei_hpc import __version__, batch
from espei_hpc.cli import help as helping
from espei_hpc.cli import host, launch, results
from espei_hpc.cli import init as first_project
from espei_hpc.cli import install as installing
from espei_hpc.cli import job as job_scripts
from espei_hpc.cli import status as run_status
from espei_hpc.cli.inputs import takes_input
from espei_hpc.cli.options import (
    check_engine,
    database_option,
    force_new_option,
    id_option,
    min_workers_option,
    options_of_the_fit,
    run_dir_option,
    run_directory,
    sampler_option,
    scheduler_file_option,
    search,
    starts_option,
    stock_likelihood_option,
    time_left_option,
    timeout_option,
    user_code_option,
    verify_option,
    workers_option,
)
from espei_hpc.cli.prepare import prepare
from espei_hpc.cli.printing import refused, say, say_aside, show, show_usage_error
from espei_hpc.errors import Fault, Refusal
from espei_hpc.exit_codes import SIGNAL_BASE, ExitCode
from espei_hpc.text import counted

if TYPE_CHECKING:
    from espei_hpc.fit.opening import Engine
    from espei_hpc.sampler.goal import Goal


def main() -> int:
    """Run the command line and return its exit code."""
    try:
        code = commands.main(prog_name="espei-hpc", standalone_mode=False)
    except click.ClickException as error:
        show_usage_error(error)
        return ExitCode.USAGE
    except click.exceptions.Abort:
        return ExitCode.FAILED
    except Refusal as refusal:
        return refused(refusal)
    except FileNotFoundError:
        if _has_working_directory():
            raise
        what = "it was deleted, and paths are relative to it"
        cure = "change to a directory that exists: cd"
        return refused(Refusal(ExitCode.BAD_INPUT, [Fault("the working directory", what, cure)]))
    except PermissionError as error:
        # A directory that may not even be looked into, which few functions expect.
        what, cure = f"cannot be used ({error.strerror})", "let this user read and write it"
        return refused(Refusal(ExitCode.CANNOT_CREATE, [Fault(str(error.filename), what, cure)]))
    return code if isinstance(code, int) else ExitCode.OK


def _has_working_directory() -> bool:
    try:
        os.getcwd()
    except FileNotFoundError:
        return False
    return True


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="espei-hpc")
def commands() -> None:
    """Run ESPEI fits on a cluster.

    To run a fit, use espei-mpi, which starts the cluster and calls these commands.

    Example: espei-hpc init my-fit
    """


@commands.command()
@takes_input()
@run_dir_option
@user_code_option
@sampler_option
def check(input_file: Path, run_dir: Path | None, user_code: Path | None, sampler: str) -> None:
    """Check an input and the files it names; start nothing.

    Also check whether an earlier start of the fit can be resumed.

    Example: espei-hpc check --in x.yaml
    """
    from espei_hpc.fit.opening import Opening, checked

    opening = Opening(input_file, run_directory(input_file, run_dir), user_code=user_code, sampler=sampler)
    checked(opening, say)
    say(f"{input_file}: no fault found")


@commands.command()
@takes_input()
@click.option("--cores-per-node", type=click.IntRange(1), help="Use whole nodes of this many cores.")
@click.option("--hours", type=click.FloatRange(0, min_open=True), help="Find the fewest ranks that finish.")
@sampler_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@user_code_option
def plan(
    input_file: Path,
    cores_per_node: int | None,
    hours: float | None,
    sampler: str,
    as_json: bool,
    user_code: Path | None,
) -> None:
    """Estimate the walltime of a fit by its number of ranks.

    Measures the input's likelihood on this machine; writes no files.

    Example: espei-hpc plan --in x.yaml --cores-per-node 48 --hours 24
    """
    from espei_hpc.fit.ensemble import check_walkers
    from espei_hpc.fit.starting import starting
    from espei_hpc.forecast import measure, tables, words
    from espei_hpc.inputs import check as check_input

    # Nothing is written here, so files of an earlier fit are no conflict.
    problem = check_input(input_file, lambda _: True, evaluate=True, user_code=user_code)
    if not problem.samples:
        fault = Fault(f"{input_file}: mcmc", "is missing, so there is no sampling to plan")
        raise Refusal(ExitCode.BAD_INPUT, [fault])
    here = starting(problem)
    walkers, symbols = here.walkers.shape
    if advice := check_walkers(problem, sampler, walkers, symbols):
        say_aside(advice)
    measured = measure.measure(here.evaluator, here.initial, here.walkers)
    stock = measure.measure(here.stock, here.initial, here.walkers, measure.FEWEST).evaluation
    made = tables.plan(
        symbols,
        walkers,
        problem.iterations,
        measured,
        stock,
        cores_per_node=cores_per_node,
        hours=hours,
        sampler=sampler,
    )
    click.echo(json.dumps(made.as_dict()) if as_json else "\n".join(words.lines(made)))


@commands.command(hidden=True)
@click.option("--run-dir", type=click.Path(path_type=Path), required=True)
@click.option("--id", "cluster_id", required=True)
def rank(run_dir: Path, cluster_id: str) -> None:
    """Run one MPI rank of a cluster (started by the launcher)."""
    from espei_hpc.cluster import rank as one_rank
    from espei_hpc.rundir.cluster_directory import ClusterDirectory

    try:
        one_rank.run(ClusterDirectory(run_dir, cluster_id))
    except Refusal as refusal:
        show(refusal)
        sys.stderr.flush()
        # Skip MPI_Finalize, which would wait for the other ranks:
        # the launcher sees that a rank failed and ends them all.
        os._exit(refusal.code)


@commands.command(hidden=True)
@click.option("--run-dir", type=click.Path(path_type=Path), required=True)
@click.option("--id", "cluster_id", required=True)
def launcher_ended(run_dir: Path, cluster_id: str) -> None:
    """Print why the launcher of a cluster has ended (called by start-cluster)."""
    from espei_hpc.cluster import launcher_log
    from espei_hpc.rundir.cluster_directory import ClusterDirectory

    directory = ClusterDirectory(run_dir, cluster_id)
    raise directory.faults() or launcher_log.launcher_lost(directory, directory.launcher_ended() or "unknown")


@commands.command()
@click.option("--scheduler-file", type=click.Path(path_type=Path), required=True)
@workers_option
@min_workers_option
@timeout_option
def wait(scheduler_file: Path, workers: int | None, min_workers: int | None, timeout: float | None) -> None:
    """Wait until a cluster started by start-cluster is ready.

    Example: espei-hpc wait --scheduler-file my_scheduler.json -w 19

    Example: wait-for-cluster --scheduler-file my_scheduler.json -w 19
    """
    from espei_hpc.cluster import dask_settings, readiness
    from espei_hpc.rundir import named_clusters as named

    dask_settings.use_only(None)
    dask_settings.silence()
    directory = named.newest_start(scheduler_file)
    seconds = readiness.patience(workers) if timeout is None else timeout
    goal = readiness.Awaited(scheduler_file, workers, min_workers, seconds, directory)
    say(f"cluster ready: {counted(readiness.wait(goal), 'worker')}")


@commands.command()
@takes_input()
@run_dir_option
@id_option
@scheduler_file_option
@click.option("--local", is_flag=True, help="Start workers on this machine, without MPI.")
@workers_option
@options_of_the_fit
@click.option("--supervisor", type=int, metavar="PID", help="Stop the fit when this process ends.")
def fit(
    input_file: Path,
    run_dir: Path | None,
    cluster_id: str | None,
    scheduler_file: Path | None,
    local: bool,
    workers: int | None,
    min_workers: int | None,
    timeout: float | None,
    supervisor: int | None,
    end: batch.JobEnd | None,
    engine: "Engine",
    sampler: str,
    goal: "Goal | None",
    force_new: bool,
    verify: int | None,
    stock_likelihood: bool,
    optimize: bool,
    starts: int | None,
    database: Path | None,
    user_code: Path | None,
    requeue: int | None,
) -> int:
    """Fit an input on a cluster (called by espei-mpi and run-fit).

    The cluster is given by --id (started by espei-mpi), --scheduler-file (any running cluster) or
    --local; without them by mcmc.scheduler in the input.

    Example: espei-hpc fit --in x.yaml --scheduler-file my_scheduler.json

    Example: run-fit --in x.yaml --scheduler-file my_scheduler.json
    """
    from espei_hpc.fit import log_line
    from espei_hpc.fit.stop import Stopped, Stopper

    def say(line: str) -> None:
        # Not click.echo: it writes to the stream below sys.stdout, and so into a progress bar drawn there.
        print(log_line.dated(f"espei-hpc: {line}", sys.stdout), flush=True)

    check_engine(engine, goal, sampler)
    asked = search(optimize, starts, database, engine, goal, sampler)
    stopper = Stopper()
    stopper.listen()
    try:
        from espei_hpc.fit import requeue as deciding
        from espei_hpc.fit import run, where
        from espei_hpc.fit.opening import VERIFY, Opening
        from espei_hpc.fit.walltime import Walltime, age_of_this_process

        # ESPEI is loaded by now.
        walltime = Walltime(end, age_of_this_process())
        opening = Opening(
            input_file,
            run_directory(input_file, run_dir, asked),
            engine,
            force_new,
            verify=0 if stock_likelihood else verify or VERIFY,
            goal=goal,
            search=asked,
            user_code=user_code,
            sampler=sampler,
        )
        wanted = where.ClusterOptions(
            run_directory=opening.run_directory,
            cluster_id=cluster_id,
            scheduler_file=scheduler_file,
            local=local,
            workers=workers,
            min_workers=min_workers,
            timeout=timeout,
        )
        if end is None and (job := batch.allocation(os.environ)):
            say(f"the end of {job.name} is not known: the fit stops only on a signal (set --time-left)")
        try:
            code = run.run(opening, wanted, stopper, walltime, supervisor, say)
        finally:
            # After a signal no job may follow, and a lost cluster is restarted in this one.
            if requeue is not None and stopper.signal is None and stopper.lost is None:
                deciding.leave_answer(opening.run_directory, requeue, say)
        if asked is not None and code == ExitCode.OK:
            from espei_hpc.report import optimum

            for line in optimum.lines(opening.run_directory):
                print(line, flush=True)
        return code
    except Stopped:
        return SIGNAL_BASE + (stopper.signal or 0)
    except Refusal as refusal:
        return refused(refusal, lambda line: log_line.dated(line, sys.stderr))
    finally:
        stopper.ignore()


@commands.command()
@takes_input()
@run_dir_option
@scheduler_file_option
@workers_option
@timeout_option
@time_left_option
@force_new_option
@verify_option
@stock_likelihood_option
@starts_option
@database_option
@click.pass_context
def optimize(context: click.Context, /, scheduler_file: Path | None, **options: Any) -> int:
    """Find the best fit by least squares.

    Uses this machine's cores, or a running cluster; on ranks of MPI: espei-mpi --optimize. Writes the
    database, and prints each symbol's value and standard error, what the data do not determine, and what
    each dataset decides. It takes about a hundred evaluations.

    Example: espei-hpc optimize x.yaml --workers 4
    """
    chosen = {"optimize": True, "scheduler_file": scheduler_file, "local": scheduler_file is None}
    code: int = context.invoke(fit, **options, **chosen)
    return code


@commands.command()
@takes_input()
@run_dir_option
@click.option(
    "--times", type=click.IntRange(0), default=20, show_default=True, help="Maximum number of restarts."
)
def again(input_file: Path, run_dir: Path | None, times: int) -> int:
    """Check whether a job should start its fit again.

    For job scripts, which run it before they requeue themselves.

    Exit code 0 (start again) if the fit was stopped, killed or lost its cluster, and made progress since
    the last restart. Exit code 1 (do not) if it finished, failed, made no progress or was restarted
    --times times.

    Example: espei-hpc again --in x.yaml && scontrol requeue "$SLURM_JOB_ID"
    """
    from espei_hpc.fit import requeue as deciding

    decision = deciding.decide(run_directory(input_file, run_dir), times)
    say(decision.why)
    return ExitCode.OK if decision.again else ExitCode.FAILED


for command in (
    first_project.init,
    helping.completion,
    helping.help_page,
    installing.install,
    results.report,
    results.export,
):
    commands.add_command(command)
for command in (
    launch.launch,
    prepare,
    host.host_mpi,
    host.doctor,
    host.probe,
    job_scripts.job,
    run_status.status,
):
    commands.add_command(command)
