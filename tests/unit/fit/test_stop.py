"""A stop is carried out only where it is safe."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from espei_hpc.fit.stop import SIGNALS, WAKE, Stopped, Stopper
from support import PATIENCE, wait_until


@pytest.fixture
def stopper() -> Iterator[Stopper]:
    """A stopper that listens; the test process gets its own handlers back."""
    before = {number: signal.getsignal(number) for number in (*SIGNALS, WAKE)}
    listening = Stopper()
    listening.listen()
    yield listening
    for number, handler in before.items():
        signal.signal(number, handler)


def send(number: signal.Signals) -> None:
    """Send this process a signal and give Python the moment to handle it."""
    os.kill(os.getpid(), number)
    time.sleep(0)


@pytest.mark.parametrize("number", SIGNALS)
def test_signal_before_the_sampling_stops_at_once(number: signal.Signals, stopper: Stopper) -> None:
    with pytest.raises(Stopped):
        send(number)
    assert stopper.signal == number


def test_signal_in_a_callback_of_a_loop_that_waits_for_the_cluster_ends_the_loop(stopper: Stopper) -> None:
    async def wait() -> None:
        asyncio.get_running_loop().call_soon(send, signal.SIGTERM)
        await asyncio.sleep(PATIENCE)

    with pytest.raises(Stopped):
        asyncio.run(wait())


def test_signal_while_evaluations_are_waited_for_becomes_a_keyboard_interrupt(stopper: Stopper) -> None:
    stopper.sampling()
    stopper.evaluating(begins=True)
    with pytest.raises(KeyboardInterrupt):
        send(signal.SIGTERM)


def test_signal_while_arrays_are_written_waits_for_the_next_evaluation(stopper: Stopper) -> None:
    stopper.sampling()
    send(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt):
        stopper.evaluating(begins=True)


def test_second_signal_is_ignored(stopper: Stopper) -> None:
    stopper.sampling()
    stopper.evaluating(begins=True)
    with pytest.raises(KeyboardInterrupt):
        send(signal.SIGTERM)
    stopper.evaluating(begins=False)
    send(signal.SIGTERM)
    assert stopper.asked


def test_what_is_watched_interrupts_a_waiting_main_thread(stopper: Stopper) -> None:
    stopper.sampling()
    stopper.evaluating(begins=True)
    stopper.watch(lambda: None)  # a second watch must not hide what the first finds
    with pytest.raises(KeyboardInterrupt):  # noqa: PT012 (it may come at once)
        stopper.watch(lambda: "the launcher is gone")
        wait_until(lambda: False, "the interruption", seconds=60)
    assert stopper.lost == "the launcher is gone"


def test_end_of_the_time_interrupts_a_waiting_main_thread(stopper: Stopper) -> None:
    stopper.sampling()
    stopper.evaluating(begins=True)
    with pytest.raises(KeyboardInterrupt):  # noqa: PT012 (it may come at once)
        stopper.watch_clock(lambda: "60 s of walltime left")
        wait_until(lambda: False, "the interruption", seconds=60)
    assert (stopper.over, stopper.lost, stopper.signal) == ("60 s of walltime left", None, None)


def test_signal_while_python_ends_leaves_the_exit_code() -> None:
    program = """
import os, signal, sys
from espei_hpc.fit.stop import Stopper

class Late:
    def __del__(self, kill=os.kill, pid=os.getpid(), number=signal.SIGTERM):
        kill(pid, number)

stopper = Stopper()
stopper.listen()
stopper.ignore()
late = Late()
sys.exit(75)
"""
    ended = subprocess.run([sys.executable, "-c", program], check=False)
    assert ended.returncode == 75
