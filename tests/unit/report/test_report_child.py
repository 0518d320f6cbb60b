"""A calculation in a process of its own cannot keep a report from being written."""

import os
import signal
import time
from typing import Any, NoReturn

import pytest

from espei_hpc.report.child import Child, Send, Unavailable

PLENTY = 300.0
LARGE = 10_000_000
"""Bytes; many times what a pipe holds."""


def results(work: Any, inputs: Any = None, seconds: float = PLENTY) -> tuple[list[Any], str]:
    with Child(lambda: inputs, work, seconds) as child:
        return child.results()


def send_all(inputs: Any, send: Send) -> None:
    for one in inputs:
        send(one)


def send_much(_: Any, send: Send) -> None:
    send(b"x" * LARGE)


def fail(_: Any, send: Send) -> None:
    send("first")
    raise ValueError("no such phase")


def have_nothing(_: Any, send: Send) -> None:
    raise Unavailable("no phase boundary is among the data")


def be_killed(_: Any, send: Send) -> None:
    send("first")
    os.kill(os.getpid(), signal.SIGKILL)


def hang(_: Any, send: Send) -> None:
    send(os.getpid())
    time.sleep(10 * PLENTY)


def test_all_results_come_in_their_order() -> None:
    assert results(send_all, [3, 1, 2]) == ([3, 1, 2], "")


def test_a_result_larger_than_a_pipe_comes_whole() -> None:
    found, reason = results(send_much)
    assert (len(found[0]), reason) == (LARGE, "")


def test_an_exception_is_the_reason_and_results_before_it_count() -> None:
    assert results(fail) == (["first"], "ValueError: no such phase")


def test_that_there_is_nothing_to_calculate_is_the_reason_as_it_is_worded() -> None:
    assert results(have_nothing) == ([], "no phase boundary is among the data")


def test_the_end_of_the_process_is_the_reason() -> None:
    assert results(be_killed) == (["first"], "its process ended with exit code -9")


def test_a_calculation_that_hangs_is_ended_at_its_deadline_and_what_it_sent_counts() -> None:
    # A busy machine may take long to start it.
    for seconds in (10, 40, 160):
        with Child(lambda: None, hang, seconds) as child:
            sent, reason = child.results()
        if sent:
            break
    (pid,) = sent
    assert reason == f"it took more than {seconds} s"
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@pytest.mark.parametrize(
    ("error", "reason"),
    [(Unavailable("the system is not binary"), "the system is not binary"), (KeyError("T"), "KeyError: 'T'")],
)
def test_without_its_input_nothing_is_calculated(error: Exception, reason: str) -> None:
    def prepare() -> NoReturn:
        raise error

    with Child(prepare, send_all, PLENTY) as child:
        assert child.results() == ([], reason)
