"""Taking a cluster of ours down from the fit's side."""

import contextlib
import threading
from pathlib import Path

from espei_hpc.rundir.files import read_json

ANSWER_SECONDS = 10
"""A scheduler that does not answer in this time is left to whoever started it, who ends it by signals."""


def ask(scheduler_file: Path) -> None:
    """Ask scheduler and workers to end; says nothing if they cannot be reached."""
    # By address: a Client waits for its scheduler file without end.
    if told := read_json(scheduler_file):
        # In a thread, because a shutdown has no deadline of its own.
        asking = threading.Thread(target=_shut_down, args=[told["address"]], daemon=True)
        asking.start()
        asking.join(ANSWER_SECONDS)


def _shut_down(address: str) -> None:
    import distributed

    with contextlib.suppress(OSError, TimeoutError, ValueError):
        distributed.Client(address, timeout=ANSWER_SECONDS, set_as_default=False).shutdown()
