"""The commands that examine a host: ``host-mpi`` and ``doctor``."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from espei_hpc.cli.options import interface_option

if TYPE_CHECKING:
    from espei_hpc.mpi.host.options import Engine

launcher_option = click.option(
    "--launcher", default="", help="Command that starts the ranks: 'srun --mpi=pmi2' [default: mpirun]."
)


@click.command("host-mpi")
@click.option("--host", type=click.Path(path_type=Path), help="Host's file system [default: /host, else /].")
@click.option("--path", help="PATH of the host [default: this one's].")
@click.option("--library-path", help="LD_LIBRARY_PATH of the host [default: this one's].")
@click.option(
    "--host-mpi",
    "asked",
    default="auto",
    show_default=True,
    metavar="auto|none|DIR|RECIPE",
    help="auto: the image's MPI if it fits the launcher, else the host's; none: never the host's.",
)
@launcher_option
@click.option(
    "--options",
    "engine",
    type=click.Choice(["apptainer", "podman", "docker"]),
    help="Print the mount and environment options for this container engine, one word per line.",
)
@click.option("--launcher-words", is_flag=True, help="Print only the launcher of the MPI or recipe.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def host_mpi(
    host: Path | None,
    path: str | None,
    library_path: str | None,
    asked: str,
    launcher: str,
    engine: "Engine | None",
    launcher_words: bool,
    as_json: bool,
) -> None:
    """Find the host's MPIs and the one that ranks would load.

    Also predict whether that works. No program of the host is run. Inside an image, bind the host's
    file system at /host.

    Example: apptainer exec --bind /:/host:ro espei.sif espei-hpc host-mpi --path "$PATH"
    """
    from espei_hpc.mpi.host import examination
    from espei_hpc.mpi.host.options import options
    from espei_hpc.mpi.host.root import Root, host_root

    environment = dict(os.environ)
    given = {"PATH": path, "LD_LIBRARY_PATH": library_path, "PWD": os.getcwd()}
    environment |= {name: value for name, value in given.items() if value is not None}
    root = Root(host) if host else host_root()
    if launcher_words:
        click.echo(" ".join(examination.launcher_words(root, environment, asked)))
        return
    seen = examination.examine(root, environment, launcher.split(), asked)
    if as_json:
        click.echo(json.dumps(examination.as_json(seen)))
    elif not engine:
        click.echo("\n".join(examination.as_text(seen)))
    if seen.refusal:
        raise seen.refusal
    if engine and seen.way:
        # Standard output is read by the calling script.
        for line in (seen.way.line, *seen.way.notes):
            click.echo(f"espei-hpc: {line}", err=True)
        for word in options(engine, seen.way.mounts, seen.way.variables):
            click.echo(word)


directory_option = click.option(
    "--dir", "directory", type=click.Path(path_type=Path), default=Path(), help="Directory of the fit."
)


@click.command()
@directory_option
@launcher_option
@click.option("-n", "--ranks", type=click.IntRange(2), help="Number of ranks to start.")
@interface_option
@click.option("--cheap", is_flag=True, help="Run only the checks that take less than a second.")
@click.option(
    "--launched",
    type=click.Path(path_type=Path),
    help="Output of ranks that espei-mpi --doctor started; start none.",
)
@click.option("--launcher-exit", type=int, default=0, help="Exit code of the launcher that started them.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def doctor(
    directory: Path,
    launcher: str,
    ranks: int | None,
    interface: str | None,
    cheap: bool,
    launched: Path | None,
    launcher_exit: int,
    as_json: bool,
) -> int:
    """Check this host or job for problems that may stop a fit.

    Exit code: 0 if no check failed, 1 if one did, 69 if the ranks form no common MPI world.

    To check an image with the host's launcher, use espei-mpi --doctor --image X.sif.

    Example: espei-hpc doctor --launcher 'srun --mpi=pmi2'
    """
    from espei_hpc import doctor as examination

    if launched and not ranks:
        raise click.UsageError("--launched needs -n, the number of ranks that were started")
    wanted = examination.Options(
        directory.absolute(),
        cheap=cheap,
        launcher=tuple(launcher.split()),
        ranks=ranks,
        interface=interface,
        launched=examination.Launched(launched, launcher_exit, ranks) if launched and ranks else None,
    )
    lines = examination.examine(wanted)
    click.echo(json.dumps(examination.as_json(lines)) if as_json else "\n".join(examination.as_text(lines)))
    return examination.exit_code(lines)


@click.command(hidden=True)
@directory_option
@click.option("--ranks", type=int, required=True)
@interface_option
@click.option("--seconds", type=float, default=60.0)
def probe(directory: Path, ranks: int, interface: str | None, seconds: float) -> int:
    """Run one rank of a trial (started by the launcher, for doctor)."""
    from espei_hpc.doctor import probe as one_rank

    return one_rank.run(directory, ranks, interface, seconds)
