"""Which process runs a fit, read from its lock."""

import os
import time
from dataclasses import dataclass
from pathlib import Path

from espei_hpc.rundir.holder import OLD_SECONDS, Holder
from espei_hpc.rundir.lock import LOCK, is_free


@dataclass(frozen=True)
class Holding:
    """An existing lock.

    Attributes:
        holder: the process named in it; None while it is being written.
        alive: whether that process is running; None if only its own host can know.
        touched: seconds since it last touched the lock, by this host's clock.
    """

    holder: Holder | None
    alive: bool | None
    touched: float

    @property
    def counts(self) -> bool:
        """Whether a start of the fit would be refused, as far as this host can know."""
        return self.alive is not False and (self.alive is True or self.touched <= OLD_SECONDS)


def look(run_directory: Path) -> Holding | None:
    """Read the lock of a run directory; None if there is none.

    Raises:
        OSError: if it is not readable.
    """
    try:
        with (run_directory / LOCK).open("rb") as file:
            holder = Holder.parse(file.read())
            touched = time.time() - os.fstat(file.fileno()).st_mtime
            free = is_free(file.fileno())
    except FileNotFoundError:
        return None
    if free is False:
        return Holding(holder, True, touched)
    # The kernel's lock may not work between hosts.
    here = holder is not None and holder.machine == Holder.here("").machine
    return Holding(holder, False if here and free else None, touched)
