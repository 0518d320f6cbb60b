"""What a recipe comes to on one host: its variables filled in, its patterns looked up."""

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
    """A recipe's part of what ranks need; the libraries' own needs (``closure``) come on top.

    Attributes:
        library: the MPI library on the host; None where the recipe leaves it to be searched.
        libraries: what the MPI opens by name as it runs.
        search: directories of the host for what the libraries need.
        plugins: those of the mounts that hold plugins, whose own needs are to be looked at too.
        mounts: what is to be seen in the container.
        variables: to be set in the container.
        absent: what the recipe names and this host does not have, as written there.
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
    """Look up on a host what a recipe names.

    Args:
        recipe: to be expanded.
        root: the host's file system.
        environment: the host's, for ``${VARIABLE}``.
        library: the MPI library, where it is known already; its directory is ``${lib}``.
        prefix: where the MPI is installed, ``${prefix}``; else the directory above the library's.

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
    """Fills in variables and finds paths on a host, and remembers what was in vain."""

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
            # A variable such as LD_LIBRARY_PATH stands for several directories.
            found = [path for pattern in patterns.split(":") if pattern for path in self.root.glob(pattern)]
            if not found:
                self.absent.append(text)
            yield from found

    def first_of(self, texts: tuple[str, ...]) -> Iterator[PurePosixPath]:
        """Find the first that is there; only if none is, all are told as absent."""
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
            f"{mount.source} mounted on {mount.target} would hide files of the image itself",
            "name directories further down",
        )
        for mount in mounts
        if hides_image(mount.target)
    ]
    if faults:
        raise Refusal(ExitCode.CONFIGURATION, faults)
