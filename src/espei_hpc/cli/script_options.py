"""Options of the scripts espei-mpi and start-cluster."""

from collections.abc import Iterable
from typing import Any

import click

from espei_hpc import __version__
from espei_hpc.cli.options import (
    Command,
    insecure_option,
    interface_option,
    scheduler_port_option,
    worker_interface_option,
    worker_ports_option,
)


class CommandOfScript(click.Command):
    """A command that keeps the options as they were given, to hand them on."""

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        """Parse them twice: as given, and as values."""
        context.meta[__name__] = self.make_parser(context).parse_args(list(args))[0]
        return super().parse_args(context, args)


def given_words(context: click.Context, names: Iterable[str]) -> list[str]:
    """Return the options with these names that were given, as words."""
    given: dict[str, Any] = context.meta[__name__]
    options = {param.name: param for param in context.command.params if isinstance(param, click.Option)}
    words: list[str] = []
    for name in names:
        if name in given and (option := options.get(name)):
            words += [option.opts[-1]] if option.is_flag else [option.opts[-1], str(given[name])]
    return words


def _enough(_: click.Context, __: click.Parameter, ranks: int | None) -> int | None:
    from espei_hpc.cluster.without_hosts import LEAST_RANKS

    if ranks is not None and ranks < LEAST_RANKS:
        raise click.UsageError(
            f"-n {ranks}: at least {LEAST_RANKS} ranks are needed, a scheduler and a worker"
        )
    return ranks


def of_every_cluster(command: Command) -> Command:
    """Add the options of espei-mpi and start-cluster to a command."""
    for option in reversed(
        (
            click.option(
                "-n",
                "ranks",
                metavar="RANKS",
                type=int,
                callback=_enough,
                help="Number of ranks: one scheduler, the others workers "
                "[default: the tasks of the allocation, else cores + 1].",
            ),
            click.option(
                "--launcher",
                metavar="COMMAND",
                default="",
                help="Command that starts the ranks, for example 'srun --mpi=pmi2'; without -n, COMMAND "
                "sets the number of ranks [default: mpirun].",
            ),
            click.option(
                "--image",
                metavar="X.sif|NAME",
                help="Run in this image: an Apptainer file, or a podman or docker image, whose own mpirun "
                "starts the ranks unless --launcher or --host-mpi is given.",
            ),
            click.option(
                "--host-mpi",
                metavar="MPI",
                help="MPI that the ranks load: auto (the image's if it fits the launcher, else the host's), "
                "none (never the host's), image (the image's own mpirun starts the ranks), a directory, or a "
                "recipe [default: auto].",
            ),
            interface_option,
            worker_interface_option,
            scheduler_port_option,
            worker_ports_option,
            insecure_option,
            click.option("--dry-run", is_flag=True, help="Print the commands, run nothing."),
            click.version_option(__version__, prog_name="espei-hpc", help="Print the version."),
        )
    ):
        command = option(command)
    return command
