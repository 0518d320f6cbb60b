"""What to mount of the host's MPI into a container: its library, the libraries it needs, its plugins."""

import fnmatch
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from espei_hpc.mpi.host import closure, libc
from espei_hpc.mpi.host.closure import Closure
from espei_hpc.mpi.host.elf import NotAnObject, Object
from espei_hpc.mpi.host.expand import expand
from espei_hpc.mpi.host.find import HostMpi
from espei_hpc.mpi.host.libc import Versions
from espei_hpc.mpi.host.options import Mount
from espei_hpc.mpi.host.recipe import Recipe, for_family
from espei_hpc.mpi.host.root import Root

LIBRARIES = "/opt/host-mpi/lib"
"""Directory of the host's libraries in the container: separate, so that none of the image is hidden."""
# Plugins of plugins: Debian's are in openmpi/lib/openmpi3.
_DEEPEST_PLUGINS = 4


@dataclass(frozen=True)
class Host:
    """The machine outside of the container.

    Attributes:
        root: its file system.
        environment: its variables, including PATH and those set by modules.
        recipes: recipes of families and sites.
    """

    root: Root
    environment: Mapping[str, str]
    recipes: Sequence[Recipe]


@dataclass(frozen=True)
class Binding:
    """A host's MPI as a container would see it.

    Attributes:
        mounts: files and directories to mount.
        variables: variables to set.
        lacking: reasons why the library cannot be loaded there, one line each; empty if it can.
        dropped: plugins that cannot be loaded there, which the MPI silently skips.
        absent: paths that the site's recipe names but the host does not have.
        remarks: what users must know of the recipes that were used.
    """

    mounts: tuple[Mount, ...]
    variables: Mapping[str, str]
    lacking: tuple[str, ...]
    dropped: tuple[PurePosixPath, ...]
    absent: tuple[str, ...]
    remarks: tuple[str, ...]


def bind(
    mpi: HostMpi,
    host: Host,
    offered: Versions,
    site: Recipe | None = None,
    more: Iterable[PurePosixPath] = (),
) -> Binding:
    """Determine what to mount for an MPI of the host, and whether it can be loaded.

    Args:
        mpi: the MPI to bind.
        host: its host.
        offered: versions of the image's own libraries.
        site: a recipe in addition to that of the MPI's family.
        more: further libraries that the MPI opens by name.
    """
    recipes = _recipes(mpi, host, site)
    parts = [expand(recipe, host.root, host.environment, mpi.library, mpi.prefix) for recipe in recipes]
    search = [path for part in parts for path in part.search]
    search += [path for path in host.environment.get("LD_LIBRARY_PATH", "").split(":") if path]
    opened = dict.fromkeys([mpi.library, *(path for part in parts for path in part.libraries), *more])
    try:
        library = closure.closure(host.root, list(opened), search)
    except NotAnObject as error:
        return Binding((), {}, (str(error),), (), (), ())
    # Several patterns of a recipe may match the same directory; list its plugins once.
    tops = dict.fromkeys(top for part in parts for top in part.plugins)
    directories = list(dict.fromkeys(path for top in tops for path in _with_subdirectories(host.root, top)))
    plugins = closure.plugins(host.root, directories, library, search)
    dropped = [plugin for plugin in plugins if libc.lacking(plugin, offered)]
    loading = [plugin for plugin in plugins if plugin not in dropped]
    never = [pattern for recipe in recipes for pattern in recipe.never]
    # Libraries in a plugin directory stay there: some find others relative to their own path.
    mounts = [mount for part in parts for mount in part.mounts]
    beside: dict[str, None] = {}
    for name, item in _libraries(mpi, library, loading, offered, never):
        if item.path.parent in directories:
            beside[str(item.path.parent)] = None
        else:
            mounts.append(Mount(str(item.path), name if name.startswith("/") else f"{LIBRARIES}/{name}"))
    variables = {"MPI4PY_LIBMPI": f"{LIBRARIES}/{mpi.family.soname}"}
    variables["LD_LIBRARY_PATH"] = ":".join([LIBRARIES, *beside])
    for part in parts:
        variables |= part.variables
    return Binding(
        mounts=tuple(_resolved(host.root, mounts)),
        variables=variables,
        lacking=tuple(libc.lacking(library, offered)),
        dropped=tuple(item.path for plugin in dropped for item in plugin.libraries),
        # A family's recipe names alternatives.
        absent=tuple(parts[-1].absent) if site else (),
        remarks=tuple(remark for recipe in recipes for remark in recipe.remarks),
    )


def _recipes(mpi: HostMpi, host: Host, site: Recipe | None) -> list[Recipe]:
    launcher = mpi.launcher.name if mpi.launcher else None
    family = for_family(host.recipes, mpi.family.key, mpi.version, launcher)
    # The site's recipe comes last, and so takes precedence.
    return [recipe for recipe in (family if family != site else None, site) if recipe]


def _with_subdirectories(root: Root, top: PurePosixPath, depth: int = 0) -> Iterator[PurePosixPath]:
    yield top
    if depth < _DEEPEST_PLUGINS:
        for name in root.listdir(top):
            if root.is_dir(top / name):
                yield from _with_subdirectories(root, top / name, depth + 1)


def _libraries(
    mpi: HostMpi, library: Closure, plugins: Iterable[Closure], offered: Versions, never: Iterable[str]
) -> Iterator[tuple[str, Object]]:
    """Yield each library with the name by which others need it, and the MPI's by mpi4py's name."""
    yield mpi.family.soname, library.libraries[0]
    names: dict[str, Object] = {}
    for part in (library, *plugins):
        # A plugin itself is opened by its path.
        bound = set(libc.to_bind(part, offered)) - set(part.libraries if part is not library else ())
        names |= {name: item for name, item in part.names.items() if item in bound}
    for name, item in sorted(names.items()):
        if name != mpi.family.soname and not any(fnmatch.fnmatchcase(name, pattern) for pattern in never):
            yield name, item


def _resolved(root: Root, mounts: Iterable[Mount]) -> Iterator[Mount]:
    """Replace links by the files they point to, and drop duplicate targets."""
    targets: dict[str, Mount] = {}
    for mount in mounts:
        source = root.real(mount.source)
        if source is not None:
            targets.setdefault(mount.target, Mount(str(source), mount.target, mount.writable))
    return iter(targets.values())
