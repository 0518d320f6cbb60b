"""The commands that look at a host: ``host-mpi`` and ``doctor``."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from espei_hpc.mpi.host.options import Engine

HOST = Path("/host")
"""Where a container has the host's file system."""

launcher_option = click.option(
    "--launcher", default="", help="What starts the ranks, such as 'srun --mpi=pmi2' [default: mpirun]."
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
    help="auto: the image's MPI where it fits the launcher, else the host's; none: never the host's.",
)
@launcher_option
@click.option(
    "--options",
    "engine",
    type=click.Choice(["apptainer", "podman", "docker"]),
    help="Print the options of a container engine that bind and set all that is needed, a word a line.",
)
@click.option("--launcher-words", is_flag=True, help="Print the launcher of the MPI or recipe, and no more.")
@click.option("--json", "as_json", is_flag=True, help="Print it for a program.")
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
    """Find the host's MPIs, and the one that ranks would load.

    It also says whether that works. Nothing of the host is run. Inside an image, bind the host's file
    system at /host.

    Example: apptainer exec --bind /:/host:ro espei.sif espei-hpc host-mpi --path "$PATH"
    """
    from espei_hpc.mpi.host import examination
    from espei_hpc.mpi.host.options import options
    from espei_hpc.mpi.host.root import Root

    environment = dict(os.environ)
    given = {"PATH": path, "LD_LIBRARY_PATH": library_path, "PWD": os.getcwd()}
    environment |= {name: value for name, value in given.items() if value is not None}
    root = Root(host or (HOST if HOST.is_dir() else Path("/")))
    if launcher_words:
        click.echo(examination.launcher_words(root, environment, asked))
        return
    seen = examination.examine(root, environment, launcher.split(), asked)
    if as_json:
        click.echo(json.dumps(examination.as_json(seen)))
    elif not engine:
        click.echo("\n".join(examination.told(seen)))
    if seen.refusal:
        raise seen.refusal
    if engine and seen.way:
        # Standard output is for the script that called.
        for line in (seen.way.line, *seen.way.notes):
            click.echo(f"espei-hpc: {line}", err=True)
        for word in options(engine, seen.way.mounts, seen.way.variables):
            click.echo(word)


directory_option = click.option(
    "--dir", "directory", type=click.Path(path_type=Path), default=Path(), help="Where the fit is to run."
)
interface_option = click.option("--interface", help="Network interface for the cluster.")


@click.command()
@directory_option
@launcher_option
@click.option("-n", "--ranks", type=click.IntRange(2), help="Ranks to start.")
@interface_option
@click.option("--cheap", is_flag=True, help="Only what takes less than a second and starts no ranks.")
@click.option(
    "--launched",
    type=click.Path(path_type=Path),
    help="What ranks have printed that espei-mpi --doctor started, instead of starting some.",
)
@click.option("--launcher-exit", type=int, default=0, help="Exit code of the launcher that started them.")
@click.option("--json", "as_json", is_flag=True, help="Print it for a program.")
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
    """Look for what may hinder a fit on this host or in this job.

    Exit code: 0 if nothing hinders a fit, 1 if something on this host does, 69 if ranks form no world.

    With an image, espei-mpi --doctor --image X.sif starts the ranks on the host.

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
    click.echo(json.dumps(examination.as_json(lines)) if as_json else "\n".join(examination.told(lines)))
    return examination.exit_code(lines)


@click.command(hidden=True)
@directory_option
@click.option("--ranks", type=int, required=True)
@interface_option
@click.option("--seconds", type=float, default=60.0)
def probe(directory: Path, ranks: int, interface: str | None, seconds: float) -> int:
    """Be one rank of a trial (started by the launcher, for doctor)."""
    from espei_hpc.doctor import probe as one_rank

    return one_rank.run(directory, ranks, interface, seconds)
