"""Evaluators for the tests of the pool, imported by the workers too."""

import os
import resource
import signal
import time
from pathlib import Path
from typing import Any

SLOWNESS = float(os.environ.get("POOL_TEST_SLOWNESS", "1"))


class Evaluator:
    """Does what its first argument names."""

    def __init__(self, packed: bytes) -> None:
        if packed == b"raise":
            raise ValueError("no such database")
        self.description: Any = os.getpid() if packed == b"own" else packed.decode()
        self.ballast = bytes(10_000_000)

    def __call__(self, what: str, *arguments: Any) -> Any:
        return getattr(self, what)(*arguments)

    def double(self, number: float) -> float:
        return 2 * number

    def sleep(self, seconds: float) -> int:
        time.sleep(seconds * SLOWNESS)
        return os.getpid()

    def stall_first(self, mark: Path, seconds: float) -> int:
        """Sleep if nobody has been here before."""
        try:
            mark.touch(exist_ok=False)
        except FileExistsError:
            return os.getpid()
        time.sleep(seconds)
        return os.getpid()

    def fail(self, text: str) -> None:
        raise ArithmeticError(text)

    def leave(self) -> None:
        raise SystemExit("gone")

    def unreadable(self) -> Any:
        return lambda: 0

    def exhaust(self, size: int) -> int:
        """Allocate beyond a real limit of this process."""
        used = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
        old = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (used + size // 2, old[1]))
        try:
            return len(bytearray(size))
        finally:
            resource.setrlimit(resource.RLIMIT_AS, old)

    def die(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def die_first(self, mark: Path, seconds: float) -> int:
        """Die if nobody has been here before, else sleep."""
        if not mark.exists():
            mark.touch()
            self.die()
        return self.sleep(seconds)
