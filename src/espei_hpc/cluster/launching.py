"""How the ranks of a cluster are started: launcher, command of each rank, and the variables for both."""

import fnmatch
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from espei_hpc import batch
from espei_hpc.cluster.calling_script import CallingScript
from espei_hpc.errors import Fault, Refusal
from espei_hpc.exit_codes import ExitCode
from espei_hpc.mpi import sharing
from espei_hpc.mpi.host.options import Engine
from espei_hpc.mpi.host.root import host_root
from espei_hpc.mpi.launchers import KINDS, NAMES
from espei_hpc.mpi.library import own_launchers

ASK_SECONDS = 10
"""A busy batch system answers late, or never."""
VARIABLES = (*sharing.VARIABLES, *(f"{prefix}*" for system in batch.SYSTEMS for prefix in system.prefixes))
"""Patterns of the variables that a rank needs of its host."""


@dataclass(frozen=True)
class Launch:
    """How the ranks of a cluster are started.

    Attributes:
        launcher: the launcher command.
        named: whether the user named the launcher.
        one_host: whether it can start ranks on this host only.
        hpc: the command that runs ``espei-hpc`` beside the launcher.
        in_rank: the command that runs ``espei-hpc`` in a rank.
        variables: variables to set for it.
        without: variables that the launcher must not see.
        notes: lines for the user: which MPI the ranks load.
    """

    launcher: tuple[str, ...]
    named: bool
    one_host: bool
    hpc: tuple[str, ...]
    in_rank: tuple[str, ...]
    variables: Mapping[str, str]
    without: tuple[str, ...]
    notes: tuple[str, ...] = ()

    def words(
        self, ranks: int | str | None, arguments: Sequence[str], launcher: Sequence[str] = ()
    ) -> list[str]:
        """Return the command that starts the ranks.

        Args:
            ranks: their number; None for as many as the launcher starts.
            arguments: arguments of ``espei-hpc`` in each rank.
            launcher: the launcher command if another than ``self.launcher``.
        """
        clean = ["env", *(f"--unset={name}" for name in self.without)] if self.without else []
        return [*clean, *self.shown(ranks, launcher), *self.in_rank, *arguments]

    def shown(self, ranks: int | str | None, launcher: Sequence[str] = ()) -> list[str]:
        """Return the launcher with the number of ranks, as in ``words``."""
        return [*(launcher or self.launcher), *(["-n", str(ranks)] if ranks else [])]


def launcher_variables(*, more_ranks_than_cores: bool) -> dict[str, str]:
    """Return the variables that a launcher is started with.

    Args:
        more_ranks_than_cores: whether it may start more ranks than it sees cores. The scheduler's rank uses
            little CPU, so one rank more than cores is fine; in an allocation the slots of the batch system
            apply.
    """
    added: dict[str, str] = {}
    for kind in KINDS:
        if more_ranks_than_cores:
            added |= kind.more_ranks_than_cores
        if os.geteuid() == 0:
            added |= kind.as_root
    return added


