"""A rank picks the MPI library that fits its launcher."""

from pathlib import Path

import pytest

from espei_hpc.errors import Refusal
from espei_hpc.exit_codes import ExitCode
from espei_hpc.mpi import library as mpi_library
from espei_hpc.mpi.library import MPICH, OPEN_MPI, LibraryFamily


def environment_with(root: Path, *families: LibraryFamily) -> Path:
    """Make a Python environment that holds MPIs."""
    for family in families:
        library = root / "mpi" / family.folder / "lib" / family.soname
        library.parent.mkdir(parents=True)
        library.touch()
    return root


@pytest.mark.parametrize(
    ("variable", "family"),
    [
        ("OMPI_COMM_WORLD_SIZE", OPEN_MPI),  # mpirun of Open MPI 4 and 5
        ("PMIX_RANK", OPEN_MPI),  # srun --mpi=pmix
        ("PMI_RANK", MPICH),  # Hydra, srun --mpi=pmi2
        ("PALS_RANKID", MPICH),  # Cray PALS
    ],
)
def test_launchers_variable_decides_the_library(variable: str, family: LibraryFamily, tmp_path: Path) -> None:
    rank = {variable: "1"}
    mpi_library.choose(rank, environment_with(tmp_path, OPEN_MPI, MPICH))
    assert rank["MPI4PY_LIBMPI"] == str(tmp_path / "mpi" / family.folder / "lib" / family.soname)


def test_library_named_by_the_user_is_kept(tmp_path: Path) -> None:
    rank = {"PMI_RANK": "1", "MPI4PY_LIBMPI": "/site/libmpi.so.12"}
    mpi_library.choose(rank, environment_with(tmp_path, OPEN_MPI, MPICH))
    assert rank["MPI4PY_LIBMPI"] == "/site/libmpi.so.12"


def test_fault_02_library_named_of_the_other_family_is_refused_naming_both(tmp_path: Path) -> None:
    rank = {"PMIX_RANK": "1", "MPI4PY_LIBMPI": "/site/libmpi.so.12"}
    with pytest.raises(Refusal, match=r"of the Open MPI family.*/site/libmpi\.so\.12"):
        mpi_library.choose(rank, tmp_path)


def test_intel_mpi_told_to_use_pmix_is_left_to_the_proof_of_the_world(tmp_path: Path) -> None:
    rank = {"PMIX_RANK": "1", "MPI4PY_LIBMPI": "/site/libmpi.so.12", "I_MPI_PMI": "pmix"}
    mpi_library.choose(rank, tmp_path)


def test_without_an_mpi_of_ours_the_hosts_is_left_to_mpi4py(tmp_path: Path) -> None:
    rank = {"PMI_RANK": "1", "MPI4PY_MPIABI": "none", "MPI4PY_RC_INITIALIZE": "0"}
    mpi_library.choose(rank, tmp_path)
    assert rank == {"PMI_RANK": "1"}


def test_fault_02_library_of_the_other_family_alone_is_refused_naming_the_variant(tmp_path: Path) -> None:
    with pytest.raises(Refusal) as refused:
        mpi_library.choose({"PMI_RANK": "1"}, environment_with(tmp_path, OPEN_MPI))
    assert refused.value.code == ExitCode.CONFIGURATION
    assert "MPI=both or MPI=mpich" in str(refused.value)


def test_prefix_of_the_hosts_open_mpi_does_not_reach_the_library(tmp_path: Path) -> None:
    rank = {"PMIX_RANK": "0", "OPAL_PREFIX": "/host/only"}
    mpi_library.choose(rank, environment_with(tmp_path, OPEN_MPI))
    assert rank["OPAL_PREFIX"] == str(tmp_path / "mpi" / "openmpi")


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"PMIX_RANK": "0"}, "1"),
        ({"PMIX_RANK": "0", "OMPI_MCA_pmix_base_async_modex": "0"}, "0"),  # the user's own
        ({"PMIX_RANK": "0", "OMPI_COMM_WORLD_SIZE": "2"}, None),
        ({"PMI_RANK": "0"}, None),
    ],
    ids=["srun", "user", "mpirun", "MPICH"],
)
def test_open_mpi_is_told_of_a_pmix_that_is_not_its_own(
    told: dict[str, str], expected: str | None, tmp_path: Path
) -> None:
    mpi_library.choose(told, tmp_path)
    assert told.get("OMPI_MCA_pmix_base_async_modex") == expected
