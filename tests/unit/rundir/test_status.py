"""What a run directory's files tell of its fit, and no more than that."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from espei_hpc.rundir.cluster_directory import ClusterDirectory, Settings, create
from espei_hpc.rundir.files import pass_json
from espei_hpc.rundir.holder import Holder
from espei_hpc.rundir.run_directory import held
from espei_hpc.rundir.status import FitState, Run, Status, find, lines, look
from made_starts import run

HOLD = """
import sys
from pathlib import Path
from espei_hpc.rundir.lock import Lock
Lock(Path(sys.argv[1])).acquire()
print("held", flush=True)
sys.stdin.read()
"""
INPUT = "mcmc: {iterations: 30}\n"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A run directory beside its input, which asks for 30 iterations."""
    (tmp_path / "x.yaml").write_text(INPUT)
    path = tmp_path / "x.run"
    path.mkdir()
    return path


def seen(directory: Path) -> Status:
    (one,), faults = find([directory])
    assert not faults
    return look(one)


def by_another_machine(directory: Path, seconds: float) -> None:
    """Leave the lock of a run on another host, last touched so long ago."""
    lock = directory / "lock"
    holder = replace(Holder.here("Slurm job 12"), machine="another", host="node7", pid=4711, container="")
    lock.write_bytes(holder.packed())
    then = lock.stat().st_mtime - seconds
    os.utime(lock, (then, then))


def cluster(directory: Path, hosts: list[str], *, port: int) -> ClusterDirectory:
    """Leave what a cluster of a rank on each of these hosts has told."""
    start = ClusterDirectory(directory.resolve(), "20260101-000000-abc")
    scheduler_file = start.path / "scheduler.json"
    create(directory, Settings(len(hosts), str(scheduler_file), None, True), start.id)
    for rank, host in enumerate(hosts):
        pass_json(start.rank_file(rank), {"rank": rank, "host": host, "size": len(hosts)})
    pass_json(scheduler_file, {"address": "tls://10.0.0.1:4000", "services": {"dashboard": port}})
    return start


def test_input_without_a_run_directory_was_never_started(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text(INPUT)
    status = seen(tmp_path / "x.yaml")
    assert lines(status) == [f"{tmp_path / 'x.yaml'}: never started"]
    assert not (tmp_path / "x.run").exists()


def test_run_directory_in_which_nothing_was_sampled_was_never_started(directory: Path) -> None:
    assert seen(directory).state is FitState.NEVER


@pytest.mark.parametrize(
    ("code", "state"),
    [
        (0, FitState.FINISHED),
        (75, FitState.STOPPED),
        (130, FitState.STOPPED),
        (69, FitState.LOST),
        (None, FitState.LOST),
        (1, FitState.FAILED),
        (65, FitState.FAILED),
    ],
)
def test_end_of_the_last_start_is_told_with_the_iterations_saved(
    code: int | None, state: FitState, directory: Path
) -> None:
    run(directory, 5, 75)
    run(directory, 2, code)
    status = seen(directory)
    assert (status.state, status.saved, status.asked, status.ended) == (state, 7, 30, code)
    first = lines(status)[0]
    assert first.startswith(f"{directory}: {state}")
    assert ", 7 of 30 iterations saved, the last " in first
    assert code in (None, 0) or f"(exit code {code})" in first


def test_iterations_asked_for_are_not_told_where_no_input_is_beside(directory: Path) -> None:
    run(directory, 5, 75)
    (directory.parent / "x.yaml").unlink()
    assert ", 5 iterations saved" in lines(seen(directory))[0]


def test_segments_behind_one_that_is_missing_do_not_count(directory: Path) -> None:
    for _ in range(3):
        run(directory, 4, 75)
    (second,) = (directory / "checkpoint").glob("000002_*")
    second.unlink()
    assert seen(directory).saved == 4


def test_fit_that_runs_on_this_host_is_alive_and_keeps_its_lock(directory: Path) -> None:
    run(directory, 5, None)
    with held(directory) as ours:
        status = seen(directory)
        ours.lock.check()
        assert status.state is FitState.SAMPLING
        assert status.holding is not None
        assert status.holding.alive is True
        assert f"process {os.getpid()} on " in lines(status)[1]
        assert lines(status)[1].endswith(": running")


def test_fit_that_has_saved_nothing_yet_is_beginning(directory: Path) -> None:
    with held(directory):
        assert seen(directory).state is FitState.BEGINNING


def test_fit_that_was_killed_on_this_host_is_lost_and_its_process_gone(directory: Path) -> None:
    run(directory, 5, None)
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, directory], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    assert seen(directory).state is FitState.SAMPLING
    holder.kill()
    holder.wait()
    status = seen(directory)
    assert status.state is FitState.LOST
    assert lines(status)[0].startswith(f"{directory}: lost (killed: no exit status recorded), 5 of 30")
    assert f"process {holder.pid} on " in lines(status)[1]
    assert lines(status)[1].endswith(": ended")


def test_fit_on_another_host_is_not_said_to_be_alive(directory: Path) -> None:
    run(directory, 5, None)
    by_another_machine(directory, seconds=4)
    status = seen(directory)
    assert status.state is FitState.SAMPLING
    who = lines(status)[1]
    assert "process 4711 on node7, Slurm job 12, since " in who
    assert ": on another host, last seen " in who


