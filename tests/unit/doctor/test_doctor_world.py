"""The world that a launcher gives is told from a real run of ranks."""

import os
import re
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from espei_hpc.doctor import Line, Options, Severity, exit_code, launching, mpi, probe, storage
from espei_hpc.doctor.launching import Trial
from espei_hpc.doctor.options import Launched
from espei_hpc.doctor.running import Ended
from support import mpirun

DEBIANS = ("mpirun.openmpi", "mpirun.mpich")
OF_DEBIAN = (pytest.mark.all, pytest.mark.needs("Debian's MPIs"))
MPICH, OPENMPI = str(mpirun("mpich")), str(mpirun("openmpi"))
LIBRARIES = {
    "openmpi": mpirun("openmpi").parents[1] / "lib" / "libmpi.so.40",
    "mpich": mpirun("mpich").parents[1] / "lib" / "libmpi.so.12",
}


def seen(options: Options) -> dict[str, Line]:
    """Run the trial and return its lines by topic."""
    return {line.topic: line for line in mpi.world(options)}


def asked(directory: Path, *launcher: str, seconds: float = 120, **variables: str) -> Options:
    """Ask for a trial of two ranks in this environment, changed."""
    return Options(
        directory, launcher=launcher, ranks=2, seconds=seconds, environment={**os.environ, **variables}
    )


def script(path: Path, *lines: str) -> str:
    """Write a launcher that takes ``-n N COMMAND`` as ``$2`` and ``${@:3}``."""
    path.write_text("\n".join(["#!/bin/bash", *lines, ""]))
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize(
    "launcher",
    [
        OPENMPI,
        pytest.param(MPICH, marks=pytest.mark.all),
        *(
            pytest.param(name, marks=[pytest.mark.all, pytest.mark.needs("Debian's MPIs")])
            for name in DEBIANS
        ),
    ],
)
def test_one_world_is_told_with_message_connections_and_directory(launcher: str, tmp_path: Path) -> None:
    lines = seen(asked(tmp_path, launcher))
    assert list(lines) == ["MPI world", "MPI message", "connections", "shared directory"]
    assert {line.state for line in lines.values()} == {Severity.OK}, lines
    assert "one world of 2 ranks on 1 host" in lines["MPI world"].seen
    assert lines["shared directory"].seen.endswith("files are replaced atomically, locks work")
    assert exit_code(list(lines.values())) == 0
    assert list(tmp_path.iterdir()) == []


def test_library_of_the_other_family_is_told_as_singletons(tmp_path: Path) -> None:
    lines = seen(asked(tmp_path, MPICH, MPI4PY_LIBMPI=str(LIBRARIES["openmpi"])))
    assert list(lines) == ["MPI world"]
    assert "2 singletons, each alone in its world, instead of one world of 2" in lines["MPI world"].seen
    assert "launcher is of the MPICH family" in lines["MPI world"].seen
    assert str(LIBRARIES["openmpi"]) in lines["MPI world"].seen
    assert exit_code(list(lines.values())) == 69


@pytest.mark.all
def test_ranks_that_crash_in_mpi_are_told_with_what_they_said(tmp_path: Path) -> None:
    lines = seen(asked(tmp_path, OPENMPI, MPI4PY_LIBMPI=str(LIBRARIES["mpich"])))
    assert list(lines) == ["MPI world"]
    # The launcher may end the others before they print anything.
    assert re.search("ranks? started, but none entered an MPI world", lines["MPI world"].seen)
    assert "exit code" in lines["MPI world"].seen
    assert exit_code(list(lines.values())) == 69


def test_launcher_that_starts_nothing_is_told_in_its_own_words(tmp_path: Path) -> None:
    line = seen(asked(tmp_path, script(tmp_path / "mpirun", "echo no slots left; exit 3")))["MPI world"]
    assert "no rank started; the launcher ended with exit code 3: no slots left" in line.seen


def test_launcher_that_cannot_be_executed_is_told(tmp_path: Path) -> None:
    (tmp_path / "mpirun").write_bytes(b"\x7fELF")
    (tmp_path / "mpirun").chmod(0o755)
    line = seen(asked(tmp_path, str(tmp_path / "mpirun")))["MPI world"]
    assert line.state == Severity.FAULT
    assert "Exec format error" in line.seen


def test_launcher_that_is_not_there_is_told(tmp_path: Path) -> None:
    line = seen(asked(tmp_path, "no-such-mpirun"))["MPI world"]
    assert line.state == Severity.FAULT
    assert "'no-such-mpirun' is not found" in line.seen


def test_without_any_launcher_the_way_without_one_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    line = seen(asked(tmp_path, PATH=str(tmp_path)))["MPI world"]
    assert exit_code([line]) == 69
    assert "espei-mpi fits on this machine's cores" in line.cure


