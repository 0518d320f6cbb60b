"""Hosts that failed are found, and left out when a lost cluster starts again."""

import dataclasses
from pathlib import Path

import pytest

from espei_hpc.cluster import failed_hosts, prepare, without_hosts
from espei_hpc.cluster.failed_hosts import Lost, died_on, left_out
from espei_hpc.errors import Refusal
from espei_hpc.exit_codes import ExitCode
from espei_hpc.rundir.cluster_directory import ClusterDirectory
from espei_hpc.rundir.files import pass_json

OPENMPI_4 = "mpirun noticed that process rank 2 with PID 0 on node n3 exited on signal 9 (Killed)."
OPENMPI_5 = "   prterun noticed that process rank 2 with PID 4242 on node n3 exited on signal 9 (Killed).\n"
MPICH = """
=   BAD TERMINATION OF ONE OF YOUR APPLICATION PROCESSES
=   PID 4242 RUNNING AT n3
=   EXIT CODE: 9
"""
SRUN = "srun: error: n3: task 2: Killed\nsrun: error: n3: tasks 4-5: Killed\n"
FOUR = {"n1": 2, "n2": 2, "n3": 2, "n4": 2}


def lost(*, silent: str = "", died: str = "", on: dict[str, int] = FOUR) -> Lost:
    return Lost(on, frozenset(silent.split()), frozenset(died.split()))


@pytest.mark.parametrize("log", [OPENMPI_4, OPENMPI_5, MPICH, SRUN])
def test_launchers_log_names_the_host_of_a_killed_rank(log: str) -> None:
    assert died_on(log) == {"n3"}


def test_rank_that_ended_by_itself_is_no_killed_one() -> None:
    assert died_on("srun: error: n3: task 2: Exited with exit code 78\n") == frozenset()


def test_silent_host_is_left_out_at_once() -> None:
    assert left_out([lost(silent="n3")]) == {"n3": "it does not answer"}


def test_host_whose_ranks_died_once_gets_another_chance() -> None:
    assert left_out([lost(died="n3")]) == {}


def test_host_whose_ranks_died_twice_is_left_out() -> None:
    assert left_out([lost(died="n3"), lost(died="n1"), lost(died="n3")]) == {
        "n3": "ranks died on it in 2 starts"
    }


def test_the_only_host_is_never_left_out_for_deaths() -> None:
    alone = lost(died="n1", on={"n1": 8})
    assert left_out([alone, alone]) == {}


def test_host_left_out_stays_left_out() -> None:
    three = {"n1": 2, "n2": 2, "n4": 2}
    assert set(left_out([lost(silent="n3"), lost(silent="n2", on=three)])) == {"n3", "n2"}


@pytest.fixture
def start(tmp_path: Path) -> ClusterDirectory:
    """A lost start on three hosts, of which the last is silent."""
    directory = prepare.own_cluster(tmp_path / "x.run", prepare.ClusterRequest(4))
    for rank, host in enumerate(("n1.site", "n2.site", "n2.site", "n3.site")):
        pass_json(directory.rank_file(rank), {"rank": rank, "host": host, "networks": {}})
    directory.lost(["n3.site"])
    return directory


def test_ranks_and_hosts_that_are_left_are_those_of_the_last_start(start: ClusterDirectory) -> None:
    left = without_hosts.remaining([start], None, ["mpirun"])
    assert left is not None
    assert (left.ranks, dict(left.ranks_on)) == (3, {"n1.site": 1, "n2.site": 2})


def test_srun_is_told_by_options(start: ClusterDirectory, tmp_path: Path) -> None:
    left = without_hosts.remaining([start], None, ["srun", "--mpi=pmix"])
    assert left is not None
    assert left.launcher_without(tmp_path / "hosts") == ["srun", "--mpi=pmix", "--exclude=n3", "--nodes=2"]
    assert not (tmp_path / "hosts").exists()


def test_mpirun_is_told_by_a_host_file_with_a_line_for_each_rank(
    start: ClusterDirectory, tmp_path: Path
) -> None:
    left = without_hosts.remaining([start], None, ["mpirun", "--bind-to", "none"])
    assert left is not None
    hosts = tmp_path / "hosts"
    assert left.launcher_without(hosts) == ["mpirun", "--bind-to", "none", "--hostfile", str(hosts)]
    assert hosts.read_text() == "n1.site\nn2.site\nn2.site\n"


@pytest.mark.parametrize("option", ["--hostfile", "-f", "--host=n1", "-H"])
def test_launcher_whose_options_name_hosts_is_left_to_its_user(option: str, start: ClusterDirectory) -> None:
    with pytest.raises(Refusal, match="the options of mpirun name hosts, so it cannot exclude n3") as refused:
        without_hosts.remaining([start], None, ["mpirun", option, "mine"])
    assert refused.value.code is ExitCode.UNAVAILABLE


def test_single_rank_that_is_left_makes_no_cluster(start: ClusterDirectory) -> None:
    start.lost(["n2.site", "n3.site"])
    with pytest.raises(Refusal, match="too few ranks are left"):
        without_hosts.remaining([start], None, ["mpirun"])


def test_lost_start_without_failed_hosts_is_started_as_before(start: ClusterDirectory) -> None:
    start.lost([])
    assert without_hosts.remaining([start], None, ["mpirun"]) is None


def test_host_that_is_there_answers_by_refusing(start: ClusterDirectory) -> None:
    here = {"127.0.0.0/8": "127.0.0.1"}, {"127.0.0.0/8": "127.0.0.2"}
    for rank, networks in enumerate(here):
        pass_json(start.rank_file(rank), {"rank": rank, "host": f"n{rank}", "networks": networks})
    for rank in (2, 3):
        start.rank_file(rank).unlink()
    assert failed_hosts.silent_hosts(start) == []


def test_hosts_that_no_network_joins_are_not_called_silent(start: ClusterDirectory) -> None:
    assert failed_hosts.silent_hosts(start) == []


def test_host_without_its_rank_file_is_not_known(start: ClusterDirectory) -> None:
    assert dataclasses.asdict(Lost.read(start))["ranks_on"] == {"n1.site": 1, "n2.site": 2, "n3.site": 1}
