"""Stopping a fit from outside: a signal, a lost cluster, a lost supervisor, the end of the job.

A stop takes effect at a safe point only: while the sampler waits for evaluations,
when no array is half written. There it raises KeyboardInterrupt, upon which ESPEI
saves what it has.
"""

import os
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Literal

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1)
"""Signals with which a batch system, a terminal or a user ends a fit."""
WATCH_SECONDS = 1.0
WAKE = signal.SIGUSR2
"""Sent by our own threads to wake up the main thread, which may be waiting for a lock."""


class Stopped(KeyboardInterrupt):
    """Raised when a stop is requested outside the sampling: there is nothing to save yet.

    Not an Exception, so that no handler in ESPEI or emcee catches it; a KeyboardInterrupt, because asyncio
    logs any other exception of a callback, such as one that reads from the scheduler, and goes on.
    """


class Stopper:
    """Collects stop requests, and interrupts the fit where that is safe.

    Attributes:
        signal: number of the signal that requested the stop; None if there was none.
        lost: why the fit cannot continue, for a message; None if it can.
        over: why its walltime is used up, for a message; None if it is not.
    """

    def __init__(self) -> None:
        self.signal: int | None = None
        self.lost: str | None = None
        self.over: str | None = None
        self._sampling = False
        self._evaluating = False

    @property
    def asked(self) -> bool:
        """Whether a stop is requested."""
        return (self.signal, self.lost, self.over) != (None, None, None)

    def listen(self) -> None:
        """Install the signal handlers; call from the main thread."""
        for number in (*SIGNALS, WAKE):
            signal.signal(number, self._receive)

    def ignore(self) -> None:
        """Ignore signals from now on, because the exit code is decided.

        At its end Python gives signals their defaults back, and one more would replace the exit code.
        """
        for number in (*SIGNALS, WAKE):
            signal.signal(number, signal.SIG_IGN)

    def watch(self, look: Callable[[], str | None]) -> None:
        """Check every second, in a thread, whether the fit can continue; ``look`` returns why it cannot."""
        threading.Thread(target=self._watch, args=[look, "lost"], daemon=True).start()

    def watch_clock(self, look: Callable[[], str | None]) -> None:
        """Check every second, in a thread, whether the fit's walltime is used up."""
        threading.Thread(target=self._watch, args=[look, "over"], daemon=True).start()

    def check(self) -> None:
        """Raise :class:`Stopped` if a stop is requested."""
        if self.asked:
            raise Stopped

    def sampling(self) -> None:
        """Begin the sampling: from now on stop only while waiting for evaluations."""
        self._sampling = True
        if self.asked:
            raise Stopped

    def evaluating(self, *, begins: bool) -> None:
        """Mark the beginning or end of a wait for evaluations, in which a stop is safe."""
        self._evaluating = begins
        if begins and self.asked:
            self._interrupt()

    def _receive(self, number: int, _frame: FrameType | None) -> None:
        again = self.signal is not None
        if number != WAKE:
            self.signal = number
        # A second signal must not interrupt the saving started by the first.
        if self.asked and not again:
            self._interrupt()

    def _interrupt(self) -> None:
        if self._evaluating:
            self._evaluating = False
            raise KeyboardInterrupt
        if not self._sampling:
            raise Stopped

    def _watch(self, look: Callable[[], str | None], attribute: Literal["lost", "over"]) -> None:
        while (reason := look()) is None:
            time.sleep(WATCH_SECONDS)
        setattr(self, attribute, reason)
        os.kill(os.getpid(), WAKE)
