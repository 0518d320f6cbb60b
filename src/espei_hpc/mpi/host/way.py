"""One way for ranks to get their MPI."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from espei_hpc.errors import Fault, Refusal
from espei_hpc.exit_codes import ExitCode
from espei_hpc.mpi.host.image import Image
from espei_hpc.mpi.host.options import Mount
from espei_hpc.mpi.host.predict import Outcome

Name = Literal["inside", "hybrid", "bind", "without"]


@dataclass(frozen=True)
class Way:
    """How ranks are started and which MPI they load.

    Attributes:
        name: ``inside``: the image's launcher, on one machine; ``hybrid``: the host's launcher with the
            image's library; ``bind``: both are the host's; ``without``: no MPI, only a launcher that sets
            rank and size.
        line: the line shown to the user.
        launcher: the host's launcher command; empty with ``inside``.
        library_family: key of the family that ranks load; None if each rank chooses, or there is none.
        outcome: the predicted outcome.
        mounts: mounts in the container.
        variables: variables to set in the container.
        notes: further notes for the user, one line each.
    """

    name: Name
    line: str
    launcher: tuple[str, ...]
    library_family: str | None
    outcome: Outcome
    mounts: tuple[Mount, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def first(ways: Iterable[Way], outcome: Outcome) -> Way | None:
    """Return the first way with an outcome; None if there is none."""
    return next((way for way in ways if way.outcome is outcome), None)


def several(hybrids: Sequence[Way]) -> Way | None:
    """Return a way for hybrids that are not known to work, in which each rank chooses the library."""
    if len(hybrids) < 2:
        return next(iter(hybrids), None)
    start, _, _ = hybrids[0].line.partition(", each loads")
    line = (
        f"{start}, each loads the image's MPI that fits; whether they form one world is checked at the start"
    )
    whys = tuple(way.line.rpartition("at the start: ")[2] for way in hybrids)
    return replace(hybrids[0], line=line, library_family=None, notes=(*hybrids[0].notes, *whys))


def inside(image: Image) -> Way:
    """Return the way without a launcher of the host.

    Raises:
        Refusal: (CONFIGURATION) if the image has no MPI.
    """
    if not image.libraries:
        what = "the image has no MPI, and no launcher of the host is found"
        cure = "load an MPI module of the host, name its launcher, or use an image built with MPI=both"
        raise Refusal(ExitCode.CONFIGURATION, [Fault("MPI", what, cure)])
    library = image.libraries[0]
    line = f"MPI: inside: the image's own mpirun ({library.name}) starts the ranks, on this machine only"
    return Way("inside", line, (), library.family.key, Outcome.ONE_WORLD)
