"""Which MPIs the host has, told from its files alone: the first is that which PATH would start."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from types import MappingProxyType

from espei_hpc.errors import Fault, Refusal
from espei_hpc.exit_codes import ExitCode
from espei_hpc.mpi.host import installed, places, trees
from espei_hpc.mpi.host.family import Family
from espei_hpc.mpi.host.installed import Installed
from espei_hpc.mpi.host.launcher import Launcher, identify
from espei_hpc.mpi.host.places import SearchPlace
from espei_hpc.mpi.host.root import Root

SECONDS = 10.0
"""The search takes no longer by default: a cluster's file system may have millions of directories."""
# Families by the kind of their launchers: MVAPICH's is a Hydra.
_LAUNCHED_BY = {
    "openmpi": ("openmpi",),
    "mpich": ("mpich", "mvapich"),
    "intel": ("intel",),
    "pals": ("cray",),
}
# Intel's and NVIDIA's installations have lib and bin further down.
_BELOW = ("intel64", "ompi", "mpi/latest", "mpi/*", "latest", "ofi/gnu/*", "ofi/*/*")


@dataclass(frozen=True)
class HostMpi:
    """An MPI of the host.

    Attributes:
        family: of which it is.
        version: of it; None if its files do not tell.
        prefix: where it is installed.
        library: its library, links not followed.
        soname: the name the library gives itself.
        machine: the architecture it is for, as ``uname -m`` says it.
        launcher: its own launcher; None where it has none, as with Cray MPICH.
        pmi: kinds of PMI by which its library learns rank and size.
        found_by: how it was found, for people.
    """

    family: Family
    version: str | None
    prefix: PurePosixPath
    library: PurePosixPath
    soname: str
    machine: str
    launcher: PurePosixPath | None
    pmi: tuple[str, ...]
    found_by: str

    @property
    def name(self) -> str:
        """Make and version, for people."""
        return f"{self.family.name} {self.version}" if self.version else self.family.name


@dataclass(frozen=True)
class Found:
    """What a search has found.

    Attributes:
        mpis: the host's MPIs, the one that PATH would start first.
        unfinished: where the time was up; empty if all was looked at.
    """

    mpis: tuple[HostMpi, ...]
    unfinished: str = ""


def find(root: Root, environment: Mapping[str, str]) -> list[HostMpi]:
    """Find the host's MPIs.

    Args:
        root: the host's tree.
        environment: the host's, with PATH and what modules have set.
    """
    return list(search(root, environment).mpis)


def search(root: Root, environment: Mapping[str, str], seconds: float = SECONDS) -> Found:
    """Find the host's MPIs, and say whether the time sufficed to look everywhere.

    Args:
        root: the host's tree.
        environment: the host's, with PATH and what modules have set.
        seconds: the most the search of trees may take; what the environment names comes first, whatever
            that takes.
    """
    deadline = trees.Deadline(seconds)
    found: dict[PurePosixPath | None, HostMpi] = {}
    for place in (*places.named(root, environment), *places.usual(root)):
        _add(found, root, _at_place(root, place, environment))
    for place in trees.walk(root, environment, deadline):
        _add(found, root, _at_place(root, place, environment))
    return Found(tuple(found.values()), deadline.stopped_at)


def at(
    root: Root,
    directory: str | PurePosixPath,
    environment: Mapping[str, str] = MappingProxyType({}),
    launcher: Launcher | None = None,
) -> HostMpi:
    """Return the MPI at a named prefix; of several there, that of the launcher, else that of its ``mpirun``.

    Args:
        root: the host's tree.
        directory: the prefix, or a directory or file in it.
        environment: the host's, whose PATH decides what a launcher's script starts.
        launcher: what is to start the ranks.

    Raises:
        Refusal: (CONFIGURATION) if there is none.
    """
    path = PurePosixPath(directory)
    above = installed.prefix_of(path / "file" if root.is_dir(path) else path)
    families = _LAUNCHED_BY.get(launcher.kind, ()) if launcher else ()
    for prefix in (path, above) if root.exists(path) else ():
        if mpis := list(_at_place(root, SearchPlace(prefix, "named"), environment)):
            return next((mpi for mpi in mpis if mpi.family.key in families), mpis[0])
    what = f"no MPI library is found below {directory}" if root.exists(path) else f"{directory} is not there"
    cure = "name the directory above its bin and lib; espei-hpc host-mpi lists what is found"
    raise Refusal(ExitCode.CONFIGURATION, [Fault("host MPI", what, cure)])


