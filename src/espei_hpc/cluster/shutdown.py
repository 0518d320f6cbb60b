"""Taking a cluster of ours down from the fit's side."""

import contextlib
from pathlib import Path

from espei_hpc.cluster.readiness import quiet_distributed

ANSWER_SECONDS = 5
"""A scheduler that does not answer in this time is left to whoever started it, who ends it by signals."""


def ask(scheduler_file: Path) -> None:
    """Ask scheduler and workers to end; says nothing if they cannot be reached."""
    import distributed

    with quiet_distributed(), contextlib.suppress(OSError, TimeoutError, ValueError):
        client = distributed.Client(scheduler_file=str(scheduler_file), timeout=ANSWER_SECONDS)
        client.shutdown()
