"""Stopping a fit from outside: a signal, a lost cluster, a lost supervisor, the end of the job.

A stop is only ever carried out at a safe point: while the sampler waits for
evaluations, where no array is half written. There it becomes the
KeyboardInterrupt that ESPEI itself answers by saving what it has.
"""

import os
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Literal

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1)
"""What a batch system, a terminal or a user sends to end a fit."""
WATCH_SECONDS = 1.0
WAKE = signal.SIGUSR2
"""Sent by our own threads to the main thread, which a lock would not let go otherwise."""


class Stopped(BaseException):
    """Raised outside the sampling when a stop is asked for: there is nothing to save yet.

    Not an Exception, so that no handler of upstream's swallows it.
    """


class Stopper:
    """Knows whether the fit is to stop, and interrupts it where that is safe.

    Attributes:
        signal: number of the signal that asked for the stop; None if none came.
        lost: why the fit cannot go on, in words; None if it can.
        over: why its time is over, in words; None if it is not.
    """

    def __init__(self) -> None:
        self.signal: int | None = None
        self.lost: str | None = None
        self.over: str | None = None
        self._sampling = False
        self._evaluating = False

    @property
    def asked(self) -> bool:
        """Whether the fit is to stop."""
        return (self.signal, self.lost, self.over) != (None, None, None)

    def listen(self) -> None:
        """Take over the signals of this process; call from the main thread."""
        for number in (*SIGNALS, WAKE):
            signal.signal(number, self._receive)

    def watch(self, look: Callable[[], str | None]) -> None:
        """Look every second, in the background, for a reason why the fit cannot go on."""
        threading.Thread(target=self._watch, args=[look, "lost"], daemon=True).start()

    def watch_clock(self, look: Callable[[], str | None]) -> None:
        """Look every second, in the background, whether the fit's time is over."""
        threading.Thread(target=self._watch, args=[look, "over"], daemon=True).start()

    def check(self) -> None:
        """Raise :class:`Stopped` if a stop is asked for."""
        if self.asked:
            raise Stopped

    def sampling(self) -> None:
        """From here on stop only while evaluations are waited for."""
        self._sampling = True
        if self.asked:
            raise Stopped

    def evaluating(self, *, begins: bool) -> None:
        """Open or close the part of the sampling in which a stop is safe."""
        self._evaluating = begins
        if begins and self.asked:
            self._interrupt()

    def _receive(self, number: int, _frame: FrameType | None) -> None:
        again = self.signal is not None
        if number != WAKE:
            self.signal = number
        # A second signal must not disturb the saving that the first one began.
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
