"""The environment that every process of a run is started with."""

from espei_hpc.launch import clean_environment


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
