"""Writes until a disk is full, in a mount namespace of its own.

``python -m unit.rundir.full_disk DIRECTORY HOW``

HOW is ``full`` (a tmpfs that has no room left), ``read-only`` (it was mounted anew as such)
or ``limit`` (the process may not write files as large). Prints what happened as JSON.
"""

import json
import resource
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from espei_hpc.errors import Refusal
from espei_hpc.rundir.checkpoint.arrays import write_array
from espei_hpc.rundir.checkpoint.store import Store
from espei_hpc.rundir.files import write_json
from espei_hpc.sampler import State
from unit.rundir.made_chain import Block, block, expected, same, start

ITERATIONS = 200
"""About 30 kB in a segment."""
RESERVE = 400_000
"""Bytes to be freed to make room."""
LIMIT = 10_000


def main(directory: Path, how: str) -> None:
    disk = Disk(directory, how)
    store, trace, run = Store(directory / "checkpoint"), directory / "trace.npy", directory / "run.json"
    store.begin(start())
    first = block(start(), ITERATIONS)
    first.append_to(store)
    write_array(trace, first.positions)
    write_json(run, {"whole": True})

    disk.spoil()
    state, made, refusal = append_until_refused(store, first)
    disk.fill()
    whole = expected(made.state.iteration).positions
    told = {
        "appended": state.iteration,
        "store": words(refusal),
        "array": words(refusal_of(lambda: write_array(trace, whole))),
        "json": words(refusal_of(lambda: write_json(run, {"long": "x" * RESERVE}))),
        "left": [path.name for path in directory.rglob(".*")],
        "array as before": np.array_equal(np.load(trace), first.positions),
        "json as before": json.loads(run.read_text()) == {"whole": True},
    }
    disk.cure()
    again = Store(directory / "checkpoint")
    told["kept"] = holds(again, state.iteration) and not again.notes
    made.append_to(store)
    told["resumed"] = holds(again, made.state.iteration)
    write_array(trace, whole)
    told["array written"] = np.array_equal(np.load(trace), whole)
    print(json.dumps(told))


@dataclass(frozen=True)
class Disk:
    """A disk that can be spoilt and cured."""

    directory: Path
    how: str

    def __post_init__(self) -> None:
        (self.directory / "reserve").write_bytes(bytes(RESERVE))

    def spoil(self) -> None:
        if self.how == "limit":
            resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, resource.RLIM_INFINITY))
        elif self.how == "read-only":
            self._mount_again("ro")

    def fill(self) -> None:
        """Take what room is left between two segments."""
        if self.how == "full":
            with (self.directory / "rest").open("wb", buffering=0) as file, suppress(OSError):
                while file.write(bytes(512)):
                    pass

    def cure(self) -> None:
        if self.how == "limit":
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        elif self.how == "read-only":
            self._mount_again("rw")
        else:
            (self.directory / "reserve").unlink()

    def _mount_again(self, option: str) -> None:
        subprocess.run(["mount", "-o", f"remount,bind,{option}", self.directory], check=True)


def append_until_refused(store: Store, last: Block) -> tuple[State, Block, Refusal]:
    """Return the state at the end of what was appended, the block that was not, and why."""
    while True:
        made = block(last.state, ITERATIONS)
        refusal = refusal_of(partial(made.append_to, store))
        if refusal is not None:
            return last.state, made, refusal
        last = made


def holds(store: Store, iterations: int) -> bool:
    saved = store.load()
    return saved is not None and same(saved, expected(iterations))


def refusal_of(action: Callable[[], None]) -> Refusal | None:
    try:
        action()
    except Refusal as refusal:
        return refusal
    return None


def words(refusal: Refusal | None) -> tuple[int, str]:
    return (int(refusal.code), str(refusal)) if refusal else (0, "")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
