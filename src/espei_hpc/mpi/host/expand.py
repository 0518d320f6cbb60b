"""Expand a recipe on one host: fill in its variables, resolve its patterns."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from string import Template

from espei_hpc.errors import Fault, Refusal
from espei_hpc.exit_codes import ExitCode
from espei_hpc.mpi.host.options import Mount
from espei_hpc.mpi.host.root import Root
from espei_hpc.mpi.host.schema import Recipe, hides_image


@dataclass
class Expanded:
    """What a recipe adds for the ranks; the dependencies of libraries (``closure``) are added to it.

    Attributes:
        library: the MPI library on the host; None if the recipe names none.
        libraries: libraries that the MPI opens by name at run time.
        search: directories of the host in which dependencies are searched.
        plugins: the mounted directories with plugins, whose dependencies are needed too.
        mounts: files and directories to mount.
        variables: variables to set in the container.
        absent: entries of the recipe that this host does not have, as written in the recipe.
    """

    library: PurePosixPath | None = None
    libraries: list[PurePosixPath] = field(default_factory=list)
    search: list[str] = field(default_factory=list)
    plugins: list[PurePosixPath] = field(default_factory=list)
    mounts: list[Mount] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)
    absent: list[str] = field(default_factory=list)


def expand(
    recipe: Recipe,
    root: Root,
    environment: Mapping[str, str],
    library: PurePosixPath | None = None,
    prefix: PurePosixPath | None = None,
) -> Expanded:
    """Resolve the variables and paths of a recipe on a host.

    Args:
        recipe: the recipe.
        root: the host's file system.
        environment: the host's, for ``${VARIABLE}``.
        library: the MPI library if known already; its directory is ``${lib}``.
        prefix: the MPI's prefix, ``${prefix}``; default: the directory above the library's.

    Raises:
        Refusal: (CONFIGURATION) if a mount would hide the image's own files.
    """
    lookup = _Lookup(root, dict(environment))
    result = Expanded(absent=lookup.absent)
    result.library = library or next(lookup.first_of(recipe.library), None)
    if result.library:
        directory = result.library.parent
        lookup.names |= {"lib": str(directory), "prefix": str(prefix or directory.parent)}
    result.libraries = [path for text in recipe.dlopen for path in lookup.paths(text)]
    result.search = [str(path) for text in recipe.search for path in lookup.paths(text)]
    result.plugins = [path for text in recipe.plugins for path in lookup.paths(text)]
    result.mounts = [Mount(str(path), str(path)) for path in result.plugins]
    for bind in recipe.bind:
        targets = list(lookup.filled(bind.target)) if bind.target else []
        result.mounts += [
            Mount(str(path), targets[0] if targets else str(path), bind.writable)
            for path in lookup.paths(bind.source)
        ]
    result.mounts = list(dict.fromkeys(result.mounts))
    for name, value in recipe.environment.items():
        values = lookup.filled(value) if isinstance(value, str) else map(str, lookup.first_of(value))
        result.variables.update((name, text) for text in values)
    _refuse_hiding(recipe, result.mounts)
    return result


@dataclass
class _Lookup:
    """Fills in variables and finds paths on a host, and records what does not exist."""

    root: Root
    names: dict[str, str]
    absent: list[str] = field(default_factory=list)

    def filled(self, text: str) -> Iterator[str]:
        try:
            yield Template(text).substitute(self.names)
        except KeyError as error:
            self.absent.append(f"{text} (no variable {error.args[0]})")

    def paths(self, text: str) -> Iterator[PurePosixPath]:
        for patterns in self.filled(text):
            # A variable such as LD_LIBRARY_PATH may have several directories.
            found = [path for pattern in patterns.split(":") if pattern for path in self.root.glob(pattern)]
            if not found:
                self.absent.append(text)
            yield from found

    def first_of(self, texts: tuple[str, ...]) -> Iterator[PurePosixPath]:
        """Find the first path that exists; if none does, record all as absent."""
        before = len(self.absent)
        for text in texts:
            for path in self.paths(text):
                del self.absent[before:]
                yield path
                return


def _refuse_hiding(recipe: Recipe, mounts: list[Mount]) -> None:
    faults = [
        Fault(
            f"recipe {recipe.name}",
            f"{mount.source} mounted on {mount.target} would hide files of the image",
            "name subdirectories",
        )
        for mount in mounts
        if hides_image(mount.target)
    ]
    if faults:
        raise Refusal(ExitCode.CONFIGURATION, faults)
