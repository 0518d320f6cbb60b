"""Workers that die, stop, run out of memory or raise: real ones."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import distributed
import pytest

from espei_hpc.errors import Refusal
from espei_hpc.exit_codes import ExitCode
from espei_hpc.workers.dispatch import Job
from espei_hpc.workers.limits import Limits
from espei_hpc.workers.pool import Pool
from espei_hpc.workers.results import Done, Failed
from support import PATIENCE
from unit.workers.pool_cluster import QUICK, SHORT, Cluster, Runs, job
from unit.workers.pool_evaluators import Evaluator


def sleeps(first: int, count: int) -> list[Job]:
    return [job(n, "sleep", 0.05) for n in range(first, first + count)]


def one_failed(came: list[Done | Failed]) -> Failed:
    (failed,) = [one for one in came if isinstance(one, Failed)]
    return failed


def test_fault_08_worker_killed_its_jobs_go_on_elsewhere(cluster: Cluster, runs: Runs) -> None:
    workers = cluster.have(3)
    runs.start(3)
    for n in range(6):
        runs.pool.give(job(n, "sleep", 0.5))
    workers[0].kill()
    came = runs.until(lambda: runs.pool.workers == 2 and runs.pool.room() == 4, "all ends")
    assert len(came) == 6
    assert {one.job.key for one in came if isinstance(one, Done)} == set(range(6))
    note = runs.note("lost worker", f"(pid {workers[0].pid})", "memory 0.", "at most 0.")
    assert "on the host" in note


def test_fault_08_idle_worker_killed_is_noticed(cluster: Cluster, runs: Runs) -> None:
    workers = cluster.have(2)
    runs.start(2)
    workers[0].kill()
    runs.until(lambda: runs.pool.workers == 1, "the loss")
    assert "it left the cluster" in runs.note("lost worker", f"(pid {workers[0].pid})")


def test_fault_08_job_that_lost_its_worker_goes_on_alone(
    cluster: Cluster, runs: Runs, tmp_path: Path
) -> None:
    cluster.have(2)
    runs.start(2)
    runs.pool.give(job(0, "die_first", tmp_path / "mark", 1.0))
    came = runs.until(lambda: runs.pool.workers == 1, "the loss")
    assert came == []
    assert runs.pool.room() == 0
    (done,) = runs.until(lambda: runs.pool.room() == 2, "its end elsewhere")
    assert isinstance(done, Done)


def test_fault_10_stopped_worker_is_noticed_and_its_jobs_moved(cluster: Cluster, runs: Runs) -> None:
    workers = cluster.have(3)
    runs.start(3)
    runs.all(sleeps(0, 30))
    stopped = workers[0]
    stopped.send_signal(signal.SIGSTOP)
    try:
        came = runs.all(sleeps(100, 30))
        assert {one.job.key for one in came} == set(range(100, 130))
        assert all(isinstance(one, Done) for one in came)
        assert stopped.pid not in {one.value for one in came if isinstance(one, Done)}
        assert "hangs" in runs.note(f"(pid {stopped.pid})", "its jobs go to other workers")
        assert runs.pool.room() == 4
    finally:
        stopped.send_signal(signal.SIGCONT)
    runs.note(f"(pid {stopped.pid})", "answers again")
    runs.until(lambda: runs.pool.room() == 6, "the worker's place")
    again = runs.all(sleeps(200, 12))
    assert stopped.pid in {one.value for one in again if isinstance(one, Done)}


def test_fault_10_worker_stopped_from_the_start_holds_nobody_up(cluster: Cluster, runs: Runs) -> None:
    stopped, _ = cluster.have(2)
    stopped.send_signal(signal.SIGSTOP)
    try:
        runs.start(1)
        assert len(runs.all(sleeps(0, 10))) == 10
    finally:
        stopped.send_signal(signal.SIGCONT)
    runs.until(lambda: runs.pool.workers == 2, "the other worker's evaluator")


def test_fault_10_all_workers_stopped_ends_with_a_refusal(
    cluster: Cluster, client: distributed.Client
) -> None:
    workers = cluster.have(2)
    limits = Limits(answer=1.0, poll=0.2)
    with Pool(client, Evaluator, b"same", bounds=QUICK, limits=limits) as pool:
        runs = Runs(pool)
        runs.start(2)
        runs.all(sleeps(0, 10))
        for worker in workers:
            worker.send_signal(signal.SIGSTOP)
        try:
            with pytest.raises(Refusal, match="no worker has answered") as refusal:
                runs.all(sleeps(100, 4))
            assert refusal.value.code == ExitCode.DEADLINE
            told = "\n".join(refusal.value.details)
            assert all(f"pid {worker.pid}" in told for worker in workers)
            pool.close()
        finally:
            for worker in workers:
                worker.send_signal(signal.SIGCONT)


def test_straggler_is_started_elsewhere_and_the_first_answer_counts(
    cluster: Cluster, runs: Runs, tmp_path: Path
) -> None:
    cluster.have(2)
    runs.start(2)
    kind = [job(n, "stall_first", tmp_path / f"there-{n}", 0.0) for n in range(10)]
    runs.all(kind)
    (done,) = runs.all([job("straggler", "stall_first", tmp_path / "mark", 4.0)])
    assert isinstance(done, Done)
    assert done.seconds < 4.0
    runs.note("answers again")
    assert runs.pool.wait(0.3) == []


def test_fault_11_memory_error_is_told_with_worker_host_and_peak(cluster: Cluster, runs: Runs) -> None:
    (worker,) = cluster.have(1)
    runs.start(1)
    failed = one_failed(runs.all([job(0, "exhaust", 10**9)]))
    assert failed.cause.startswith("memory: ")
    assert f"(pid {worker.pid})" in failed.cause
    assert "at most 0." in failed.cause
    assert failed.error == "MemoryError"
    assert "bytearray" in failed.traceback
    assert failed.host == os.uname().nodename
    assert len(runs.all(sleeps(1, 2))) == 2


@pytest.mark.all
def test_fault_11_job_that_kills_its_workers_is_given_up_after_three(cluster: Cluster, runs: Runs) -> None:
    workers = cluster.have(4)
    runs.start(4)
    failed = one_failed(runs.all([job("poison", "die"), *sleeps(0, 20)]))
    assert failed.job.key == "poison"
    assert "its worker died 3 times" in failed.cause
    dead = [worker for worker in workers if f"(pid {worker.pid}): memory 0." in failed.cause]
    assert len(dead) == 3
    for worker in dead:  # its connections end shortly before the process does
        assert worker.wait(PATIENCE) == -signal.SIGKILL
    assert len(runs.all(sleeps(100, 4))) == 4


def test_fault_12_exception_is_told_with_traceback_and_parameters(cluster: Cluster, runs: Runs) -> None:
    (worker,) = cluster.have(1)
    runs.start(1)
    failed = one_failed(runs.all([job(0, "fail", "negative moles")]))
    assert failed.cause.startswith("exception: ")
    assert f"(pid {worker.pid})" in failed.cause
    assert failed.error == "ArithmeticError: negative moles"
    assert "pool_evaluators.py" in failed.traceback
    assert failed.job.arguments == ("fail", "negative moles")


def test_fault_12_evaluator_that_exits_is_told_like_an_exception(cluster: Cluster, runs: Runs) -> None:
    cluster.have(1)
    runs.start(1)
    assert one_failed(runs.all([job(0, "leave")])).error == "SystemExit: gone"
    assert len(runs.all(sleeps(1, 2))) == 2


@pytest.mark.parametrize(
    "limits",
    [
        Limits(poll=0.2, workers=2.0, refusal=3600.0),
        pytest.param(Limits(poll=0.2, workers=3600.0), marks=pytest.mark.all),
    ],
    ids=["unanswered", "refused"],
)
def test_scheduler_killed_ends_with_a_refusal(limits: Limits, own_cluster: Callable[..., Cluster]) -> None:
    cluster = own_cluster()
    cluster.have(2)
    with (
        cluster.client(direct_to_workers=True) as client,
        Pool(client, Evaluator, b"same", bounds=QUICK, limits=limits) as pool,
    ):
        runs = Runs(pool)
        runs.start(2)
        for n in range(4):
            pool.give(job(n, "sleep", 5.0))
        cluster.scheduler.kill()
        with pytest.raises(Refusal, match=r"scheduler tcp.*lost the connection") as refusal:
            runs.until(lambda: False, "a refusal")
        assert refusal.value.code == ExitCode.UNAVAILABLE


@pytest.mark.all
def test_no_worker_left_ends_with_a_refusal_that_tells_of_them(own_cluster: Callable[..., Cluster]) -> None:
    cluster = own_cluster()
    (worker,) = cluster.have(1)
    limits = Limits(workers=1.0, poll=0.2)
    with (
        cluster.client(direct_to_workers=True) as client,
        Pool(client, Evaluator, b"same", bounds=QUICK, limits=limits) as pool,
    ):
        runs = Runs(pool)
        runs.start(1)
        pool.give(job(0, "sleep", 30.0))
        worker.kill()
        with pytest.raises(Refusal, match="no worker for") as refusal:
            runs.until(lambda: False, "a refusal")
        assert refusal.value.code == ExitCode.UNAVAILABLE
        assert any(f"(pid {worker.pid})" in line for line in refusal.value.details)


def test_close_does_not_wait_for_workers_that_hang(cluster: Cluster, client: distributed.Client) -> None:
    workers = cluster.have(2)
    pool = Pool(client, Evaluator, b"same", bounds=QUICK, limits=SHORT)
    runs = Runs(pool)
    runs.start(2)
    for n in range(4):
        pool.give(job(n, "sleep", 0.1))
    for worker in workers:
        worker.send_signal(signal.SIGSTOP)
    try:
        pool.close()
    finally:
        for worker in workers:
            worker.send_signal(signal.SIGCONT)
    runs.left_nothing(client)
