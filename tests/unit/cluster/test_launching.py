"""Which launcher starts the ranks, with which words and variables."""

import io
import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from espei_hpc.cluster import launching
from espei_hpc.cluster.calling_script import CallingScript
from espei_hpc.errors import Refusal
from espei_hpc.exit_codes import ExitCode
from support import mpirun

HERE = ("/env/bin/espei-hpc",)
APPTAINER = ("/usr/bin/apptainer", "exec", "espei.sif", "espei-hpc")
PODMAN = ("/usr/bin/podman", "run", "--rm", "espei", "espei-hpc")
SLURM = {"SLURM_JOB_ID": "7", "SLURM_NTASKS": "3"}


class Host(CallingScript):
    """A script on a host whose commands print what a test says."""

    def __init__(
        self,
        environment: Mapping[str, str] | None = None,
        hpc: tuple[str, ...] = HERE,
        **answers: str,
    ) -> None:
        super().__init__(environment or {}, hpc, io.BytesIO(), io.BytesIO())
        object.__setattr__(self, "answers", answers)

    def ask(self, *words: str) -> str:
        """Answer by the last word, or by the program."""
        answers: dict[str, str] = self.__dict__["answers"]
        program = words[2] if words[0] == "timeout" else words[0]
        return answers.get(words[-1].rpartition("/")[2] if program == "command" else program, "")


def test_mpirun_is_found_before_mpiexec() -> None:
    assert launching.find(Host(mpirun="/none/mpirun", mpiexec="/none/mpiexec"), print) == ("mpirun",)
    assert launching.find(Host(mpiexec="/none/mpiexec"), print) == ("mpiexec",)
    assert launching.find(Host(), print) == ()


def test_program_with_a_launchers_name_that_is_none_is_passed_over_in_one_line(tmp_path: Path) -> None:
    # As of OpenPBS, for another MPI.
    none = tmp_path / "mpiexec"
    none.write_text(
        '#!/bin/sh\necho "mpiexec: unexpected error - no non-PBS mpiexec in PBS_O_PATH"\nexit 1\n'
    )
    none.chmod(0o755)
    lines: list[str] = []
    assert launching.find(Host(mpiexec=str(none)), lines.append) == ()
    assert lines == [
        f"{none} is not used: it is no launcher that is known; to use it, give --launcher mpiexec"
    ]
    own = str(mpirun("mpich"))
    assert launching.find(Host({"PATH": "/usr/bin"}, mpirun=own), lines.append) == ("mpirun",)
    assert len(lines) == 1


def test_launcher_that_is_not_on_path_is_refused() -> None:
    with pytest.raises(Refusal, match="the launcher 'aprun' is not found on PATH") as refused:
        launching.resolve(Host(), ["aprun"], None, named=True)
    assert refused.value.code == ExitCode.UNAVAILABLE


def test_launcher_is_followed_by_the_ranks_and_their_command() -> None:
    here = launching.resolve(Host(mpirun="there"), ["mpirun", "--tag"], None, named=True)
    assert here.words(4, ["rank"]) == ["mpirun", "--tag", "-n", "4", *HERE, "rank"]
    assert here.words(None, ["rank"], ["srun", "--exclude=n1"]) == ["srun", "--exclude=n1", *HERE, "rank"]


def test_more_ranks_than_cores_are_allowed_outside_of_a_job_only() -> None:
    name = "OMPI_MCA_rmaps_base_oversubscribe"
    assert name in launching.resolve(Host(mpirun="there"), ["mpirun"], None, named=False).variables
    job = Host(SLURM, mpirun="there")
    assert name not in launching.resolve(job, ["mpirun"], None, named=False).variables


def test_user_who_gives_the_launcher_options_decides_on_its_slots() -> None:
    words = ["mpirun", "--map-by", "slot"]
    here = launching.resolve(Host(mpirun="there"), words, None, named=True)
    assert "OMPI_MCA_rmaps_base_oversubscribe" not in here.variables


