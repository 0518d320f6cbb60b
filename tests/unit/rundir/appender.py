"""Goes on with a chain in a process of its own, to be killed.

``python -m unit.rundir.appender DIRECTORY [STOP]``

Prints the iterations done after each segment that was appended. STOP (``fsync``,
``rename`` or ``renamed``) stops for ever before the file is on disk, before it has its
name, or before the name is on disk, of the fourth segment.
"""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from espei_hpc.rundir.checkpoint.store import Store
from unit.rundir.made_chain import block, start

ITERATIONS_EACH = 500
"""Large enough for the kill to find a file half-written now and then."""
APPENDED_BEFORE_STOP = 3
STOPPED = "stopped"


def main(directory: Path, stop: str | None) -> None:
    store = Store(directory)
    state = store.recover()
    if state is None:
        state = start()
        store.begin(state)
    print(state.iteration, flush=True)
    count = 0
    while True:
        if count == APPENDED_BEFORE_STOP and stop:
            stop_at(stop)
        made = block(state, ITERATIONS_EACH)
        made.append_to(store)
        state, count = made.state, count + 1
        print(state.iteration, flush=True)


def stop_at(where: str) -> None:
    def for_ever(*_: Any) -> None:
        print(STOPPED, flush=True)
        while True:
            time.sleep(60)

    def renamed(source: Path, target: Path, rename: Callable[..., None] = os.rename) -> None:
        rename(source, target)
        for_ever()

    if where == "renamed":
        os.rename = renamed  # type: ignore[assignment]
    else:
        setattr(os, where, for_ever)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None)
