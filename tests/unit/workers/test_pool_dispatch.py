"""The rules of dispatch, in simulated time."""

import heapq

import pytest
from hypothesis import given
from hypothesis import strategies as st

from espei_hpc.workers.dispatch import Bounds, Dispatcher, Job


def job(key: object, kind: str = "k") -> Job:
    return Job(key, kind, ())


def taught(dispatcher: Dispatcher, *, kind: str = "k", seconds: float = 1.0) -> None:
    """Have every worker answer five times, so that the kind's time is known."""
    for turn in range(5):
        for worker in dispatcher.workers:
            dispatcher.finished(worker, job(("taught", worker, turn), kind), seconds, 0.0)


def simulate(speeds: dict[str, float], jobs: int) -> tuple[dict[str, int], int]:
    """Run jobs of a second on workers of these speeds; return each one's jobs and the most at any at once."""
    dispatcher, now, given_out, most = Dispatcher(), 0.0, 0, 0
    ends: list[tuple[float, str]] = []
    done = dict.fromkeys(speeds, 0)
    queues: dict[str, list[Job]] = {worker: [] for worker in speeds}
    for worker in speeds:
        dispatcher.join(worker, now)
    while sum(done.values()) < jobs:
        while dispatcher.room() and given_out < jobs:
            worker = dispatcher.give(job(given_out), now)
            queues[worker].append(job(given_out))
            given_out += 1
            if len(queues[worker]) == 1:
                heapq.heappush(ends, (now + 1 / speeds[worker], worker))
            most = max(most, len(queues[worker]))
        now, worker = heapq.heappop(ends)
        assert dispatcher.finished(worker, queues[worker].pop(0), 1 / speeds[worker], now)
        done[worker] += 1
        if queues[worker]:
            heapq.heappush(ends, (now + 1 / speeds[worker], worker))
    return done, most


def test_idle_workers_get_the_first_jobs_and_then_their_queues_fill() -> None:
    dispatcher = Dispatcher(depth=2)
    for worker in "abc":
        dispatcher.join(worker, 0.0)
    assert dispatcher.room() == 6
    assert [dispatcher.give(job(n), 0.0) for n in range(6)] == list("abcabc")
    assert dispatcher.room() == 0
    with pytest.raises(LookupError, match="no worker has a free place"):
        dispatcher.give(job(6), 0.0)


def test_the_fastest_idle_worker_is_taken_first() -> None:
    dispatcher = Dispatcher()
    speeds = {"slow": 2.0, "fast": 0.5, "middle": 1.0}
    for worker in speeds:
        dispatcher.join(worker, 0.0)
    for turn in range(9):
        for worker, seconds in speeds.items():
            dispatcher.finished(worker, job((worker, turn)), seconds, 0.0)
    assert [dispatcher.give(job(n), 0.0) for n in range(3)] == ["fast", "middle", "slow"]


def test_a_job_queues_where_it_will_begin_soonest() -> None:
    dispatcher = Dispatcher()
    dispatcher.join("late", 0.0)
    dispatcher.join("soon", 0.0)
    taught(dispatcher, seconds=10.0)
    taught(dispatcher, kind="short", seconds=1.0)
    dispatcher.give(job(0), 0.0)
    dispatcher.give(job(1, "short"), 0.0)
    assert dispatcher.give(job(2), 0.0) == "soon"


@given(st.lists(st.floats(0.2, 5.0), min_size=1, max_size=6))
def test_no_worker_ever_has_more_jobs_than_the_depth(speeds: list[float]) -> None:
    done, most = simulate({f"w{n}": speed for n, speed in enumerate(speeds)}, 60)
    assert sum(done.values()) == 60
    assert most <= 2


def test_a_slow_worker_gets_fewer_jobs() -> None:
    done, _ = simulate({"a": 1.0, "b": 1.0, "slow": 0.25}, 180)
    assert done["slow"] * 3 < done["a"]


def test_overdue_job_and_what_is_queued_behind_it_are_to_start_elsewhere_once() -> None:
    dispatcher = Dispatcher()
    for worker in "ab":
        dispatcher.join(worker, 0.0)
    taught(dispatcher)
    for n in range(3):
        dispatcher.give(job(n), 0.0)
    dispatcher.finished("b", job(1), 1.0, 1.0)
    assert dispatcher.overdue(20.9) == []
    assert dispatcher.overdue(21.1) == [("a", job(0)), ("a", job(2))]
    assert dispatcher.overdue(22.0) == []
    assert [dispatcher.silent(worker) for worker in "ab"] == [True, False]
    assert [dispatcher.give(job(n), 22.0) for n in (0, 2)] == ["b", "b"]
    assert dispatcher.room() == 0


