"""Cores, threads, open files and CPU time are held against what the ranks of a fit need."""

import os
import resource
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from espei_hpc.doctor import limits
from espei_hpc.doctor.finding import Severity
from espei_hpc.doctor.options import Options
from unit.doctor.looking import look


def limited(what: int, soft: int, hard: int) -> Callable[[], None]:
    """Return a call that limits this process."""
    return lambda: resource.setrlimit(what, (soft, hard))


def test_too_few_open_files_are_a_fault_with_the_number_to_ask_for(tmp_path: Path) -> None:
    line = look(tmp_path, limited(resource.RLIMIT_NOFILE, 100, 4096), ranks=64)["open files"]
    assert line.state == "fault"
    assert "at most 100" in line.seen
    assert line.cure == "ulimit -n 320"


def test_hard_limit_of_open_files_leaves_it_to_the_administrators(tmp_path: Path) -> None:
    line = look(tmp_path, limited(resource.RLIMIT_NOFILE, 100, 100), ranks=64)["open files"]
    assert "hard limit (100)" in line.cure


def test_open_files_enough_for_few_ranks_are_ok(tmp_path: Path) -> None:
    assert look(tmp_path, limited(resource.RLIMIT_NOFILE, 100, 100), ranks=2)["open files"].state == "ok"


def test_limit_of_cpu_time_is_told_as_a_login_node_s(tmp_path: Path) -> None:
    line = look(tmp_path, limited(resource.RLIMIT_CPU, 600, 600))["CPU time"]
    assert line.state == "warning"
    assert "600 s" in line.seen
    assert "batch job" in line.cure


def test_more_ranks_than_cores_are_a_warning(tmp_path: Path) -> None:
    one = min(os.sched_getaffinity(0))

    def bound() -> None:
        os.sched_setaffinity(0, {one})

    assert look(tmp_path, bound, ranks=2)["cores"].state == "ok"
    line = look(tmp_path, bound, ranks=3)["cores"]
    assert line.state == "warning"
    assert line.seen == "3 ranks share 1 core"


@pytest.fixture
def half_a_core(tmp_path: Path) -> Iterator[Path]:
    """A control group, of whichever version this machine has, with half a core's time."""
    for root, limit, text in (
        (Path("/sys/fs/cgroup"), "cpu.max", "50000 100000"),
        (Path("/sys/fs/cgroup/cpu"), "cpu.cfs_quota_us", "50000"),
    ):
        group = root / f"espei-hpc-test-{os.getpid()}"
        try:
            group.mkdir()
        except OSError:
            continue
        try:
            if (group / limit).exists():
                (group / limit).write_text(text)
                yield group
                return
        except OSError:
            continue
        finally:
            group.rmdir()
    pytest.skip("no control group with a limit of CPU time can be made here")


def test_quota_below_the_cores_in_sight_is_a_warning(tmp_path: Path, half_a_core: Path) -> None:
    line = look(tmp_path, lambda: (half_a_core / "cgroup.procs").write_text(str(os.getpid())))["cores"]
    assert line.state == "warning"
    assert "the CPU quota is 0.5 cores" in line.seen


def test_several_cores_for_a_task_are_a_warning(tmp_path: Path) -> None:
    (line,) = limits.threads(Options(tmp_path, environment={"SLURM_JOB_ID": "7", "SLURM_CPUS_PER_TASK": "4"}))
    assert line.state == Severity.WARNING
    assert "--ntasks" in line.cure


def test_one_core_for_a_task_is_ok(tmp_path: Path) -> None:
    (line,) = limits.threads(Options(tmp_path, environment={"SLURM_JOB_ID": "7", "SLURM_CPUS_PER_TASK": "1"}))
    assert line.state == Severity.OK
