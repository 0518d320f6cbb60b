"""What is known of one kind of launcher; each of the other modules here describes one launcher."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from espei_hpc.mpi.host.family import Abi

Key = Literal["openmpi", "mpich", "intel", "pals", "srun", "flux", "jsrun", "pbsdsh", "unknown"]
NOTHING: Mapping[str, str] = MappingProxyType({})


def with_host_file(words: Sequence[str], left: Mapping[str, int], _: Sequence[str], file: Path) -> list[str]:
    """Name the hosts to use in a file: Open MPI, MPICH, Intel MPI and PALS have the same option for it.

    Args:
        words: the launcher command.
        left: number of ranks on each host to use.
        file: written.
    """
    # One line per rank is a format that all of them read.
    file.write_text("".join(f"{host}\n" * ranks for host, ranks in left.items()))
    return [*words, "--hostfile", str(file)]


@dataclass(frozen=True)
class KnownCause:
    """A message that shows why ranks did not start.

    Attributes:
        pattern: found in one line of the output of a launcher and its ranks.
        what: what it means.
        cure: what the user can do.
    """

    pattern: re.Pattern[str]
    what: str
    cure: str


# Several launchers use ssh where no batch system starts their daemons.
NO_SSH = KnownCause(
    re.compile(r"^ssh: |Host key verification failed|Permission denied \((publickey|gssapi|password)"),
    "it could not log in on another host",
    "check that 'ssh HOST true' works without a password, or use a launcher that knows the batch system",
)
FEW_SLOTS = "the job or the host list has fewer slots than the requested ranks"
REQUEST_SLOTS = "request more tasks, or fewer ranks with -n"
NO_COMMAND = "a host does not have the command of the ranks"
SHARE_COMMAND = "put the image or the Python environment on a file system that all hosts share"


@dataclass(frozen=True)
class LauncherKind:
    """One kind of launcher.

    Attributes:
        key: its name in code.
        name: its maker, shown to users.
        shown: its name where it numbers ranks, shown to users.
        command: the one name of its program wherever it is installed, which a site's script may wrap; empty
            if its program has many names, or one that other launchers have too.
        marks: strings, one of which its program contains.
        rank: variables with the number of a rank, from 0; the first that is set counts.
        size: variables with the number of ranks.
        numbers_ranks: whether it sets rank and size even in ranks that do not use MPI.
        size_as_requested: whether it sets no size: then it is the requested one.
        serves: ABI of the libraries that its ranks load; None if that depends on its PMI.
        served: variables that it sets in every rank of that ABI.
        around: variables of a rank that show that this launcher started it, even by way of another.
        pmi: kinds of PMI that it offers.
        variables: patterns of the variables that it and its library read, without those of a batch system.
        causes: its messages, and those of its library, that show why ranks did not start.
        died: patterns of its messages that a rank was killed; group 1 is the host.
        names_hosts: options that name hosts, without dashes.
        excluding: returns the command that leaves hosts out, from the command, the number of ranks on each
            other host, the hosts to leave out and a file that may be written.
        more_ranks_than_cores: variables that let it start more ranks than it sees cores.
        as_root: variables that let root start it.
        host_file: variable that names a file with its hosts, one line per rank; empty if there is none.
        inside_a_job: whether a process is the job script of its batch system, which has the variables of
            a rank too.
    """

    key: Key
    name: str
    shown: str = ""
    command: str = ""
    marks: tuple[bytes, ...] = ()
    rank: tuple[str, ...] = ()
    size: tuple[str, ...] = ()
    numbers_ranks: bool = False
    size_as_requested: bool = False
    serves: Abi | None = None
    served: tuple[str, ...] = ()
    around: tuple[str, ...] = ()
    pmi: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    causes: tuple[KnownCause, ...] = ()
    died: tuple[re.Pattern[str], ...] = ()
    names_hosts: frozenset[str] = frozenset()
    excluding: Callable[[Sequence[str], Mapping[str, int], Sequence[str], Path], list[str]] = with_host_file
    more_ranks_than_cores: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    as_root: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    host_file: str = ""
    inside_a_job: Callable[[Mapping[str, str]], bool] = lambda _: False
