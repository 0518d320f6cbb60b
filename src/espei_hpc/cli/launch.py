"""The command ``launch``: what the script ``espei-mpi`` runs, from the options of its user."""

import contextlib
import dataclasses
import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from espei_hpc import batch
from espei_hpc.cli.inputs import takes_input
from espei_hpc.cli.options import (
    OF_THE_FIT,
    check_engine,
    options_of_the_fit,
    run_dir_option,
    run_directory,
    scheduler_file_option,
    search,
    user_code_option,
)
from espei_hpc.cli.prepare import named_start, own_start
from espei_hpc.cli.script_options import CommandOfScript, given_words, of_every_cluster
from espei_hpc.errors import Fault, Refusal
from espei_hpc.exit_codes import ExitCode

if TYPE_CHECKING:
    from espei_hpc.cli.script_call import ScriptCall
    from espei_hpc.cluster.launching import Launch
    from espei_hpc.cluster.prepare import ClusterRequest
    from espei_hpc.fit.opening import Engine
    from espei_hpc.sampler.goal import Goal

CLUSTER_ONLY = "--cluster-only"
"""The word by which start-cluster calls espei-mpi."""
OF_PREPARE = ("interface", "worker_interface", "scheduler_port", "worker_ports", "insecure", *OF_THE_FIT)
"""Parameters whose options ``prepare`` takes as they were given."""


@click.command(hidden=True)
@click.option("--hpc", multiple=True, help="Words of the command that runs espei-hpc here.")
@click.option(
    "--after", multiple=True, metavar="ID", help="ID of a lost start; exclude the hosts that failed in it."
)
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
def launch(hpc: tuple[str, ...], after: tuple[str, ...], words: tuple[str, ...]) -> int:
    """Print what espei-mpi or start-cluster runs (called by these scripts).

    Reads the script's environment from standard input and may ask it to run commands of its host.
    """
    from espei_hpc.cli.script_call import ScriptCall
    from espei_hpc.cluster import launching
    from espei_hpc.cluster.calling_script import CallingScript

    script = CallingScript.greet(hpc)
    command = start_cluster if CLUSTER_ONLY in words else espei_mpi
    words = tuple(word for word in words if word != CLUSTER_ONLY)
    program = str(command.name)
    os.environ["ESPEI_HPC_PROGRAM"] = program
    # A container need not have them.
    os.environ.update(launching.shared(script.environment))
    runs_nothing = {"--help", "-h", "--version", "--dry-run"} & set(words)
    handed = {} if runs_nothing else launching.handed_over(script)
    os.environ.update(handed)
    script = dataclasses.replace(script, environment={**script.environment, **handed})
    call = ScriptCall(program, script, after, words, handed)
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        code = command.main(list(words), prog_name=program, standalone_mode=False, obj=call)
    script.show(printed.getvalue())
    return code if isinstance(code, int) else ExitCode.OK


@click.command("espei-mpi", cls=CommandOfScript, context_settings={"help_option_names": ["-h", "--help"]})
@takes_input(required=False)
@of_every_cluster
@scheduler_file_option
@run_dir_option
@options_of_the_fit
@click.option(
    "--restarts",
    metavar="N",
    type=click.IntRange(0),
    default=3,
    show_default=True,
    help="Restart a lost cluster at most N times.",
)
@click.option("--doctor", is_flag=True, help="Check this host and a few ranks for problems; do not fit.")
@click.pass_context
def espei_mpi(
    context: click.Context,
    input_file: Path | None,
    ranks: int | None,
    launcher: str,
    image: str | None,
    host_mpi: str | None,
    interface: str | None,
    worker_interface: str | None,
    scheduler_port: int | None,
    worker_ports: str | None,
    insecure: bool,
    dry_run: bool,
    scheduler_file: Path | None,
    run_dir: Path | None,
    timeout: float | None,
    end: batch.JobEnd | None,
    min_workers: int | None,
    restarts: int,
    goal: "Goal | None",
    force_new: bool,
    engine: "Engine",
    sampler: str,
    stock_likelihood: bool,
    requeue: int | None,
    verify: int | None,
    optimize: bool,
    starts: int | None,
    database: Path | None,
    user_code: Path | None,
    doctor: bool,
) -> int:
    """Fit ESPEI's input on a cluster of MPI ranks: one scheduler, the others workers.

    If no MPI is requested and none is found, it fits on the cores of this machine.

    If a fit is killed, stopped or runs out of walltime, run the same command again: it resumes exactly where
    it was.

    Exit code: that of the fit (espei-hpc help exit-codes). 75: stopped by a signal or before the end of the
    job.

    \b
    Examples:
      espei-mpi --in x.yaml -n 20
      espei-mpi --in x.yaml -n 20 --image espei.sif --launcher 'mpirun --hostfile hosts'
      espei-mpi --in x.yaml --scheduler-file my_scheduler.json
    """  # noqa: D301 (click's mark for lines that are not rewrapped)
    from espei_hpc.cli.script_call import print_words
    from espei_hpc.fit.opening import Opening

    call: ScriptCall = context.obj
    check_engine(engine, goal, sampler)
    asked = search(optimize, starts, database, engine, goal, sampler)
    if doctor:
        return _examine(call, launcher, host_mpi, ranks)
    if input_file is None:
        raise click.UsageError("name the input: espei-mpi x.yaml")
    if not call.may_start(restarts):
        return ExitCode.UNAVAILABLE
    force_new = force_new and not call.after
    # Of a fit that is not prepared.
    beginning = [*(["--run-dir", str(run_dir)] if run_dir else []), *(["--force-new"] if force_new else [])]

    def fit(*cluster: str) -> list[str]:
        return ["fit", "--in", str(input_file), *cluster, *given_words(context, OF_THE_FIT)]

    words = call.launcher(launcher, host_mpi)
    if words is None:
        return ExitCode.OK
    if cluster := _without_ranks(words, scheduler_file, ranks):
        return call.instead([*call.hpc, *fit(*cluster), *beginning])
    here = call.resolve(words, host_mpi, named=bool(launcher))
    if dry_run:
        call.show(here, ranks, ["--in", str(input_file)], [*beginning, *given_words(context, OF_PREPARE)])
        print_words([*here.hpc, *fit("--run-dir", "RUN_DIR", "--id", "ID")])
        return ExitCode.OK
    wanted = _cluster(
        *(here, ranks, interface, insecure),
        user_code=user_code,
        worker_interface=worker_interface,
        scheduler_port=scheduler_port,
        worker_ports=worker_ports,
    )
    opening = Opening(
        *(input_file, run_directory(input_file, run_dir, asked), engine, force_new),
        goal=goal,
        search=asked,
        user_code=user_code,
        sampler=sampler,
    )
    directory, excluding = own_start(opening, wanted, end, here.one_host, here.launcher, call.after)
    started = fit("--run-dir", str(directory.run_directory), "--id", directory.id)
    call.start(here, directory, [*here.hpc, *started], excluding)
    return ExitCode.OK