def of_library(
    root: Root, path: PurePosixPath, found_by: str, environment: Mapping[str, str]
) -> HostMpi | None:
    """Return the MPI whose library is at a path; None if that is no MPI library.

    Args:
        root: the host's tree.
        path: of the library.
        found_by: what named it.
        environment: the host's.
    """
    prefix = installed.prefix_of(path)
    library = installed.read(root, path, prefix)
    if library is None:
        return None
    launchers = _launchers(root, prefix, environment)
    launcher = next((program for families, program in launchers if library.family.key in families), None)
    return _host_mpi(library, prefix, launcher, found_by)


def _add(found: dict[PurePosixPath | None, HostMpi], root: Root, mpis: Iterable[HostMpi]) -> None:
    for mpi in mpis:
        found.setdefault(root.real(mpi.library), mpi)


def _at_place(root: Root, place: SearchPlace, environment: Mapping[str, str]) -> Iterator[HostMpi]:
    if place.is_launcher:
        yield from _of_launcher(root, place, environment)
        return
    below = [path for pattern in _BELOW for path in root.glob(place.path / pattern)]
    lib = installed.prefix_of(place.path / "file")
    for prefix in dict.fromkeys((place.path, *below, lib)):
        mpis = list(_at_prefix(root, prefix, place.found_by, environment))
        if mpis:
            yield from mpis
            return


def _of_launcher(root: Root, place: SearchPlace, environment: Mapping[str, str]) -> Iterator[HostMpi]:
    """Find the library of a launcher, not those of others that share its prefix."""
    program = identify(root, [str(place.path)], environment)
    if program.path is None:
        return
    families = _LAUNCHED_BY.get(program.kind, ())
    for path in (program.path, place.path):
        prefix = installed.prefix_of(path)
        mine = [lib for lib in installed.libraries(root, prefix) if lib.family.key in families]
        if mine:
            yield from (_host_mpi(lib, prefix, place.path, place.found_by) for lib in mine)
            return


def _at_prefix(
    root: Root, prefix: PurePosixPath, found_by: str, environment: Mapping[str, str]
) -> Iterator[HostMpi]:
    libraries = list(installed.libraries(root, prefix))
    launchers = list(_launchers(root, prefix, environment)) if libraries else []
    kinds = [family for families, _ in launchers for family in families]
    libraries.sort(key=lambda lib: kinds.index(lib.family.key) if lib.family.key in kinds else len(kinds))
    for library in libraries:
        launcher = next((path for families, path in launchers if library.family.key in families), None)
        yield _host_mpi(library, prefix, launcher, found_by)


def _launchers(
    root: Root, prefix: PurePosixPath, environment: Mapping[str, str]
) -> Iterator[tuple[tuple[str, ...], PurePosixPath]]:
    """Find the launchers in a prefix and the families they are of, the one called ``mpirun`` first."""
    names = [
        *places.LAUNCHERS,
        *(f"{name}.{family}" for name in places.LAUNCHERS for family in ("openmpi", "mpich")),
    ]
    for name in names:
        path = prefix / "bin" / name
        if root.is_program(path):
            program = identify(root, [str(path)], environment)
            yield _LAUNCHED_BY.get(program.kind, ()), path


def _host_mpi(
    library: Installed, prefix: PurePosixPath, launcher: PurePosixPath | None, found_by: str
) -> HostMpi:
    return HostMpi(
        family=library.family,
        version=library.version,
        prefix=prefix,
        library=library.path,
        soname=library.soname,
        machine=library.machine,
        launcher=launcher,
        pmi=library.pmi,
        found_by=found_by,
    )
