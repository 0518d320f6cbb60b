"""The environment that every process of a run is started with."""

import subprocess
import sys

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


def test_as_many_files_as_allowed_may_be_opened() -> None:
    few = f"ulimit -S -n 200; exec {sys.executable} -m espei_hpc doctor --cheap -n 100"
    told = subprocess.run(["bash", "-c", few], capture_output=True, text=True, check=True).stdout
    (line,) = [line for line in told.splitlines() if "open files" in line]
    assert line.startswith("ok")
