"""Find the host's MPIs by their files only; the first is the one on PATH."""

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
"""Default timeout of the search: a cluster's file system may have millions of directories."""
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
        family: its family.
        version: its version; None if not known.
        prefix: directory in which it is installed.
        library: path of its library, links not followed.
        soname: soname of the library.
        machine: its architecture, as reported by ``uname -m``.
        launcher: its own launcher; None if it has none, like Cray MPICH.
        pmi: kinds of PMI that its library supports.
        found_by: how it was found, shown to users.
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
        """Family and version, shown to users."""
        return f"{self.family.name} {self.version}" if self.version else self.family.name


@dataclass(frozen=True)
class Found:
    """What a search has found.

    Attributes:
        mpis: the host's MPIs, first the one on PATH.
        unfinished: where the search timed out; empty if it was complete.
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
    """Find the host's MPIs, and report whether the search was complete.

    Args:
        root: the host's file system tree.
        environment: the host's, including PATH and variables set by modules.
        seconds: timeout of the search through directory trees; places named by the environment are
            searched before, without a timeout.
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
    """Return the MPI at a prefix; of several, the launcher's, else the one of the ``mpirun`` there.

    Args:
        root: the host's tree.
        directory: the prefix, or a directory or file in it.
        environment: the host's, with the PATH that a launcher script uses.
        launcher: the launcher command.

    Raises:
        Refusal: (CONFIGURATION) if there is none.
    """
    path = PurePosixPath(directory)
    above = installed.prefix_of(path / "file" if root.is_dir(path) else path)
    families = _LAUNCHED_BY.get(launcher.kind, ()) if launcher else ()
    for prefix in (path, above) if root.exists(path) else ():
        if mpis := list(_at_place(root, SearchPlace(prefix, "named"), environment)):
            return next((mpi for mpi in mpis if mpi.family.key in families), mpis[0])
    what = f"no MPI library found in {directory}" if root.exists(path) else f"{directory} does not exist"
    cure = "name the directory that contains its bin and lib; espei-hpc host-mpi lists the MPIs found"
    raise Refusal(ExitCode.CONFIGURATION, [Fault("host MPI", what, cure)])


def of_library(
    root: Root, path: PurePosixPath, found_by: str, environment: Mapping[str, str]
) -> HostMpi | None:
    """Return the MPI with this library; None if it is not an MPI library.

    Args:
        root: the host's tree.
        path: path of the library.
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
    """Find the library of a launcher, not those of other MPIs with the same prefix."""
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
    """Find the launchers in a prefix and their families, the one named ``mpirun`` first."""
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