def _examine(call: "ScriptCall", launcher: str, host_mpi: str | None, ranks: int | None) -> int:
    words = call.launcher(launcher, host_mpi)
    if words is None:
        return ExitCode.OK
    if not words:
        return call.instead([*call.hpc, "doctor"])
    return call.examine(call.resolve(words, host_mpi, named=bool(launcher)), ranks)


def _without_ranks(launcher: Sequence[str], scheduler_file: Path | None, ranks: int | None) -> list[str]:
    """Return the options of ``fit`` that name its cluster if no ranks are to be started; [] if they are."""
    if scheduler_file:
        return ["--scheduler-file", str(scheduler_file)]
    if launcher:
        return []
    if ranks:
        raise _no_launcher()
    return ["--local"]


def _cluster(
    here: "Launch", ranks: int | None, interface: str | None, insecure: bool, **options: Any
) -> "ClusterRequest":
    """Return the cluster to start; a launcher that the user names may also set the number of its ranks."""
    from espei_hpc.cluster.prepare import ClusterRequest, default_ranks

    if not here.named:
        ranks = ranks or default_ranks(os.environ, here.one_host)
    return ClusterRequest(ranks, interface, encrypted=not insecure, **options)


@click.command("start-cluster", cls=CommandOfScript, context_settings={"help_option_names": ["-h", "--help"]})
@takes_input(required=False)
@click.option(
    "--scheduler-file",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="File that clients read to find the cluster; no running cluster may use it.",
)
@of_every_cluster
@user_code_option
@click.pass_context
def start_cluster(
    context: click.Context,
    input_file: Path | None,
    scheduler_file: Path | None,
    ranks: int | None,
    launcher: str,
    image: str | None,
    host_mpi: str | None,
    interface: str | None,
    worker_interface: str | None,
    scheduler_port: int | None,
    worker_ports: str | None,
    insecure: bool,
    dry_run: bool,
    user_code: Path | None,
) -> int:
    """Start a Dask cluster through MPI and run until it ends: on TERM, or when the cluster is shut down.

    \b
    Examples:
      start-cluster --scheduler-file my_scheduler.json -n 20 &
      start-cluster --scheduler-file my_scheduler.json --launcher 'srun --mpi=pmi2' &
    """  # noqa: D301 (click's mark for lines that are not rewrapped)
    call: ScriptCall = context.obj
    if input_file is not None:
        raise click.UsageError(f"start-cluster takes no input: leave out {input_file}")
    if scheduler_file is None:
        raise click.UsageError("name the scheduler file with --scheduler-file")
    words = call.launcher(launcher, host_mpi)
    if words is None:
        return ExitCode.OK
    if not words:
        raise _no_launcher()
    here = call.resolve(words, host_mpi, named=bool(launcher))
    if dry_run:
        call.show(here, ranks, ["--scheduler-file", str(scheduler_file)], given_words(context, OF_PREPARE))
        return ExitCode.OK
    wanted = _cluster(
        *(here, ranks, interface, insecure),
        user_code=user_code,
        worker_interface=worker_interface,
        scheduler_port=scheduler_port,
        worker_ports=worker_ports,
    )
    directory = named_start(scheduler_file, wanted, here.one_host)
    call.start(here, directory, scheduler_file=scheduler_file)
    return ExitCode.OK


def _no_launcher() -> Refusal:
    cure = "load an MPI module, or name a launcher with --launcher"
    return Refusal(ExitCode.UNAVAILABLE, [Fault("launcher", "no mpirun is found on PATH", cure)])
