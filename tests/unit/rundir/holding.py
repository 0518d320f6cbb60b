"""Holds a lock in a process of its own until its standard input ends.

``python -m unit.rundir.holding DIRECTORY [fork | exec]``

Prints ``held``, or ``refused`` and why. With ``fork`` or ``exec`` it has a child that
outlives it, whose process id is printed next.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

from espei_hpc.batch import job_name
from espei_hpc.errors import Refusal
from espei_hpc.rundir.lock import Lock


def main(directory: Path, child: str | None) -> None:
    lock = Lock(directory, job_name(os.environ))
    try:
        lock.acquire()
    except Refusal as refusal:
        print("refused", refusal, flush=True)
        return
    print("held", flush=True)
    if child == "exec":
        print(subprocess.Popen(["sleep", "600"], close_fds=False).pid, flush=True)
    elif child == "fork" and os.fork() == 0:
        # The child itself says so, which by then has given the lock up: it may have to wait for a core.
        print(os.getpid(), flush=True)
        time.sleep(600)
    sys.stdin.read()
    lock.release()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None)
