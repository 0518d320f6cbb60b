"""The command ``espei-hpc``: options in, exit codes out. Only this package prints errors."""

import dataclasses
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from espei_hpc import __version__, batch
from espei_hpc.cli import help as helping
from espei_hpc.cli import host, pages, results
from espei_hpc.cli import init as first_project
from espei_hpc.cli import job as job_scripts
from espei_hpc.cli import status as run_status
from espei_hpc.cli.inputs import takes_input
from espei_hpc.errors import Fault, Refusal
from espei_hpc.exit_codes import SIGNAL_BASE, ExitCode
from espei_hpc.text import counted

if TYPE_CHECKING:
    from espei_hpc.cluster import prepare
    from espei_hpc.fit.opening import Engine, Opening
    from espei_hpc.rundir.cluster_directory import ClusterDirectory
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
    return code if isinstance(code, int) else ExitCode.OK


def show_usage_error(error: click.ClickException) -> None:
    """Print what is wrong with the command line, prefixed with the program that the user called."""
    if program := os.environ.get("ESPEI_HPC_PROGRAM"):
        # Click's usage line would show the internal command that the script calls.
        click.echo(f"{program}: {error.format_message().rstrip('.')} ({program} --help)", err=True)
    else:
        error.show()


def refused(refusal: Refusal, written: Callable[[str], str] = str) -> int:
    """Print a refusal and the help page about it; return the exit code."""
    show(refusal, written)
    if topic := pages.about(refusal):
        click.echo(f"espei-hpc: more: {pages.command(topic, os.environ)}", err=True)
    return refusal.code


def show(refusal: Refusal, written: Callable[[str], str] = str) -> None:
    """Print a refusal, one line per fault, each formatted by ``written``."""
    for fault in refusal.faults:
        click.echo(written(f"espei-hpc: {fault}"), err=True)
    for line in refusal.details:
        click.echo(f"    {line}", err=True)


def say(line: str) -> None:
    """Print a line of progress."""
    click.echo(f"espei-hpc: {line}")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="espei-hpc")
def commands() -> None:
    """Run ESPEI fits on a cluster.

    To run a fit, use espei-mpi, which starts the cluster and calls these commands.

    Example: espei-hpc init my-fit
    """


run_dir_option = click.option(
    "--run-dir", type=click.Path(path_type=Path), help="Run directory [default: NAME.run next to the input]."
)
id_option = click.option("--id", "cluster_id", help="ID of the cluster start in the run directory.")
scheduler_file_option = click.option(
    "--scheduler-file", type=click.Path(path_type=Path), help="Scheduler file of a running cluster."
)
workers_option = click.option("-w", "--workers", type=click.IntRange(1), help="Workers to wait for.")
min_workers_option = click.option(
    "--min-workers", type=click.IntRange(1), help="After the timeout, continue with at least N workers."
)
timeout_option = click.option(
    "--timeout", type=click.FloatRange(min=0), help="Seconds to wait for the cluster."
)


engine_option = click.option(
    "--engine",
    type=click.Choice(["graph", "espei"]),
    default="graph",
    show_default=True,
    help="graph: espei-hpc's sampler: same chain, faster, resumable. espei: ESPEI's loop, for comparison.",
)
force_new_option = click.option(
    "--force-new", is_flag=True, help="Start a new chain; move the files of the earlier one aside."
)


def _without_verify(context: click.Context, _: click.Parameter, stock: bool) -> bool:
    if stock and context.get_parameter_source("verify") is ParameterSource.COMMANDLINE:
        raise click.UsageError(
            "--verify checks the prepared likelihood, which --stock-likelihood turns off: give one of them"
        )
    return stock


verify_option = click.option(
    "--verify",
    type=click.IntRange(1),
    metavar="N",
    is_eager=True,
    envvar="ESPEI_HPC_VERIFY",
    show_envvar=True,
    help="Compare one in N evaluations of the prepared likelihood with ESPEI's own [default: 500].",
)
stock_likelihood_option = click.option(
    "--stock-likelihood",
    is_flag=True,
    callback=_without_verify,
    help="Evaluate with ESPEI's own functions only: same chain, slower.",
)


