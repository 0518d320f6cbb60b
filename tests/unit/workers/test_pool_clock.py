"""The pool's clock."""

from espei_hpc.workers.clock import STEP, Clock


def test_time_in_which_the_process_was_stopped_counts_for_little() -> None:
    times = iter([100.0, 101.0, 103.0, 7203.0, 7204.0])
    clock = Clock(lambda: next(times))
    assert [clock.now() for _ in range(4)] == [1.0, 3.0, 3.0 + STEP, 4.0 + STEP]
