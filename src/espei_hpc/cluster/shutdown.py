"""Shut down a cluster from the fit."""

import contextlib
import threading
from pathlib import Path

from espei_hpc.rundir.files import read_json

ANSWER_SECONDS = 10
"""Timeout; a scheduler that does not answer is ended by signals from the script that started it."""


def ask(scheduler_file: Path) -> None:
    """Ask scheduler and workers to end; do nothing if they cannot be reached."""
    # By address, because a Client waits for a scheduler file without a timeout.
    if scheduler := read_json(scheduler_file):
        # In a thread, because shutdown() has no timeout.
        asking = threading.Thread(target=_shut_down, args=[scheduler["address"]], daemon=True)
        asking.start()
        asking.join(ANSWER_SECONDS)


def _shut_down(address: str) -> None:
    import distributed

    with contextlib.suppress(OSError, TimeoutError, ValueError):
        distributed.Client(address, timeout=ANSWER_SECONDS, set_as_default=False).shutdown()
