"""Who holds a run directory, as seen from its lock."""

import json
import os
import secrets
import socket
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from espei_hpc.containers import named_container

BATCH_SYSTEMS = {"PBS": "PBS_JOBID", "Slurm": "SLURM_JOB_ID"}
OLD_SECONDS = 60.0
"""A lock of another machine that was not touched for as long is nobody's."""
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True)
class Holder:
    """A run that holds a lock.

    Attributes:
        id: of this holding alone.
        machine: of the running kernel: host names may be alike.
        host: its name.
        pid: the process, as its host (or container) counts.
        job: batch system and job; empty outside of one.
        started: when, in its host's local time.
        container: the engine, if it runs in a container with a host name of its own; earlier versions
            did not write it.
    """

    id: str
    machine: str
    host: str
    pid: int
    job: str
    started: str
    container: str = ""

    @classmethod
    def here(cls, job: str | None) -> Self:
        """This process; ``job`` None to look for it in the environment."""
        return cls(
            id=secrets.token_hex(8),
            machine=_machine(),
            host=socket.gethostname(),
            pid=os.getpid(),
            job=batch_job(os.environ) if job is None else job,
            started=time.strftime("%Y-%m-%d %H:%M:%S"),
            container=named_container(os.environ),
        )

    @classmethod
    def parse(cls, content: bytes) -> Self | None:
        """Read a lock's content; None while it is not whole."""
        try:
            told = cls(**json.loads(content))
        except (ValueError, TypeError):
            return None
        return told if {type(value) for value in vars(told).values()} <= {str, int} else None

    def packed(self) -> bytes:
        """A lock's content."""
        return json.dumps(asdict(self)).encode()

    def __str__(self) -> str:
        """What a user needs to find it."""
        job = f", {self.job}" if self.job else ""
        container = f", in a {self.container} container" if self.container else ""
        return f"process {self.pid} on {self.host}{job}, since {self.started}{container}"


@dataclass(frozen=True)
class LockView:
    """What is seen of a lock.

    Attributes:
        made: whether this process made the file.
        flocked: whether this process has the kernel's lock; None if the file system has none.
        holder: who is named in it; None if nobody is, or not yet.
        touched: when, ns, by the file server's clock.
        age: seconds since then.
    """

    made: bool
    flocked: bool | None
    holder: Holder | None
    touched: int
    age: float

    def is_free(self, machine: str) -> bool:
        """Whether the lock may be taken."""
        return self.flocked is not False and (self.is_decided(machine) or self.age > OLD_SECONDS)

    def is_decided(self, machine: str) -> bool:
        """Whether no other machine can have a claim."""
        named_here = self.holder is not None and self.holder.machine == machine
        return self.made or (named_here and self.flocked is not None)

    def is_held(self, machine: str, earlier: "LockView | None") -> bool:
        """Whether its holder is known to be alive, having been seen before.

        One look is not enough on this machine either: a process just killed may not have ended,
        or a child that it was about to start may not have let go.
        """
        if earlier is None:
            return False
        locked_here = self.flocked is False and self.is_decided(machine) and not self.made
        return locked_here or self.touched != earlier.touched


def batch_job(environment: Mapping[str, str]) -> str:
    """Return the batch job of a process; empty if there is none."""
    named = (
        f"{system} job {environment[name]}" for system, name in BATCH_SYSTEMS.items() if environment.get(name)
    )
    return next(named, "")


def _machine() -> str:
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        return socket.gethostname()