def test_launcher_is_looked_for_as_espei_mpi_does(tmp_path: Path) -> None:
    options, lines = Options(tmp_path, environment={"PATH": str(tmp_path)}), list[str]()
    assert launching.launcher(options, lines.append) == (str(mpirun("openmpi")),)
    (tmp_path / "mpiexec").symlink_to(mpirun("mpich"))
    assert launching.launcher(options, lines.append) == ("mpiexec",)
    assert not lines


def test_program_with_a_launchers_name_that_is_none_is_passed_over_in_one_line(tmp_path: Path) -> None:
    none = script(tmp_path / "mpiexec", "exit 1")
    found = seen(asked(tmp_path, PATH=str(tmp_path)))
    assert found["launcher"].seen.startswith(f"{none} is not used: it is no launcher that is known")
    assert found["MPI world"].seen.startswith(f"{mpirun('openmpi')}: one world of ")


def test_trial_without_an_end_is_ended_at_the_deadline(tmp_path: Path) -> None:
    launcher = script(tmp_path / "mpirun", f"echo $$ > {tmp_path}/pid", "sleep 600")
    line = seen(asked(tmp_path, launcher, seconds=1))["MPI world"]
    assert "no rank started; timed out" in line.seen
    assert not psutil.pid_exists(int((tmp_path / "pid").read_text()))


@pytest.mark.all
def test_rank_that_hangs_in_mpi_ends_itself_at_its_deadline(tmp_path: Path) -> None:
    # Rank 0 waits in MPI for a rank 1 that never comes.
    never = 'if [ "$PMI_RANK" = 1 ]; then exec sleep 600; fi; exec "$0" "$@"'
    words = [MPICH, "-n", "2", "sh", "-c", never, *probe.command(tmp_path, 2, None, seconds=3)]
    ended = subprocess.run(words, capture_output=True, check=False, timeout=120)
    (report,) = probe.reports(ended.stdout.decode())
    assert report["process"].startswith("0-")
    assert "size" not in report


def test_ranks_without_mpi_are_told_as_a_way_that_works(tmp_path: Path) -> None:
    # srun --mpi=none, of which only the variables matter here.
    srun = script(
        tmp_path / "srun",
        "for ((rank = 0; rank < $2; rank++)); do",
        'SLURM_PROCID=$rank SLURM_STEP_NUM_TASKS=$2 "${@:3}" & done; wait',
    )
    lines = seen(asked(tmp_path, srun))
    assert list(lines) == ["MPI world", "shared directory"]
    assert lines["MPI world"].state == Severity.WARNING
    assert "2 ranks on 1 host" in lines["MPI world"].seen
    assert "without MPI" in lines["MPI world"].seen
    assert exit_code(list(lines.values())) == 0


