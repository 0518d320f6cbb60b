"""The environment that every process of a run is started with."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from espei_hpc.environment import clean_environment


def test_hash_seed_is_zero_whatever_the_user_has() -> None:
    assert clean_environment({"PYTHONHASHSEED": "17"})["PYTHONHASHSEED"] == "0"


def test_threads_are_one_whatever_the_batch_system_sets() -> None:
    # OpenPBS sets it to the cores of the chunk.
    assert clean_environment({"OMP_NUM_THREADS": "48"})["OMP_NUM_THREADS"] == "1"


def test_users_python_path_is_dropped_and_the_rest_kept() -> None:
    clean = clean_environment({"PYTHONPATH": "/somewhere", "HOME": "/home/me"})
    assert "PYTHONPATH" not in clean
    assert clean["HOME"] == "/home/me"


def test_clean_environment_stays_as_it_is() -> None:
    clean = clean_environment({"PATH": "/bin"})
    assert clean_environment(clean) == clean


BINDINGS = {
    "OMP_PROC_BIND": "true",
    "OMP_PLACES": "cores",
    "GOMP_CPU_AFFINITY": "0",
    "KMP_AFFINITY": "compact",
}


def test_cores_are_those_of_the_process_whatever_a_site_binds_openmp_to() -> None:
    """Importing scikit-learn, as ESPEI does, would bind this process to its first core."""
    count = "import os; print(len(os.sched_getaffinity(0)))"
    both = f"{count}; import sklearn.linear_model; {count}"
    environment = clean_environment(dict(os.environ) | BINDINGS)
    told = subprocess.run(
        [sys.executable, "-c", both], env=environment, capture_output=True, text=True, check=True
    )
    assert told.stdout.split() == [str(len(os.sched_getaffinity(0)))] * 2


OPTIONS = {"PYTHONOPTIMIZE": "2", "PYTHONVERBOSE": "1", "PYTHONPROFILEIMPORTTIME": "1", "PYTHONDEVMODE": "1"}


def test_options_of_python_do_not_change_what_runs() -> None:
    environment = clean_environment(dict(os.environ) | OPTIONS)
    told = subprocess.run(
        [sys.executable, "-c", "import sys; print(sys.flags.optimize, len.__doc__ is None)"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert (told.stdout, told.stderr) == ("0 False\n", "")


@pytest.mark.parametrize("words", [("check", "--in", "x.yaml"), ("doctor",), ("plan", "--in", "x.yaml")])
def test_a_deleted_working_directory_is_one_line(tmp_path: Path, words: tuple[str, ...]) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    script = f"cd {gone}; rmdir {gone}; exec {sys.executable} -m espei_hpc {' '.join(words)}"
    told = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)
    assert "Traceback" not in told.stderr
    assert told.returncode == 65, told
    assert "espei-hpc: the working directory: it was deleted" in told.stderr


def test_as_many_files_as_allowed_may_be_opened() -> None:
    few = f"ulimit -S -n 200; exec {sys.executable} -m espei_hpc doctor --cheap -n 100"
    told = subprocess.run(["bash", "-c", few], capture_output=True, text=True, check=True).stdout
    (line,) = [line for line in told.splitlines() if "open files" in line]
    assert line.startswith("ok")
