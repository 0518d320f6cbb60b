"""Jobs on real workers: each is answered once, and the cluster stays somebody else's."""

import os
import signal
import socket
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import distributed
import psutil
import pytest
from distributed.security import Security

from espei_hpc.errors import Refusal
from espei_hpc.exit_codes import ExitCode
from espei_hpc.workers.dispatch import Bounds, Job
from espei_hpc.workers.limits import Limits
from espei_hpc.workers.pool import Pool
from espei_hpc.workers.results import Done
from support import wait_until
from unit.workers.pool_cluster import QUICK, SHORT, Cluster, Runs, job
from unit.workers.pool_evaluators import Evaluator


def break_connections(pid: int) -> int:
    """Break what this process has to a worker that listens."""
    ports = {one.laddr.port for one in psutil.Process(pid).net_connections() if one.status == "LISTEN"}
    ours = [one for one in psutil.Process().net_connections() if one.raddr and one.raddr.port in ports]
    for one in ours:
        with socket.socket(fileno=os.dup(one.fd)) as opened:
            opened.shutdown(socket.SHUT_RDWR)
    return len(ours)


def values(came: list[object]) -> dict[object, object]:
    assert all(isinstance(one, Done) for one in came), came
    return {one.job.key: one.value for one in came if isinstance(one, Done)}


def test_each_of_a_thousand_jobs_is_answered_once(cluster: Cluster, runs: Runs) -> None:
    cluster.have(3)
    assert runs.start(3) == "same"
    came = runs.all([job(n, "double", n) for n in range(1000)])
    assert len(came) == 1000
    assert values(list(came)) == {n: 2 * n for n in range(1000)}
    assert len({one.worker for one in came}) == 3
    assert runs.pool.wait(0.2) == []


def test_no_worker_has_more_than_two_jobs(cluster: Cluster, runs: Runs) -> None:
    cluster.have(3)
    runs.start(3)
    given = 0
    while runs.pool.room():
        runs.pool.give(job(given, "sleep", 0.2))
        given += 1
    assert given == 6
    with pytest.raises(LookupError):
        runs.pool.give(job("more", "sleep", 0.2))
    came = runs.until(lambda: runs.pool.room() == 6, "all ends")
    assert sorted(Counter(one.worker for one in came).values()) == [2, 2, 2]


def test_a_job_for_which_there_was_no_room_is_not_awaited(
    cluster: Cluster, client: distributed.Client
) -> None:
    cluster.have(1)
    bounds, limits = Bounds(margin=0.2, seen=1), Limits(answer=0.5, poll=0.2)
    with Pool(client, Evaluator, b"same", bounds=bounds, limits=limits) as pool:
        runs = Runs(pool)
        runs.start(1)
        runs.all([job(0, "sleep", 0.05)])
        pool.give(job(1, "sleep", 0.05))
        pool.give(job(2, "sleep", 0.05))
        with pytest.raises(LookupError):
            pool.give(job(3, "sleep", 0.05))
        assert len(runs.until(lambda: pool.room() == 2, "both ends")) == 2
        assert pool.wait(2.0) == []


def test_a_slow_worker_gets_fewer_jobs(cluster: Cluster, runs: Runs) -> None:
    cluster.have(1)
    slow = cluster.worker(slowness=6.0)
    cluster.known(2)
    runs.start(2)
    came = runs.all([job(n, "sleep", 0.05) for n in range(40)])
    done = Counter(one.value for one in came if isinstance(one, Done))
    slow.kill()
    slow.wait()
    assert sum(done.values()) == 40
    assert done[slow.pid] * 3 < 40


def test_a_late_worker_takes_part(cluster: Cluster, runs: Runs) -> None:
    cluster.have(1)
    runs.start(1)
    late = cluster.worker()
    runs.until(lambda: runs.pool.workers == 2, "the late worker's evaluator")
    assert "joined" in runs.note(f"pid {late.pid}")
    came = runs.all([job(n, "sleep", 0.05) for n in range(8)])
    assert late.pid in {one.value for one in came if isinstance(one, Done)}


def test_workers_that_differ_are_refused(cluster: Cluster, client: distributed.Client) -> None:
    cluster.have(2)
    with Pool(client, Evaluator, b"own", limits=SHORT) as pool:
        with pytest.raises(Refusal, match="differs from that of the first worker") as refusal:
            Runs(pool).start(2)
        assert refusal.value.code == ExitCode.CONFIGURATION


def test_evaluator_that_cannot_be_made_is_told(cluster: Cluster, client: distributed.Client) -> None:
    cluster.have(2)
    with Pool(client, Evaluator, b"raise", limits=SHORT) as pool:
        with pytest.raises(Refusal, match="ValueError: no such database") as refusal:
            pool.start(lambda: None)
        assert refusal.value.code == ExitCode.FAILED
        assert "pool_evaluators.py" in "\n".join(refusal.value.details)