def test_root_may_start_open_mpi(monkeypatch: pytest.MonkeyPatch) -> None:
    for user, allowed in ((0, True), (1000, False)):
        monkeypatch.setattr(os, "geteuid", lambda user=user: user)
        here = launching.launcher_variables(more_ranks_than_cores=False)
        assert ("OMPI_ALLOW_RUN_AS_ROOT" in here) == allowed


def test_images_own_launcher_stays_on_this_host_and_sees_no_batch_system() -> None:
    inside = {"APPTAINER_CONTAINER": "/espei.sif", **SLURM}
    here = launching.resolve(Host(inside, mpirun="there"), ["mpirun"], None, named=False)
    assert here.one_host
    assert here.words(3, ["rank"])[:3] == ["env", "--unset=SLURM_JOB_ID", "--unset=SLURM_NTASKS"]
    assert "OMPI_MCA_rmaps_base_oversubscribe" in here.variables


def test_launcher_that_the_user_names_in_an_image_keeps_the_batch_system() -> None:
    inside = {"APPTAINER_CONTAINER": "/espei.sif", **SLURM}
    here = launching.resolve(Host(inside, srun="there"), ["srun"], None, named=True)
    assert not here.one_host
    assert here.words(3, ["rank"])[0] == "srun"


def test_apptainer_image_has_its_ranks_started_by_the_hosts_launcher_and_podmans_by_its_own() -> None:
    assert launching.find_for_image(Host(hpc=APPTAINER, mpirun="there"), None, print) == ("mpirun",)
    assert launching.find_for_image(Host(hpc=PODMAN, mpirun="there"), None, print) == ()
    assert launching.find_for_image(Host(hpc=PODMAN, mpirun="there"), "auto", print) == ("mpirun",)
    assert launching.find_for_image(Host(hpc=APPTAINER, mpirun="there"), "image", print) == ()


def test_slurm_is_asked_for_the_end_of_a_job_that_does_not_say_it() -> None:
    host = Host(SLURM, date="1700000000 +0100", squeue="1:00")
    assert launching.handed_over(host) == {"ESPEI_HPC_JOB": "1700000000 +0100\n1:00"}
    assert launching.handed_over(Host({**SLURM, "SLURM_JOB_END_TIME": "1700000000"}, squeue="1:00")) == {}
    assert launching.handed_over(Host(SLURM)) == {}
    assert launching.handed_over(Host()) == {}


def test_container_is_handed_the_times_of_a_pbs_job_without_its_environment() -> None:
    job = {"PBS_JOBID": "41.head"}
    shown = "Job Id: 41.head\n    Resource_List.walltime = 00:10:00\n    Variable_List = SECRET=1\n"
    handed = launching.handed_over(Host(job, date="1700000000 +0000", qstat=shown))
    assert handed == {"ESPEI_HPC_JOB": "1700000000 +0000\n    Resource_List.walltime = 00:10:00"}


@pytest.mark.parametrize(("hosts", "named"), [("a\na\nb\n", True), ("a\na\n", False)])
def test_open_mpi_without_pbs_reads_the_hosts_of_a_job_that_has_several(hosts: str, named: bool) -> None:
    job = {"PBS_JOBID": "41.head", "PBS_NODEFILE": "/spool/41"}
    handed = launching.handed_over(Host(job, cat=hosts))
    assert handed["ESPEI_HPC_NODES"] == ("2 a\n1 b" if named else "2 a")
    assert handed.get("OMPI_MCA_orte_default_hostfile") == ("/spool/41" if named else None)


@pytest.mark.parametrize(("nodes", "allowed"), [("2 a", True), ("1 a\n1 b", False)])
def test_launcher_that_sees_fewer_cores_than_pbs_granted_on_one_host_starts_all_ranks(
    nodes: str, allowed: bool
) -> None:
    job = {"PBS_JOBID": "41.head", "PBS_NODEFILE": "/spool/41", "ESPEI_HPC_NODES": nodes}
    here = launching.resolve(Host(job, mpirun="there"), ["mpirun"], None, named=False)
    assert ("OMPI_MCA_rmaps_base_oversubscribe" in here.variables) == allowed
