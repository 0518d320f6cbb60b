"""Shut down a cluster from the fit."""

import contextlib
import threading
import time
from collections.abc import Callable
from pathlib import Path

from espei_hpc.rundir.files import read_json

ANSWER_SECONDS = 10
"""Timeout; a scheduler that does not answer is ended by signals from the script that started it."""
POLL_SECONDS = 0.2


def ask(scheduler_file: Path, ended: Callable[[], bool]) -> None:
    """Ask scheduler and workers to end; do nothing if they cannot be reached.

    Args:
        scheduler_file: the cluster's scheduler file.
        ended: whether the launcher has ended, so that nothing is left to ask: a signal to all processes of a
            job ends the scheduler too, and leaves few seconds to end.
    """
    # By address, because a Client waits for a scheduler file without a timeout.
    if not ended() and (scheduler := read_json(scheduler_file)):
        # In a thread, because shutdown() has no timeout.
        asking = threading.Thread(target=_shut_down, args=[scheduler["address"]], daemon=True)
        asking.start()
        end = time.monotonic() + ANSWER_SECONDS
        while asking.is_alive() and not ended() and time.monotonic() < end:
            asking.join(POLL_SECONDS)


def _shut_down(address: str) -> None:
    import distributed

    with contextlib.suppress(OSError, TimeoutError, ValueError):
        distributed.Client(address, timeout=ANSWER_SECONDS, set_as_default=False).shutdown()
