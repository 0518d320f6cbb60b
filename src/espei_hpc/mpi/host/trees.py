"""Search the trees in which Spack, EasyBuild and sites install MPIs, with a timeout."""

import re
import time
from collections import deque
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from espei_hpc.mpi.host.places import SearchPlace, prefixes_in
from espei_hpc.mpi.host.root import Root

# Of Spack (openmpi-4.1.5-abc), EasyBuild (OpenMPI/4.1.5-GCC-12), sites and NVIDIA's HPC-X.
_NAME = re.compile(
    r"(open-?mpi|ompi|mpich|i?mpi|i_mpi|intel-?(oneapi-?)?mpi|mvapich\d?|psmpi|cray-mpich|hpcx)([-_.]?v?\d.*)?",
    re.IGNORECASE,
)
_SITES = ("/opt", "/usr/local", "/apps", "/sw", "/software", "/opt/apps", "/opt/sw", "/opt/software")
# Directories without MPIs but with many files.
_SKIPPED = frozenset(("proc", "sys", "dev", "home", "tmp", "share", "doc", "man", "include", "src", "lib"))
_DEEPEST = 5
# Below the name are versions, and sometimes builds of a version.
_LEVELS_BELOW_NAME = 2
_MOST_MODULES = 200


class Deadline:
    """The end of a search.

    Attributes:
        stopped_at: what was not searched any more; empty before the timeout.
    """

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds
        self.stopped_at = ""

    def passed(self, at: str) -> bool:
        """Whether the search has timed out; records where."""
        if not self.stopped_at and time.monotonic() >= self._end:
            self.stopped_at = at
        return bool(self.stopped_at)


def walk(root: Root, environment: Mapping[str, str], deadline: Deadline) -> Iterator[SearchPlace]:
    """Find directories named like an MPI.

    Args:
        root: the host's tree.
        environment: the host's.
        deadline: when to stop.
    """
    yield from _modules(root, environment, deadline)
    seen: set[PurePosixPath | None] = set()
    for top, found_by in _tops(root, environment):
        for path in _named_as_mpi(root, top, deadline, seen):
            yield SearchPlace(path, found_by)


def _tops(root: Root, environment: Mapping[str, str]) -> Iterator[tuple[PurePosixPath, str]]:
    """Yield the trees, those named by the environment first."""
    spack = [environment.get("SPACK_ROOT", ""), f"{environment.get('HOME', '')}/spack"]
    easybuild = [environment.get(name, "") for name in ("EASYBUILD_INSTALLPATH", "EASYBUILD_PREFIX")]
    easybuild += [value for name, value in environment.items() if name.startswith("EBROOT")]
    for directory in environment.get("MODULEPATH", "").split(":"):
        # PREFIX/modules/all and PREFIX/share/spack/lmod/...: the trees are beside the modules.
        above = [str(parent) for parent in list(PurePosixPath(directory).parents)[:5]]
        spack += above
        easybuild += above
    for candidates, tree, found_by in ((spack, "opt/spack", "Spack"), (easybuild, "software", "EasyBuild")):
        for candidate in dict.fromkeys(candidates):
            for path in (PurePosixPath(candidate, tree), *PurePosixPath(candidate).parents):
                if candidate.startswith("/") and path.name == PurePosixPath(tree).name and root.is_dir(path):
                    yield path, found_by
    for site in _SITES:
        yield PurePosixPath(site), "search"


def _named_as_mpi(
    root: Root, top: PurePosixPath, deadline: Deadline, seen: set[PurePosixPath | None]
) -> Iterator[PurePosixPath]:
    """Search a tree level by level, below directories that are not named like an MPI."""
    todo = deque([(top, 0)])
    while todo:
        path, depth = todo.popleft()
        real = root.real(path)
        if real is None or real in seen:
            continue
        if deadline.passed(f"{path} and beyond"):
            return
        seen.add(real)
        for name in root.listdir(path):
            child = path / name
            prefixes = list(_prefixes(root, child, _LEVELS_BELOW_NAME)) if _NAME.fullmatch(name) else []
            yield from prefixes
            wanted = depth < _DEEPEST and name not in _SKIPPED and not name.startswith(".")
            if not prefixes and wanted and root.is_dir(child):
                todo.append((child, depth + 1))


def _prefixes(root: Root, path: PurePosixPath, levels: int) -> Iterator[PurePosixPath]:
    names = root.listdir(path)
    if {"bin", "lib", "lib64", "intel64"} & set(names):
        yield path
    elif levels:
        # The newest version first.
        for name in reversed(names):
            yield from _prefixes(root, path / name, levels - 1)


def _modules(root: Root, environment: Mapping[str, str], deadline: Deadline) -> Iterator[SearchPlace]:
    """Read the module files of MPIs that are not loaded."""
    read = 0
    for directory in dict.fromkeys(environment.get("MODULEPATH", "").split(":")):
        if not directory.startswith("/"):
            continue
        for name in root.listdir(directory):
            if not _NAME.fullmatch(name.removesuffix(".lua")) or deadline.passed(f"modules in {directory}"):
                continue
            for file in _files(root, PurePosixPath(directory, name)):
                read += 1
                if read > _MOST_MODULES:
                    return
                for prefix in prefixes_in(root, root.read_text(file) or ""):
                    yield SearchPlace(prefix, f"module {file.relative_to(directory)}")


def _files(root: Root, path: PurePosixPath) -> Iterator[PurePosixPath]:
    if root.is_file(path):
        yield path
    for name in root.listdir(path):
        if root.is_file(path / name):
            yield path / name
