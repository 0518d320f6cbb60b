"""Start the ranks of a trial as espei-mpi starts those of a cluster."""

import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from espei_hpc.cluster.launching import first_known, launcher_variables, limits_ranks
from espei_hpc.doctor import probe
from espei_hpc.doctor.options import Options
from espei_hpc.doctor.running import Ended, found, plain, run
from espei_hpc.exit_codes import ExitCode
from espei_hpc.mpi.launchers import NAMES
from espei_hpc.mpi.library import own_launchers

CANNOT_EXECUTE = 126
"""Exit code of shells for a command that cannot be executed."""


@dataclass(frozen=True)
class Trial:
    """A trial run of a few ranks.

    Attributes:
        started: the launcher, as shown to users.
        ranks: number of requested ranks.
        ended: how it ended.
    """

    started: str
    ranks: int
    ended: Ended


def launcher(options: Options, note: Callable[[str], None]) -> tuple[str, ...]:
    """Return the launcher command: the requested one, or the one espei-mpi would find; empty if none.

    Args:
        options: the user's options.
        note: prints a line about a program that has a launcher's name but is none that is known.
    """
    if options.launcher:
        return options.launcher
    candidates = (*NAMES, *own_launchers(Path(sys.prefix)))
    return first_known(candidates, partial(found, environment=options.environment), options.environment, note)


def trial(options: Options, words: tuple[str, ...]) -> Trial:
    """Start the ranks of a trial, or read the output of ranks that were started already.

    Raises:
        OSError: if the directory cannot be written, or the output cannot be read.
    """
    if done := options.launched:
        started = " ".join(options.launcher) or "ranks started already"
        code = None if done.code == ExitCode.DEADLINE else done.code
        return Trial(started, done.ranks, Ended(code, plain(done.output.read_bytes())))
    ranks = options.ranks_to_start
    with tempfile.TemporaryDirectory(
        prefix=".espei-doctor-", dir=options.directory, ignore_cleanup_errors=True
    ) as made:
        rank = probe.command(Path(made).resolve(), ranks, options.interface, options.seconds)
        ended = _start([*words, "-n", str(ranks), *rank], options)
    return Trial(" ".join(words), ranks, ended)


def _start(command: list[str], options: Options) -> Ended:
    try:
        return run(command, options.seconds, environment(options.environment))
    except OSError as error:
        return Ended(CANNOT_EXECUTE, str(error))


def environment(given: Mapping[str, str]) -> dict[str, str]:
    """Return the environment in which espei-mpi starts a launcher."""
    return {**given, **launcher_variables(more_ranks_than_cores=not limits_ranks(given))}
