"""The user's choice of MPI: automatic, none of the host's, or one MPI or recipe of the host."""

from collections.abc import Sequence
from typing import Literal

from espei_hpc.errors import Fault, Refusal
from espei_hpc.exit_codes import ExitCode
from espei_hpc.mpi.host import find
from espei_hpc.mpi.host.binding import Host
from espei_hpc.mpi.host.expand import expand
from espei_hpc.mpi.host.find import HostMpi
from espei_hpc.mpi.host.launcher import Launcher, identify
from espei_hpc.mpi.host.recipe import Recipe

Asked = Literal["auto", "none"] | HostMpi | Recipe


def means_bind(asked: Asked) -> bool:
    """Whether only binding was requested."""
    if isinstance(asked, Recipe):
        return asked.way == "bind" or (asked.kind == "family" and asked.way is None)
    return isinstance(asked, HostMpi)


def means_no_bind(asked: Asked) -> bool:
    """Whether nothing may be bound."""
    return asked == "none" or (isinstance(asked, Recipe) and asked.way == "hybrid")


def launcher_of(asked: Asked, host: Host) -> Launcher | None:
    """Return the launcher of the requested MPI or recipe; None if it has none.

    Raises:
        Refusal: (CONFIGURATION) if an MPI without a launcher is to be bound.
    """
    words: list[str] = []
    if isinstance(asked, HostMpi) and asked.launcher:
        words = [str(asked.launcher)]
    elif isinstance(asked, Recipe) and asked.launcher:
        words = asked.launcher.split()
    if not words and means_bind(asked):
        name = asked.name if isinstance(asked, HostMpi | Recipe) else ""
        cure = "name one with --launcher, such as 'srun --mpi=pmi2'"
        raise Refusal(ExitCode.CONFIGURATION, [Fault(name, "has no launcher", cure)])
    return identify(host.root, words, host.environment) if words else None


def wanted(asked: Asked, mpis: Sequence[HostMpi], host: Host) -> Sequence[HostMpi]:
    """Return the MPIs that may be bound, in order of preference.

    Raises:
        Refusal: (CONFIGURATION) if the requested recipe names an MPI that this host does not have.
    """
    if isinstance(asked, HostMpi):
        return [asked]
    if not isinstance(asked, Recipe):
        return mpis
    expanded = expand(asked, host.root, host.environment)
    if expanded.library:
        named = find.of_library(host.root, expanded.library, f"recipe {asked.name}", host.environment)
        found = [named] if named else []
    else:
        found = [mpi for mpi in mpis if not asked.library and asked.family in (None, mpi.family.key)]
    if not found and means_bind(asked):
        what = f"its MPI is not found here: {', '.join(map(str, asked.library)) or asked.title}"
        cure = (
            f"run first: {' && '.join(asked.setup)}"
            if asked.setup
            else "load its module, or name its directory"
        )
        raise Refusal(ExitCode.CONFIGURATION, [Fault(f"recipe {asked.name}", what, cure)])
    return found