def test_only_the_first_answer_counts_and_a_silent_worker_that_answers_gets_jobs_again() -> None:
    dispatcher = Dispatcher(depth=1)
    for worker in "ab":
        dispatcher.join(worker, 0.0)
    taught(dispatcher)
    assert dispatcher.give(job(0), 0.0) == "a"
    dispatcher.overdue(30.0)
    assert dispatcher.give(job(0), 30.0) == "b"
    assert dispatcher.finished("b", job(0), 1.0, 31.0)
    assert not dispatcher.finished("a", job(0), 31.0, 31.0)
    assert not dispatcher.silent("a")
    assert dispatcher.room() == 2


def test_a_kind_never_seen_gets_a_generous_bound() -> None:
    dispatcher = Dispatcher(bounds=Bounds(unknown=100.0))
    dispatcher.join("a", 0.0)
    dispatcher.give(job(0, "new"), 0.0)
    assert dispatcher.overdue(99.0) == []
    assert dispatcher.overdue(101.0) == [("a", job(0))]


def test_the_bound_is_wider_at_a_worker_known_to_be_slow() -> None:
    dispatcher = Dispatcher(depth=1)
    for worker in "abcs":
        dispatcher.join(worker, 0.0)
    for turn in range(20):
        for worker in "abcs":
            dispatcher.finished(worker, job((worker, turn)), 100.0 if worker == "s" else 10.0, 0.0)
    dispatcher.give(job(0), 0.0)
    for n in range(1, 4):
        dispatcher.give(job(n), 0.0)
    assert dispatcher.bound("s") == pytest.approx(10 * dispatcher.bound("a"))


def test_evaluations_that_take_no_time_do_not_make_the_others_overdue() -> None:
    dispatcher = Dispatcher()
    dispatcher.join("a", 0.0)
    for turn in range(40):
        dispatcher.finished("a", job(turn), 60.0 if turn % 4 == 0 else 0.001, 0.0)
    dispatcher.give(job("long"), 0.0)
    assert dispatcher.overdue(120.0) == []
    assert dispatcher.overdue(301.0) == [("a", job("long"))]


def test_a_job_is_out_at_three_workers_at_most() -> None:
    dispatcher = Dispatcher(depth=1)
    for worker in "abcde":
        dispatcher.join(worker, 0.0)
    taught(dispatcher)
    now = 0.0
    for worker in "abc":
        assert dispatcher.give(job(0), now) == worker
        now += 30.0
        assert dispatcher.overdue(now) == ([] if worker == "c" else [(worker, job(0))])
    assert [dispatcher.silent(worker) for worker in "abcde"] == [True, True, True, False, False]


def test_leaving_gives_back_the_jobs_that_nobody_who_answers_has() -> None:
    dispatcher = Dispatcher(depth=1)
    for worker in "abc":
        dispatcher.join(worker, 0.0)
    taught(dispatcher)
    dispatcher.give(job(0), 0.0)
    dispatcher.give(job(1), 0.0)
    dispatcher.finished("b", job(1), 1.0, 1.0)
    dispatcher.overdue(30.0)
    assert dispatcher.give(job(0), 30.0) == "b"
    assert dispatcher.leave("a") == []
    assert dispatcher.leave("b") == [job(0)]
    assert dispatcher.wanted(job(0))
    assert dispatcher.give(job(0), 31.0) == "c"


def test_a_job_given_up_is_awaited_no_more() -> None:
    dispatcher = Dispatcher()
    dispatcher.join("a", 0.0)
    dispatcher.give(job(0), 0.0)
    dispatcher.drop(job(0))
    assert not dispatcher.wanted(job(0))
    assert not dispatcher.finished("a", job(0), 1.0, 1.0)
    assert dispatcher.leave("a") == []


def test_nothing_is_queued_behind_a_job_that_is_to_be_alone() -> None:
    dispatcher = Dispatcher()
    dispatcher.join("a", 0.0)
    dispatcher.give(job(0), 0.0)
    dispatcher.give(job(1), 0.0, alone=True)
    dispatcher.finished("a", job(0), 1.0, 1.0)
    assert dispatcher.room() == 0
    dispatcher.finished("a", job(1), 1.0, 2.0)
    assert dispatcher.room() == 2