def test_fit_on_another_host_that_is_silent_seems_lost(directory: Path) -> None:
    run(directory, 5, None)
    by_another_machine(directory, seconds=320)
    status = seen(directory)
    assert status.state is FitState.LOST
    assert lines(status)[0].startswith(f"{directory}: lost (probably), 5 of 30")
    assert "last seen 5 min ago" in lines(status)[1]


def test_hosts_of_the_ranks_and_the_way_to_dasks_pages_are_told(directory: Path) -> None:
    run(directory, 5, None)
    cluster(directory, ["node7", "node7", "node8"], port=4321)
    by_another_machine(directory, seconds=4)
    status = seen(directory)
    assert status.cluster is not None
    assert status.cluster.ranks == {"node7": 2, "node8": 1}
    told = "\n".join(lines(status))
    assert "cluster: 3 ranks (2 on node7, 1 on node8); scheduler on node7, tls://10.0.0.1:4000" in told
    assert "ssh -N -L 8787:127.0.0.1:4321 node7  then http://127.0.0.1:8787/" in told


@pytest.mark.parametrize("ranks", [0, 2])
def test_way_to_dasks_pages_of_a_fit_in_a_container_does_not_name_a_host_that_nobody_reaches(
    ranks: int, directory: Path
) -> None:
    start = cluster(directory, ["97c6689ca45e"] * ranks, port=4321)
    for rank in range(ranks):
        told = {"rank": rank, "host": "97c6689ca45e", "container": "Docker"}
        pass_json(start.rank_file(rank), told)
    holder = replace(Holder.here(""), machine="another", host="97c6689ca45e", container="Docker")
    (directory / "lock").write_bytes(holder.packed())
    told_lines = "\n".join(lines(seen(directory)))
    assert "ssh" not in told_lines
    assert f"on 97c6689ca45e, since {holder.started}, in a Docker container" in told_lines
    assert "only inside the Docker container 97c6689ca45e, at http://127.0.0.1:4321/info/" in told_lines
    assert "--network host" in told_lines


def test_lock_of_an_earlier_version_which_knows_no_containers_is_read(directory: Path) -> None:
    by_another_machine(directory, seconds=4)
    lock = directory / "lock"
    told = json.loads(lock.read_bytes())
    del told["container"]
    lock.write_text(json.dumps(told))
    assert any("process 4711 on node7" in line for line in lines(seen(directory)))


def test_many_hosts_are_counted_not_named(directory: Path) -> None:
    cluster(directory, [f"node{number}" for number in range(100)], port=4321)
    by_another_machine(directory, seconds=4)
    told = "\n".join(lines(seen(directory)))
    assert "1 on node5 and 94 more hosts)" in told
    assert "node6" not in told


def test_pages_of_a_cluster_that_is_over_are_not_offered(directory: Path) -> None:
    run(directory, 5, 75)
    start = cluster(directory, ["node7", "node8"], port=4321)
    start.launcher_log.touch()
    told = lines(seen(directory))
    assert told[1:] == [f"    log of the last cluster: {start.launcher_log}"]


def test_cluster_that_start_cluster_started_is_no_fit(tmp_path: Path) -> None:
    place = tmp_path / "my_scheduler.run"
    start = cluster(place, ["node7", "node8"], port=4321)
    named = tmp_path / "my_scheduler.json"
    (start.path / "scheduler.json").rename(named)
    pass_json(start.path / "settings.json", vars(replace(start.settings(), scheduler_file=str(named))))
    told = lines(seen(place))
    assert told[0] == f"{place}: a cluster without a fit of its own, running, according to its files"
    assert "ssh -N -L 8787:127.0.0.1:4321 node7" in told[2]


@pytest.mark.parametrize("content", ["", "{", "[1]", "{}", '{"services": 3}', "\0"])
def test_files_that_are_not_whole_are_as_if_they_were_not_there(content: str, directory: Path) -> None:
    run(directory, 5, None)
    start = cluster(directory, ["node7", "node8"], port=4321)
    for path in (directory / "run.json", directory / "lock", *start.path.iterdir()):
        path.write_text(content)
    assert lines(seen(directory))


def test_looking_changes_nothing(directory: Path) -> None:
    run(directory, 5, 75)
    cluster(directory, ["node7", "node8"], port=4321)
    by_another_machine(directory, seconds=320)
    before = {path: path.stat() for path in directory.parent.rglob("*")}
    seen(directory)
    after = {path: path.stat() for path in directory.parent.rglob("*")}
    assert {path: (found.st_mtime_ns, found.st_ino) for path, found in after.items()} == {
        path: (found.st_mtime_ns, found.st_ino) for path, found in before.items()
    }


def test_input_and_its_run_directory_are_the_same_run(directory: Path) -> None:
    run(directory, 5, 75)
    of_input, of_directory = seen(directory.with_suffix(".yaml")), seen(directory)
    assert of_input.run == Run(str(directory.with_suffix(".yaml")), directory, directory.with_suffix(".yaml"))
    assert (of_input.state, of_input.saved, of_input.asked) == (
        of_directory.state,
        of_directory.saved,
        of_directory.asked,
    )
