"""The process that holds the lock of a run directory."""

import json
import os
import secrets
import socket
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from espei_hpc.containers import named_container

OLD_SECONDS = 60.0
"""Another machine's lock expires if it was not touched for this long."""
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True)
class Holder:
    """A run that holds a lock.

    Attributes:
        id: unique for each acquisition of the lock.
        machine: boot id of the running kernel, since hostnames need not be unique.
        host: hostname.
        pid: process id on its host (or in its container).
        job: batch system and job; empty outside a job.
        started: start time, in its host's local time.
        container: container engine, if it runs in a container with its own hostname; earlier versions
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
    def here(cls, job: str) -> Self:
        """Return this process as a holder, in a job."""
        return cls(
            id=secrets.token_hex(8),
            machine=_machine(),
            host=socket.gethostname(),
            pid=os.getpid(),
            job=job,
            started=time.strftime("%Y-%m-%d %H:%M:%S"),
            container=named_container(os.environ),
        )

    @classmethod
    def parse(cls, content: bytes) -> Self | None:
        """Parse a lock's content; None if it is incomplete."""
        try:
            holder = cls(**json.loads(content))
        except (ValueError, TypeError):
            return None
        return holder if {type(value) for value in vars(holder).values()} <= {str, int} else None

    def packed(self) -> bytes:
        """Return a lock's content."""
        return json.dumps(asdict(self)).encode()

    def __str__(self) -> str:
        """Describe it so that a user can find it."""
        job = f", {self.job}" if self.job else ""
        container = f", in a {self.container} container" if self.container else ""
        return f"process {self.pid} on {self.host}{job}, since {self.started}{container}"


@dataclass(frozen=True)
class LockView:
    """The state of a lock.

    Attributes:
        made: whether this process created the file.
        flocked: whether this process has the kernel's lock; None if the file system has none.
        holder: the holder named in it; None if it names none (yet).
        touched: when it was touched, ns, by the file server's clock.
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
        """Whether no other machine can hold it."""
        named_here = self.holder is not None and self.holder.machine == machine
        return self.made or (named_here and self.flocked is not None)

    def is_held(self, machine: str, earlier: "LockView | None") -> bool:
        """Whether its holder is known to be running, from two looks at the lock.

        One look is not enough, not even on this machine: a process that was just killed may not
        have ended, or a child that it was starting may still hold the lock.
        """
        if earlier is None:
            return False
        locked_here = self.flocked is False and self.is_decided(machine) and not self.made
        return locked_here or self.touched != earlier.touched


def _machine() -> str:
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        return socket.gethostname()