def shared(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that a rank needs of its host."""
    return {
        name: value
        for name, value in environment.items()
        if any(fnmatch.fnmatchcase(name, pattern) for pattern in VARIABLES)
    }


def handed_over(script: CallingScript) -> dict[str, str]:
    """Return variables with what only the host can find out about its job.

    A container has neither the batch system's commands nor its files.
    """
    system = batch.recognised(script.environment)
    if system is None:
        return {}
    found: dict[str, str] = {}
    path = script.environment.get(system.node_file)
    if path and (text := script.ask("cat", path)):
        found |= system.handed_nodes(text)
        if len(set(text.split())) > 1:
            found |= {kind.host_file: path for kind in KINDS if kind.host_file}
    job = system.allocation({**script.environment, **found})
    if job.end is None and job.question:
        asked = script.ask("date", "+%s %z")
        if answer := script.ask("timeout", str(ASK_SECONDS), *job.question):
            found[batch.HANDED_ANSWER] = f"{asked}\n{system.needed(answer)}"
    return found


def find(script: CallingScript, note: Callable[[str], None]) -> tuple[str, ...]:
    """Return the launcher on PATH, which knows the batch system, else this Python environment's, else ().

    Args:
        script: the script on the host.
        note: prints a line about a program that has a launcher's name but is none that is known, such as the
            ``mpiexec`` of OpenPBS.
    """
    own = () if script.engine else own_launchers(Path(script.hpc[0]).parent.parent)
    return first_known((*NAMES, *own), partial(script.ask, "command", "-v"), script.environment, note)


def first_known(
    names: Iterable[str],
    path_of: Callable[[str], str | None],
    environment: Mapping[str, str],
    note: Callable[[str], None],
) -> tuple[str, ...]:
    """Return the first of these programs that is a launcher; () if none is.

    Args:
        names: their names or paths.
        path_of: returns where a program is; nothing if it is not there.
        environment: variables of the host.
        note: as for ``find``.
    """
    for name in names:
        path = path_of(name)
        if path and _is_known(path, environment):
            return (name,)
        if path:
            note(f"{path} is not used: it is no launcher that is known; to use it, give --launcher {name}")
    return ()


def _is_known(path: str, environment: Mapping[str, str]) -> bool:
    from espei_hpc.mpi.host.launcher import identify

    root = host_root()
    # Without the host's files nothing can be said against it.
    return not root.is_program(path) or identify(root, [path], environment).kind != "unknown"


def find_for_image(
    script: CallingScript, host_mpi: str | None, note: Callable[[str], None]
) -> tuple[str, ...]:
    """Return the host's launcher of the ranks in an image; () if the image's own is to start them.

    Args:
        script: the script on the host.
        host_mpi: the MPI that the user requests, or ``image``; None for the engine's default.
        note: as for ``find``.

    Raises:
        Refusal: (CONFIGURATION) if the requested MPI or recipe does not exist or has no launcher.
    """
    if host_mpi == "image":
        return ()
    if host_mpi is None:
        return find(script, note) if script.engine == "apptainer" else ()
    if host_mpi in ("auto", "none"):
        return find(script, note)
    from espei_hpc.mpi.host import examination

    return examination.launcher_words(host_root(), script.environment, host_mpi)


def resolve(script: CallingScript, launcher: Sequence[str], host_mpi: str | None, *, named: bool) -> Launch:
    """Determine how ranks are started with a launcher.

    Args:
        script: the script on the host.
        launcher: the launcher command.
        host_mpi: the MPI of the ranks that the user requests; None to choose.
        named: whether the user named the launcher.

    Raises:
        Refusal: (UNAVAILABLE) if the launcher does not exist; (CONFIGURATION) if no MPI fits it.
    """
    if not script.ask("command", "-v", launcher[0]):
        what = f"the launcher '{launcher[0]}' is not found on PATH"
        raise Refusal(ExitCode.UNAVAILABLE, [Fault("--launcher", what, "load its module, or name another")])
    environment, engine = script.environment, script.engine
    # An image's own mpirun cannot reach other hosts, and if it saw a batch system it would need commands that
    # the image lacks.
    inside = {"APPTAINER_CONTAINER", "SINGULARITY_CONTAINER"} & environment.keys()
    alone = bool(inside) and not named
    system = batch.recognised(environment)
    hidden = [name for name in environment if system and name.startswith(system.prefixes)] if alone else []
    hpc = in_rank = script.hpc
    notes: tuple[str, ...] = ()
    if engine:
        options = sharing.engine_options(engine, environment, VARIABLES)
        hpc = (*script.container, *options, script.image, "espei-hpc")
        in_rank, notes = _in_image(engine, environment, hpc, launcher, host_mpi or "auto")
    return Launch(
        tuple(launcher),
        named,
        alone,
        hpc,
        in_rank,
        # A user who gives the launcher options also decides on its slots.
        launcher_variables(
            more_ranks_than_cores=len(launcher) == 1 and (alone or not limits_ranks(environment))
        ),
        tuple(hidden),
        notes,
    )


def limits_ranks(environment: Mapping[str, str]) -> bool:
    """Whether a launcher may start only as many ranks on a host as it knows to be granted.

    One that does not know PBS sees only the cores of the one host of a job, which need not be those granted.
    """
    system = batch.recognised(environment)
    if system is None or not system.limits_ranks:
        return False
    return not system.node_file or system.allocation(environment).nodes != 1


def _in_image(
    engine: Engine, environment: Mapping[str, str], hpc: Sequence[str], launcher: Sequence[str], host_mpi: str
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the command that runs espei-hpc in a rank, with what its MPI needs, and the notes."""
    from espei_hpc.mpi.host import examination
    from espei_hpc.mpi.host.options import options

    seen = examination.examine(host_root(), environment, launcher, host_mpi)
    if seen.refusal:
        raise seen.refusal
    way = seen.way
    needed = options(engine, way.mounts, way.variables) if way else ()
    words = sharing.rank_command(engine, environment, [*hpc[:-2], *needed, *hpc[-2:]])
    return tuple(words), (way.line, *way.notes) if way else ()