def _goal(_: click.Context, __: click.Parameter, text: str | None) -> "Goal | None":
    from espei_hpc.sampler.goal import Goal

    try:
        return None if text is None else Goal.parse(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


until_option = click.option(
    "--until",
    "goal",
    metavar="ess=N",
    callback=_goal,
    help="Stop when the effective sample size of every parameter reaches N [default: run all iterations].",
)


def _check_goal(goal: "Goal | None", engine: "Engine") -> None:
    if goal is not None and engine == "espei":
        raise click.UsageError(
            "--engine espei always runs all of mcmc.iterations: leave out --until, or --engine espei"
        )


def _job_end(_: click.Context, __: click.Parameter, text: str | None) -> batch.JobEnd | None:
    """Return when the job ends: by the option, else by the batch system; None if neither gives it."""
    if text is None:
        told = batch.job_end(os.environ)
        # An end in the past: the job was extended, or the variables are another job's.
        return told if told is not None and told.left > 0 else None
    end = batch.from_duration(text, "--time-left", os.environ)
    if end is None:
        raise click.BadParameter(f"{text!r} is not a time; write 3600, 11:59:00 or 1-12:00:00")
    return end


time_left_option = click.option(
    "--time-left",
    "end",
    metavar="TIME",
    callback=_job_end,
    help="Stop before this much time has passed: seconds or [days-]h:min:s [default: time left of the job].",
)


@commands.command()
@takes_input()
@run_dir_option
def check(input_file: Path, run_dir: Path | None) -> None:
    """Check an input and the files it names; start nothing.

    Also check whether an earlier start of the fit can be resumed.

    Example: espei-hpc check --in x.yaml
    """
    from espei_hpc.fit.opening import Opening, checked

    checked(Opening(input_file, run_dir or _run_directory(input_file)), say)
    say(f"{input_file}: no fault found")


@commands.command()
@takes_input()
@click.option("--cores-per-node", type=click.IntRange(1), help="Use whole nodes of this many cores.")
@click.option("--hours", type=click.FloatRange(0, min_open=True), help="Find the fewest ranks that finish.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def plan(input_file: Path, cores_per_node: int | None, hours: float | None, as_json: bool) -> None:
    """Estimate the walltime of a fit by its number of ranks.

    Measures the input's likelihood on this machine; writes no files.

    Example: espei-hpc plan --in x.yaml --cores-per-node 48 --hours 24
    """
    from espei_hpc.fit.starting import starting
    from espei_hpc.forecast import measure, tables, words
    from espei_hpc.inputs import check as check_input

    # Nothing is written here, so files of an earlier fit are no conflict.
    problem = check_input(input_file, lambda _: True)
    if not problem.samples:
        fault = Fault(f"{input_file}: mcmc", "is missing, so there is no sampling to plan")
        raise Refusal(ExitCode.BAD_INPUT, [fault])
    here = starting(problem)
    measured = measure.measure(here.evaluator, here.initial, here.walkers)
    stock = measure.measure(here.stock, here.initial, here.walkers, measure.FEWEST).evaluation
    walkers, symbols = here.walkers.shape
    made = tables.plan(
        symbols, walkers, problem.iterations, measured, stock, cores_per_node=cores_per_node, hours=hours
    )
    click.echo(json.dumps(made.as_dict()) if as_json else "\n".join(words.lines(made)))


@commands.command("prepare", hidden=True)
@takes_input(required=False)
@scheduler_file_option
@run_dir_option
@click.option("-n", "--ranks", type=click.IntRange(2), help="Number of ranks to start.")
@click.option("--as-launched", is_flag=True, help="Use as many ranks as the launcher starts.")
@click.option("--one-host", is_flag=True, help="Start all ranks on this host.")
@click.option("--interface", help="Network interface for the cluster.")
@click.option(
    "--insecure", is_flag=True, help="Do not encrypt; listen on loopback unless --interface is given."
)
@click.option("--launcher", default="", help="Command that starts the ranks.")
@click.option(
    "--after", multiple=True, metavar="ID", help="ID of a lost start; exclude the hosts that failed in it."
)
@min_workers_option
@timeout_option
@time_left_option
@engine_option
@until_option
@force_new_option
@verify_option
@stock_likelihood_option
def prepare_cluster(
    input_file: Path | None,
    scheduler_file: Path | None,
    run_dir: Path | None,
    ranks: int | None,
    as_launched: bool,
    one_host: bool,
    interface: str | None,
    insecure: bool,
    launcher: str,
    after: tuple[str, ...],
    min_workers: int | None,
    timeout: float | None,
    end: batch.JobEnd | None,
    engine: "Engine",
    goal: "Goal | None",
    force_new: bool,
    verify: int | None,
    stock_likelihood: bool,
) -> None:
    """Create the directory of one cluster start (used by espei-mpi and start-cluster).

    Prints the number of ranks (0 if no cluster is needed), the run directory and the ID of the start;
    then, if hosts are excluded, the launcher command that excludes them, one word per line.

    Options that only the fit uses are accepted here so that they are checked before the cluster starts.
    """
    from espei_hpc.cluster import prepare
    from espei_hpc.fit.opening import Opening

    _check_goal(goal, engine)
    if not as_launched:
        ranks = ranks or prepare.default_ranks(os.environ, one_host)
    if one_host and (unreached := prepare.unreached_hosts(os.environ)):
        _say_aside(unreached)
    if insecure:
        _say_aside("INSECURE: anyone who can reach the scheduler's port can run any program as you")
    wanted = prepare.ClusterRequest(ranks, interface, encrypted=not insecure)
    words: list[str] = []
    if scheduler_file is not None:
        directory = _named_start(scheduler_file, wanted)
    elif input_file is not None:
        opening = Opening(input_file, run_dir or _run_directory(input_file), engine, force_new, goal=goal)
        directory, words = _own_start(opening, wanted, end, launcher.split(), after)
    else:
        raise click.UsageError("name the input or give --scheduler-file")
    ranks = directory.settings().ranks
    _tell_obstacles(directory.run_directory, ranks, interface)
    told = ("launched" if ranks is None else ranks, directory.run_directory, directory.id, *words)
    click.echo("\n".join(map(str, told)))


def _named_start(scheduler_file: Path, wanted: "prepare.ClusterRequest") -> "ClusterDirectory":
    from espei_hpc.cluster import prepare
    from espei_hpc.rundir import named_clusters as named

    directory = prepare.named_cluster(scheduler_file, wanted)
    if wanted.encrypted:
        _say_aside(f"to connect stock espei: export DASK_CONFIG={named.offered(directory.scheduler_file)}")
    return directory


def _own_start(
    opening: "Opening",
    wanted: "prepare.ClusterRequest",
    end: batch.JobEnd | None,
    launcher: list[str],
    after: tuple[str, ...],
) -> "tuple[ClusterDirectory, list[str]]":
    """Prepare a cluster for a fit; also return the launcher command if it has to exclude hosts, else []."""
    from espei_hpc.cluster import prepare, without_hosts
    from espei_hpc.fit.opening import checked
    from espei_hpc.fit.walltime import Walltime
    from espei_hpc.rundir.cluster_directory import ClusterDirectory
    from espei_hpc.rundir.record import Record

    # Standard output is read by the calling script; the fit itself prints the notes.
    if not checked(opening, _say_aside if opening.force_new else _say_nothing):
        return prepare.own_cluster(opening.run_directory, dataclasses.replace(wanted, ranks=0)), []
    lost = [ClusterDirectory(opening.run_directory.resolve(), start) for start in after]
    left = without_hosts.remaining(lost, batch.allocation(os.environ), launcher)
    ranks = left.ranks if left else wanted.ranks
    Walltime(end).check(Record.read(opening.run_directory), ranks and ranks - 1)
    directory = prepare.own_cluster(opening.run_directory, dataclasses.replace(wanted, ranks=ranks))
    if left is None:
        return directory, []
    for name, why in left.without.items():
        _say_aside(f"excluding host {name}: {why}")
    return directory, left.launcher_without(directory.path / "hosts")


def _tell_obstacles(directory: Path, ranks: int | None, interface: str | None) -> None:
    """Print what may prevent a cluster from running here; the start continues."""
    from espei_hpc import doctor

    if ranks == 0:
        return
    for line in doctor.obstacles(doctor.Options(directory, cheap=True, ranks=ranks, interface=interface)):
        click.echo(f"espei-hpc: {line.state}: {line.topic}: {line.seen}", err=True)
        if line.cure:
            click.echo(f"    {line.cure}", err=True)


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
@min_workers_option
@timeout_option
@click.option("--supervisor", type=int, metavar="PID", help="Stop the fit when this process ends.")
@time_left_option
@engine_option
@until_option
@force_new_option
@verify_option
@stock_likelihood_option
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
    goal: "Goal | None",
    force_new: bool,
    verify: int | None,
    stock_likelihood: bool,
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

    _check_goal(goal, engine)
    stopper = Stopper()
    stopper.listen()
    try:
        from espei_hpc.fit import run, where
        from espei_hpc.fit.opening import VERIFY, Opening
        from espei_hpc.fit.walltime import Walltime

        opening = Opening(
            input_file,
            run_dir or _run_directory(input_file),
            engine,
            force_new,
            verify=0 if stock_likelihood else verify or VERIFY,
            goal=goal,
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
        return run.run(opening, wanted, stopper, Walltime(end), supervisor, say)
    except Stopped:
        return SIGNAL_BASE + (stopper.signal or 0)
    except Refusal as refusal:
        return refused(refusal, lambda line: log_line.dated(line, sys.stderr))


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

    decision = deciding.decide(run_dir or _run_directory(input_file), times)
    say(decision.why)
    return ExitCode.OK if decision.again else ExitCode.FAILED


def _say_nothing(line: str) -> None:
    """Drop the line: the fit prints it again."""


def _say_aside(line: str) -> None:
    click.echo(f"espei-hpc: {line}", err=True)


def _run_directory(input_file: Path) -> Path:
    return input_file.resolve().with_suffix(".run")


for command in (first_project.init, helping.completion, helping.help_page, results.report, results.export):
    commands.add_command(command)
for command in (host.host_mpi, host.doctor, host.probe, job_scripts.job, run_status.status):
    commands.add_command(command)