def test_start_ends_when_it_is_not_wanted_any_more(client: distributed.Client, cluster: Cluster) -> None:
    class Enough(Exception):
        pass

    def still_wanted() -> None:
        raise Enough

    cluster.have(1)
    with Pool(client, Evaluator, b"same", limits=SHORT) as pool, pytest.raises(Enough):
        pool.start(still_wanted)


def test_signal_ends_waiting_at_once(cluster: Cluster, runs: Runs) -> None:
    class Enough(Exception):
        pass

    def enough(number: int, frame: object) -> None:
        raise Enough

    cluster.have(1)
    runs.start(1)
    runs.pool.give(job(0, "sleep", 2.0))
    previous = signal.signal(signal.SIGALRM, enough)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        with pytest.raises(Enough):
            runs.pool.wait(60.0)
    finally:
        signal.signal(signal.SIGALRM, previous)
    assert values(list(runs.until(lambda: runs.pool.room() == 2, "the answer"))).keys() == {0}


def test_worker_whose_connection_breaks_joins_anew(
    cluster: Cluster, client: distributed.Client, runs: Runs
) -> None:
    (worker,) = cluster.have(1)
    runs.start(1)
    for n in range(2):
        runs.pool.give(job(n, "sleep", 0.5))
    wait_until(lambda: break_connections(worker.pid), "connections of ours")
    came = runs.until(lambda: runs.pool.workers == 1 and runs.pool.room() == 2, "all ends")
    assert values(list(came)).keys() == {0, 1}


def test_cluster_without_workers_is_refused(cluster: Cluster, client: distributed.Client) -> None:
    cluster.have(0)
    limits = Limits(workers=1.0, poll=0.2)
    with Pool(client, Evaluator, b"same", limits=limits) as pool:
        with pytest.raises(Refusal, match="no worker for") as refusal:
            pool.start(lambda: None)
        assert refusal.value.code == ExitCode.UNAVAILABLE


def test_value_that_cannot_be_pickled_is_told(cluster: Cluster, runs: Runs) -> None:
    cluster.have(1)
    runs.start(1)
    (failed,) = runs.all([job(0, "unreadable")])
    assert not isinstance(failed, Done)
    # Python's own words, which name pickle before 3.13.
    assert "Evaluator.unreadable" in failed.error


def test_arguments_that_cannot_be_pickled_are_told_at_once(cluster: Cluster, runs: Runs) -> None:
    cluster.have(1)
    runs.start(1)
    with pytest.raises(Exception, match="pickle"):
        runs.pool.give(Job(0, "double", ("double", lambda: 0)))
    assert values(list(runs.all([job(0, "double", 1)]))) == {0: 2}


def test_nothing_of_ours_is_left_on_the_cluster(cluster: Cluster, client: distributed.Client) -> None:
    cluster.have(2)
    for _ in range(2):
        with Pool(client, Evaluator, b"same", bounds=QUICK, limits=SHORT) as pool:
            runs = Runs(pool)
            runs.start(2)
            assert values(list(runs.all([job(n, "double", n) for n in range(10)]))) == {
                n: 2 * n for n in range(10)
            }
            pool.give(job("still running", "sleep", 0.5))
    with cluster.client() as other:
        runs.left_nothing(other)
        assert other.submit(sum, [1, 2]).result(timeout=30) == 3


def test_pool_works_over_tls(own_cluster: Callable[..., Cluster], tmp_path: Path) -> None:
    made = Security.temporary()
    files = {"ca-file": tmp_path / "cert.pem", "cert": tmp_path / "cert.pem", "key": tmp_path / "key.pem"}
    files["cert"].write_text(made.tls_ca_file)
    files["key"].write_text(made.tls_client_key)
    cluster = own_cluster({name: str(path) for name, path in files.items()})
    cluster.have(1)
    with cluster.client(direct_to_workers=True) as client:
        assert client.scheduler.address.startswith("tls://")
        with Pool(client, Evaluator, b"same", limits=SHORT) as pool:
            runs = Runs(pool)
            runs.start(1)
            assert values(list(runs.all([job(0, "double", 1)]))) == {0: 2}


def test_pool_works_through_the_scheduler(cluster: Cluster) -> None:
    cluster.have(2)
    with (
        cluster.client(direct_to_workers=False) as client,
        Pool(client, Evaluator, b"same", limits=SHORT) as pool,
    ):
        runs = Runs(pool)
        runs.start(2)
        assert len(values(list(runs.all([job(n, "double", n) for n in range(50)])))) == 50