@pytest.mark.all
def test_ranks_that_somebody_else_started_are_told_alike(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    words = [MPICH, "-n", "2", *probe.command(shared, 2, None, 120)]
    ended = subprocess.run(words, capture_output=True, check=False, timeout=120)
    output = tmp_path / "launched"
    output.write_bytes(ended.stdout + ended.stderr)
    lines = seen(Options(tmp_path, launched=Launched(output, ended.returncode, ranks=2)))
    assert {line.state for line in lines.values()} == {Severity.OK}, lines
    assert "shared directory" in lines


@pytest.mark.all
def test_ranks_of_another_number_than_asked_for_are_told(tmp_path: Path) -> None:
    launcher = script(tmp_path / "mpirun", f'exec {MPICH} -n 3 "${{@:3}}"')
    line = seen(asked(tmp_path, launcher))["MPI world"]
    assert line.state == Severity.FAULT
    assert "a world of 3 ranks, but 2 were requested" in line.seen


@pytest.mark.all
def test_ranks_bound_to_fewer_cores_than_workers_are_a_warning(tmp_path: Path) -> None:
    launcher = ("taskset", "--cpu-list", "0", MPICH)
    lines = seen(Options(tmp_path, launcher=launcher, ranks=3))
    assert lines["bound cores"].state == Severity.WARNING
    assert "3 ranks are bound to 1 core of" in lines["bound cores"].seen


def test_fewer_hosts_than_the_allocation_has_are_a_warning() -> None:
    told = [
        f'espei-probe {{"process": "{rank}-a", "launcher": "", "refusal": "", "rank": {rank}, "size": 2, '
        f'"host": "a", "library": "libmpi.so.12", "cores": [0, 1], "message": true}}'
        for rank in (0, 1)
    ]
    lines = {line.topic: line for line in mpi.lines(Trial("srun", 2, Ended(0, "\n".join(told))), nodes=4)}
    assert lines["hosts"].state == Severity.WARNING
    assert "1 host of the allocation's 4" in lines["hosts"].seen


@pytest.mark.all
@pytest.mark.needs("user namespaces")
def test_message_that_does_not_arrive_is_a_fault_of_the_message_alone(tmp_path: Path) -> None:
    # Ranks in user namespaces of their own, as Apptainer's: MPICH copies from memory that it may not
    # read, and hangs. The launcher gives up some time after rank 0 has sent.
    launcher = script(
        tmp_path / "mpirun",
        f'{MPICH} -n $2 unshare -Ur "${{@:3}}" >{tmp_path}/log &',
        f"until grep -q message {tmp_path}/log; do sleep 0.1; done; sleep 2",
        f"kill $!; wait; cat {tmp_path}/log; exit 1",
    )
    lines = seen(asked(tmp_path, launcher))
    assert lines["MPI world"].state == Severity.OK, lines
    assert lines["MPI message"].state == Severity.FAULT
    assert "UCX_POSIX_USE_PROC_LINK=n" in lines["MPI message"].cure
    assert "ranks did not finish" in lines["MPI end"].seen
    assert exit_code(list(lines.values())) == 1


@pytest.mark.all
@pytest.mark.needs("user namespaces")
def test_cure_of_the_message_is_one(tmp_path: Path) -> None:
    launcher = script(tmp_path / "mpirun", f'exec {MPICH} -n $2 unshare -Ur "${{@:3}}"')
    options = asked(tmp_path, launcher, UCX_POSIX_USE_PROC_LINK="n", MPIR_CVAR_CH4_CMA_ENABLE="0")
    assert seen(options)["MPI message"].state == Severity.OK


@pytest.mark.all
@pytest.mark.needs("root")
@pytest.mark.parametrize(("size", "state"), [(2 * storage.SHM_FOR_A_RANK, "ok"), (1_000_000, "fault")])
def test_shared_memory_said_to_be_enough_for_mpich_is_enough(size: int, state: str, tmp_path: Path) -> None:
    small = f'mount -t tmpfs -o size={size} none /dev/shm && exec "$0" "$@"'
    launcher = script(tmp_path / "mpirun", f"unshare -m sh -c '{small}' {MPICH} \"$@\"")
    assert seen(asked(tmp_path, launcher))["MPI world"].state == state


@pytest.mark.all
@pytest.mark.needs("root")
def test_ranks_that_cannot_connect_are_a_fault_though_mpi_works(tmp_path: Path) -> None:
    # In network namespaces of their own each has a loopback, but nobody else on it.
    alone = 'ip link set lo up && exec "$0" "$@"'
    launcher = script(tmp_path / "mpirun", f"exec {MPICH} -n $2 unshare -n sh -c '{alone}' \"${{@:3}}\"")
    lines = seen(asked(tmp_path, launcher))
    assert lines["MPI message"].state == Severity.OK, lines
    assert lines["connections"].state == Severity.FAULT
    assert "cannot reach rank" in lines["connections"].seen
    assert "Connection refused" in lines["connections"].seen


@pytest.mark.all
@pytest.mark.needs("root")
def test_directory_that_each_rank_sees_for_itself_is_a_fault(tmp_path: Path) -> None:
    # As on a local disk of each host: the same name, another directory.
    own = f'mount -t tmpfs none {tmp_path}/made && exec "$0" "$@"'
    (tmp_path / "made").mkdir()
    (tmp_path / "bin").mkdir()
    words = probe.command(tmp_path / "made", 2, None, 10)
    ended = subprocess.run(
        [MPICH, "-n", "2", "unshare", "--mount", "sh", "-c", own, *words],
        capture_output=True,
        check=False,
        timeout=120,
    )
    output = tmp_path / "launched"
    output.write_bytes(ended.stdout + ended.stderr)
    lines = seen(Options(tmp_path, launched=Launched(output, ended.returncode, ranks=2)))
    assert lines["MPI world"].state == Severity.OK, lines
    assert lines["shared directory"].state == Severity.FAULT
    assert "saw the files of only 1 of 2 ranks" in lines["shared directory"].seen


@pytest.mark.all
@pytest.mark.needs("root")
def test_directory_that_ranks_do_not_have_is_a_fault(tmp_path: Path) -> None:
    hide = f'mount -t tmpfs none {tmp_path} && exec "$0" "$@"'
    (tmp_path / "bin").mkdir()
    launcher = script(
        tmp_path / "bin" / "mpirun", f"exec {MPICH} -n $2 unshare -m sh -c '{hide}' \"${{@:3}}\""
    )
    lines = seen(asked(tmp_path, launcher))
    assert lines["shared directory"].state == Severity.FAULT
    assert "No such file" in lines["shared directory"].seen
