"""The command ``prepare``: check a fit and create the directory of one start of its cluster."""

import dataclasses
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from espei_hpc import batch
from espei_hpc.cli.inputs import takes_input
from espei_hpc.cli.options import (
    check_engine,
    insecure_option,
    interface_option,
    options_of_the_fit,
    run_dir_option,
    run_directory,
    scheduler_file_option,
    scheduler_port_option,
    search,
    worker_interface_option,
    worker_ports_option,
)
from espei_hpc.cli.printing import say_aside

if TYPE_CHECKING:
    from espei_hpc.cluster.prepare import ClusterRequest
    from espei_hpc.fit.opening import Engine, Opening
    from espei_hpc.rundir.cluster_directory import ClusterDirectory
    from espei_hpc.sampler.goal import Goal


@click.command("prepare", hidden=True)
@takes_input(required=False)
@scheduler_file_option
@run_dir_option
@click.option("-n", "--ranks", type=click.IntRange(2), help="Number of ranks to start.")
@click.option("--as-launched", is_flag=True, help="Use as many ranks as the launcher starts.")
@click.option("--one-host", is_flag=True, help="Start all ranks on this host.")
@interface_option
@worker_interface_option
@scheduler_port_option
@worker_ports_option
@insecure_option
@options_of_the_fit
def prepare(
    input_file: Path | None,
    scheduler_file: Path | None,
    run_dir: Path | None,
    ranks: int | None,
    as_launched: bool,
    one_host: bool,
    interface: str | None,
    worker_interface: str | None,
    scheduler_port: int | None,
    worker_ports: str | None,
    insecure: bool,
    min_workers: int | None,
    timeout: float | None,
    end: batch.JobEnd | None,
    engine: "Engine",
    sampler: str,
    goal: "Goal | None",
    force_new: bool,
    verify: int | None,
    optimize: bool,
    starts: int | None,
    database: Path | None,
    stock_likelihood: bool,
    user_code: Path | None,
    requeue: int | None,
) -> None:
    """Create the directory of one cluster start, for those who start ranks and fit by hand.

    Prints the number of ranks (0 if no cluster is needed), the run directory and the ID of the start. This
    is the first line that espei-mpi --dry-run prints.

    Options that only the fit uses are accepted here so that they are checked before the cluster starts.
    """
    from espei_hpc.cluster.prepare import ClusterRequest, default_ranks
    from espei_hpc.fit.opening import Opening

    check_engine(engine, goal, sampler)
    asked = search(optimize, starts, database, engine, goal, sampler)
    wanted = ClusterRequest(
        None if as_launched else ranks or default_ranks(os.environ, one_host),
        interface,
        encrypted=not insecure,
        user_code=user_code,
        worker_interface=worker_interface,
        scheduler_port=scheduler_port,
        worker_ports=worker_ports,
    )
    if scheduler_file is not None:
        directory = named_start(scheduler_file, wanted, one_host)
    elif input_file is not None:
        opening = Opening(
            *(input_file, run_directory(input_file, run_dir, asked), engine, force_new),
            goal=goal,
            search=asked,
            user_code=user_code,
            sampler=sampler,
        )
        directory, _ = own_start(opening, wanted, end, one_host)
    else:
        raise click.UsageError("name the input or give --scheduler-file")
    started = directory.settings().ranks
    click.echo("launched" if started is None else started)
    click.echo(directory.run_directory)
    click.echo(directory.id)


def named_start(scheduler_file: Path, wanted: "ClusterRequest", one_host: bool) -> "ClusterDirectory":
    """Prepare a cluster whose scheduler file the user names.

    Args:
        scheduler_file: the file.
        wanted: the cluster to start.
        one_host: whether all ranks start on this host.
    """
    from espei_hpc.cluster import prepare
    from espei_hpc.rundir import named_clusters as named

    _warn(wanted, one_host)
    directory = prepare.named_cluster(scheduler_file, wanted)
    if wanted.encrypted:
        say_aside(f"to connect stock espei: export DASK_CONFIG={named.offered(directory.scheduler_file)}")
    _show_obstacles(directory, wanted)
    return directory


def own_start(
    opening: "Opening",
    wanted: "ClusterRequest",
    end: batch.JobEnd | None,
    one_host: bool,
    launcher: tuple[str, ...] = (),
    after: tuple[str, ...] = (),
) -> "tuple[ClusterDirectory, list[str]]":
    """Prepare a cluster for a fit; also return the launcher command if it has to exclude hosts, else [].

    Args:
        opening: how the fit begins.
        wanted: the cluster to start.
        end: when the job ends; None if not known.
        one_host: whether all ranks start on this host.
        launcher: the launcher command.
        after: IDs of the lost starts before this one, oldest first.
    """
    from espei_hpc.cluster import prepare, without_hosts
    from espei_hpc.fit.opening import checked
    from espei_hpc.fit.walltime import Walltime
    from espei_hpc.rundir.cluster_directory import ClusterDirectory
    from espei_hpc.rundir.record import Record

    _warn(wanted, one_host)
    # Standard output is read by the calling script; the fit itself prints the notes.
    if not checked(opening, say_aside if opening.force_new else _say_nothing):
        return prepare.own_cluster(opening.run_directory, dataclasses.replace(wanted, ranks=0)), []
    lost = [ClusterDirectory(opening.run_directory.resolve(), start) for start in after]
    left = without_hosts.remaining(lost, batch.allocation(os.environ), launcher)
    ranks = left.ranks if left else wanted.ranks
    Walltime(end).check(Record.read(opening.run_directory), ranks and ranks - 1)
    directory = prepare.own_cluster(opening.run_directory, dataclasses.replace(wanted, ranks=ranks))
    _show_obstacles(directory, wanted)
    if left is None:
        return directory, []
    for name, why in left.without.items():
        say_aside(f"excluding host {name}: {why}")
    return directory, left.launcher_without(directory.path / "hosts")


def _warn(wanted: "ClusterRequest", one_host: bool) -> None:
    from espei_hpc.cluster import prepare

    if one_host and (unreached := prepare.unreached_hosts(os.environ)):
        say_aside(unreached)
    if not wanted.encrypted:
        say_aside("INSECURE: anyone who can reach the scheduler's port can run any program as you")


def _show_obstacles(directory: "ClusterDirectory", wanted: "ClusterRequest") -> None:
    """Print what may prevent a cluster from running here; the start continues."""
    from espei_hpc import doctor

    options = doctor.Options(
        directory.run_directory, cheap=True, ranks=directory.settings().ranks, interface=wanted.interface
    )
    for line in doctor.obstacles(options):
        click.echo(f"espei-hpc: {line.state}: {line.topic}: {line.seen}", err=True)
        if line.cure:
            click.echo(f"    {line.cure}", err=True)


def _say_nothing(line: str) -> None:
    """Drop the line: the fit prints it again."""
