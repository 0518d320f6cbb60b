"""The command ``install``: commands for the host that know their image."""

import os
from collections.abc import Mapping
from pathlib import Path

import click

from espei_hpc import __version__
from espei_hpc.containers import container, sif
from espei_hpc.errors import Fault, Refusal
from espei_hpc.exit_codes import ExitCode
from espei_hpc.rundir.files import reason, write_whole
from espei_hpc.text import templates

NAMES = ("espei-mpi", "espei-hpc")
MARK = "Written by espei-hpc install"
"""Begins the second line of the commands, by which they are known."""
EXECUTABLE = 0o777


@click.command()
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--image", metavar="FILE|NAME", help="The image, from the host [default: the SIF in which this runs]."
)
def install(directory: Path, image: str | None) -> None:
    """Write commands for the host that run in this image.

    They are espei-mpi and espei-hpc. After that espei-mpi --in x.yaml is enough on the host and in job
    scripts. DIRECTORY should be on PATH. Files there that are not of this command are never replaced. With
    podman or docker bind the directory, and name the image. In a SIF, apptainer run espei.sif install ~/bin
    does the same.

    Example: espei-hpc install ~/bin
    """
    named = image or _own_image(os.environ)
    faults = [
        Fault(str(directory / name), "exists, and espei-hpc install did not write it", "move it away")
        for name in NAMES
        if _is_of_others(directory / name)
    ]
    if faults:
        raise Refusal(ExitCode.CANNOT_CREATE, faults)
    _write(directory, named)
    click.echo(f"espei-hpc: written to {directory}: {', '.join(NAMES)}, for {named}")
    click.echo(f'If they are not found: export PATH="{directory.absolute()}:$PATH"')
    click.echo("To complete options with Tab in bash: source <(espei-hpc completion bash)")


def _own_image(environment: Mapping[str, str]) -> str:
    """Return the SIF in which this process runs.

    Raises:
        Refusal: (USAGE) if it runs in another container, or in none.
    """
    if image := sif(environment):
        return image
    if container(environment):
        cure = "add --image NAME, by which podman or docker knows it on the host"
        raise Refusal(ExitCode.USAGE, [Fault("install", "the name of this image is not known here", cure)])
    cure = "name one with --image, or run it in one: apptainer run espei.sif install DIRECTORY"
    raise Refusal(ExitCode.USAGE, [Fault("install", "this is no image", cure)])


def _is_of_others(path: Path) -> bool:
    if not path.exists() and not path.is_symlink():
        return False
    try:
        return MARK not in path.read_text(errors="replace")
    except OSError:
        return True


def _write(directory: Path, image: str) -> None:
    template = templates("espei_hpc.cli.install").get_template("host-command.bash.j2")
    mark = f"{MARK} {__version__}"
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for name in NAMES:
            text = template.render(name=name, image=image, sif=image.endswith(".sif"), mark=mark)
            write_whole(directory / name, text.encode(), EXECUTABLE)
    except OSError as error:
        where = str(error.filename or directory)
        fault = Fault(where, f"cannot be written ({reason(error)})", "name another directory")
        raise Refusal(ExitCode.CANNOT_CREATE, [fault]) from error
