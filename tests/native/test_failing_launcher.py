"""A launcher that cannot start the ranks: its cause is shown, however long its log is."""

import shutil
from pathlib import Path

import pytest

from support import Commands, mpirun

ONE_SLOT = f"{mpirun('openmpi')} --host localhost:1"
FIRST = "launcher: There are not enough slots available in the system to satisfy the 3: "
CURE = "request more tasks, or fewer ranks with -n"


@pytest.mark.parametrize(
    "command", ["espei-mpi --in x.yaml", "start-cluster --scheduler-file my_scheduler.json"]
)
def test_cause_in_the_first_line_of_a_long_log_is_shown_with_its_cure(
    command: str, commands: Commands, small_fit: Path
) -> None:
    result = commands.run(*command.split(), "-n", "3", "--launcher", ONE_SLOT)
    assert FIRST in result.output
    assert CURE in result.output
    assert "launcher ended with exit code 1 before any rank had started MPI" in result.output
    assert result.output.index(CURE) < result.output.index("--use-hwthread-cpus")


def test_library_of_another_family_than_the_launchers_is_named_wherever_it_lies(
    commands: Commands, small_fit: Path, tmp_path: Path
) -> None:
    # As after pip install mpich, whose library is in no prefix of ours: this name shows no family.
    lib = mpirun("mpich").parents[1] / "lib"
    shutil.copytree(lib, tmp_path / "lib")
    library = shutil.move(tmp_path / "lib" / "libmpi.so.12", tmp_path / "lib" / "libmpi-of-pip.so")
    result = commands.run(
        *("espei-mpi", small_fit, "-n", "3", "--launcher", str(mpirun("openmpi"))),
        env={"MPI4PY_LIBMPI": str(library)},
    )
    assert result.code == 69, result.output
    assert "the ranks load an MPICH, but their launcher is of the Open MPI family" in result.output
    assert "name the launcher of that MPICH with --launcher" in result.output
