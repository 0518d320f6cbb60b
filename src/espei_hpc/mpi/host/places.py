"""Where to look for MPIs: those the environment names, and the usual ones of distributions and vendors."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from espei_hpc.mpi.host.root import Root

LAUNCHERS = ("mpirun", "mpiexec", "mpiexec.hydra")
# Modules, EasyBuild's EBROOT... and some sites' own: OPENMPI_HOME, I_MPI_ROOT, EBROOTIMPI, TACC_IMPI_DIR.
_VARIABLE = re.compile(
    r"(EBROOT|TACC_|HPCX_)?(OPEN_?MPI|OMPI|MPICH2?|I_?MPI|MPI|MVAPICH2?|CRAY_MPICH|PSMPI)"
    r"(_?(HOME|ROOT|DIR|PREFIX|BASEDIR))?"
)
_USUAL = {
    "Debian's alternatives": ("/usr",),
    "distribution's directory": ("/usr/lib64/*", "/usr/lib64/mpi/gcc/*", "/usr/mpi/*/*", "/usr/local"),
    "Cray's programming environment": (
        "/opt/cray/pe/mpich/default/ofi/*/*",
        "/opt/cray/pe/mpich/*/ofi/*/*",
        "/opt/cray/pe/mpich/*/ucx/*/*",
    ),
    "Intel's directory": (
        "/opt/intel/oneapi/mpi/latest",
        "/opt/intel/oneapi/mpi/*",
        "/opt/intel/compilers_and_libraries*/linux/mpi",
        "/opt/intel/impi/*",
    ),
}
_SELECTED = ("/etc/sysconfig/mpi-selector",)
_SELECTIONS = ("/var/lib/mpi-selector/data", "/usr/share/mpi-selector/data")
_PATH = re.compile(r"/[\w./+@-]+")


@dataclass(frozen=True)
class SearchPlace:
    """A place to look for an MPI.

    Attributes:
        path: a prefix, or a launcher.
        found_by: what named it, shown to users.
        is_launcher: whether ``path`` is a launcher: then only its own MPI is meant.
    """

    path: PurePosixPath
    found_by: str
    is_launcher: bool = False


def named(root: Root, environment: Mapping[str, str]) -> Iterator[SearchPlace]:
    """Yield the places that the environment names, PATH first.

    Args:
        root: the host's tree.
        environment: the host's.
    """
    yield from _on_path(root, environment)
    for name, value in sorted(environment.items()):
        if _VARIABLE.fullmatch(name) and value.startswith("/"):
            yield SearchPlace(PurePosixPath(value), name)
    for directory in _directories(environment, "LD_LIBRARY_PATH"):
        if root.glob(directory / "libmpi*.so*"):
            yield SearchPlace(directory, "LD_LIBRARY_PATH")
    yield from _selected(root, environment)


def usual(root: Root) -> Iterator[SearchPlace]:
    """Yield the directories in which distributions and vendors install an MPI."""
    for found_by, patterns in _USUAL.items():
        for pattern in patterns:
            for path in root.glob(pattern):
                yield SearchPlace(path, found_by)


def prefixes_in(root: Root, text: str) -> Iterator[PurePosixPath]:
    """Find the prefixes in a shell script or module file: absolute paths of a prefix, or its bin or lib."""
    for path in dict.fromkeys(PurePosixPath(match.rstrip(".")) for match in _PATH.findall(text)):
        prefix = path.parent if path.name in ("bin", "lib", "lib64") else path
        if any(root.is_program(prefix / "bin" / name) for name in LAUNCHERS):
            yield prefix


def _on_path(root: Root, environment: Mapping[str, str]) -> Iterator[SearchPlace]:
    seen: set[PurePosixPath | None] = set()
    for directory in _directories(environment, "PATH"):
        real = root.real(directory)
        for name in LAUNCHERS if real not in seen else ():  # /bin is /usr/bin
            if root.is_program(directory / name):
                yield SearchPlace(directory / name, "PATH", is_launcher=True)
        seen.add(real)


def _directories(environment: Mapping[str, str], variable: str) -> Iterator[PurePosixPath]:
    entries = environment.get(variable, "").split(":")
    return (PurePosixPath(entry) for entry in dict.fromkeys(entries) if entry.startswith("/"))


def _selected(root: Root, environment: Mapping[str, str]) -> Iterator[SearchPlace]:
    """Follow mpi-selector: a file with a name, by which another sets PATH at login."""
    files = [f"{environment['HOME']}/.mpi-selector"] if environment.get("HOME", "").startswith("/") else []
    for file in (*files, *_SELECTED):
        name = (root.read_text(file) or "").strip()
        for directory in _SELECTIONS if name and "/" not in name else ():
            for prefix in prefixes_in(root, root.read_text(f"{directory}/{name}.sh") or ""):
                yield SearchPlace(prefix, "mpi-selector")
