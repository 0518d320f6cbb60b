"""Run ranks in a container under a launcher of the host: what must be shared with the host."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import PurePath

from espei_hpc.mpi.host.options import Engine
from espei_hpc.mpi.launchers import KINDS

VARIABLES = ("ESPEI_HPC_*", *(pattern for kind in KINDS for pattern in kind.variables))
"""Patterns of the variables that launchers and MPI libraries read."""

# MPICH passes each rank the number of an open socket; podman passes on --preserve-fds N descriptors from 3
# upwards.
_KEEP_PMI_FD = """
if [[ ${PMI_FD:-} ]]; then
    exec 3<&"$PMI_FD"
    export PMI_FD=3
    set -- "${@:1:2}" --preserve-fds 1 "${@:3}"
fi
exec "$@\""""
# Each host has its own TMPDIR, in which its part of the launcher keeps the files that ranks need. Apptainer
# ends if the directory that it is to bind is missing.
_BIND_TMPDIR = """
if [[ -d ${TMPDIR:-} && -w $TMPDIR && $TMPDIR != *[:,]* ]]; then
    set -- "${@:1:2}" --bind "$TMPDIR" "${@:3}"
else
    unset TMPDIR
fi
exec "$@\""""
SEEN_BY_DEFAULT = ("/tmp", "/var/tmp")  # noqa: S108 (bound by Apptainer)


def engine_options(engine: Engine, environment: Mapping[str, str], variables: Iterable[str]) -> list[str]:
    """Return the options with which podman shares what Apptainer shares by default.

    Ranks communicate with their launcher and each other through these.

    Args:
        engine: the container engine.
        environment: the host's.
        variables: patterns of the variables that a rank needs of its host.
    """
    return [] if engine == "apptainer" else list(_podman_options(environment, variables))


def rank_command(engine: Engine, environment: Mapping[str, str], words: Sequence[str]) -> list[str]:
    """Return the command that a launcher starts for each rank.

    Args:
        engine: the container engine.
        environment: the host's.
        words: the engine's command.
    """
    if engine != "apptainer":
        return ["bash", "-c", _KEEP_PMI_FD, "rank", *words]
    scratch = PurePath(environment.get("TMPDIR") or "/tmp")  # noqa: S108 (the usual default of TMPDIR)
    if any(scratch.is_relative_to(seen) for seen in SEEN_BY_DEFAULT):
        return list(words)
    return ["bash", "-c", _BIND_TMPDIR, "rank", *words]


def _podman_options(environment: Mapping[str, str], variables: Iterable[str]) -> Iterator[str]:
    yield from ("--network", "host", "--pid", "host", "--security-opt", "label=disable")
    scratch = environment.get("TMPDIR")
    for directory in dict.fromkeys(("/tmp", "/dev/shm", *([scratch] if scratch else []))):  # noqa: S108
        yield from ("--volume", f"{directory}:{directory}")
    if scratch:
        yield from ("--env", f"TMPDIR={scratch}")  # podman sets its own otherwise
    for pattern in variables:
        yield from ("--env", pattern)
