"""What was measured is predicted, and what was not is told as unknown."""

import itertools
from dataclasses import replace

import pytest

from espei_hpc.mpi.host.family import CRAY_MPICH, FAMILIES, INTEL_MPI, MPICH, MVAPICH, OPEN_MPI, Family, of
from espei_hpc.mpi.host.launcher import Launcher
from espei_hpc.mpi.host.predict import TABLE, Library, Outcome, predict
from espei_hpc.mpi.launchers import Key


def launcher(kind: Key, version: str | None = None, *pmi: str) -> Launcher:
    """Describe a launcher as it is found."""
    return Launcher((kind,), kind, version, None, pmi)


def outcome(of: Launcher, family: Family, version: str | None) -> Outcome:
    """Predict for a library."""
    return predict(of, Library(family, version)).outcome


OPEN_MPI_4 = launcher("openmpi", "4.1.4", "pmix")
MPICH_4 = launcher("mpich", "4.0.2", "pmi1", "pmi2")


def test_a_pair_gives_one_world_only_where_both_know_one_pmi() -> None:
    """Of the table: the reason behind the measured cells."""
    for row, column in itertools.product(TABLE, ("openmpi 4", "openmpi 5", "mpich 4", "mpich 5")):
        make = row.split()[0]
        pmi = row.split()[1] if make == "srun" else {"openmpi": "pmix"}.get(make, "pmi1")
        knows = pmi in of(column.split()[0]).pmi
        older = (row, column) == ("openmpi 5", "openmpi 4")
        assert (TABLE[row][column] is Outcome.ONE_WORLD) is (knows and not older), (row, column)


@pytest.mark.parametrize(
    ("family", "version", "expected"),
    [
        (OPEN_MPI, "5.0.11", Outcome.ONE_WORLD),
        (OPEN_MPI, None, Outcome.ONE_WORLD),
        (MPICH, "4.0.2", Outcome.SINGLETONS),
        (MPICH, "5.0.2", Outcome.CRASH),
        (MPICH, None, Outcome.UNKNOWN),
        (MPICH, "3.3.2", Outcome.UNKNOWN),
        (MVAPICH, "2.3.7", Outcome.UNKNOWN),
        (CRAY_MPICH, "8.1.27", Outcome.UNKNOWN),
    ],
)
def test_only_what_was_measured_is_known(family: Family, version: str | None, expected: Outcome) -> None:
    assert outcome(OPEN_MPI_4, family, version) is expected


def test_a_launcher_not_measured_is_unknown() -> None:
    for other in (
        launcher("openmpi", "3.1.6", "pmix"),
        launcher("mpich", "3.4.3", "pmi1"),
        launcher("intel", "2019 Update 9", "pmi1"),
        launcher("unknown"),
        launcher("jsrun"),
    ):
        prediction = predict(other, Library(OPEN_MPI, "5.0.11"))
        assert prediction.outcome is Outcome.UNKNOWN
        assert "not measured" in prediction.why or "(read, not run here)" in prediction.why


def test_intel_mpi_under_open_mpis_launcher_must_be_told_of_pmix() -> None:
    prediction = predict(OPEN_MPI_4, Library(INTEL_MPI, "2021.18.1"))
    assert prediction.outcome is Outcome.ONE_WORLD
    assert dict(prediction.variables) == {"I_MPI_PMI": "pmix", "I_MPI_PMI_LIBRARY": "libpmix.so.2"}
    assert not predict(MPICH_4, Library(MPICH, "5.0.2")).variables


def test_intel_mpi_crashes_under_mpich_4_that_is_not_told_of_slots() -> None:
    prediction = predict(MPICH_4, Library(INTEL_MPI, "2021.18.1"))
    assert prediction.outcome is Outcome.CRASH
    assert "-ppn" in prediction.why
    assert outcome(replace(MPICH_4, slots_known=True), INTEL_MPI, "2021.18.1") is Outcome.ONE_WORLD
    assert outcome(launcher("mpich", "5.0.2", "pmi1"), INTEL_MPI, "2021.18.1") is Outcome.ONE_WORLD


@pytest.mark.parametrize(
    ("pmi", "family", "version", "expected"),
    [
        ("pmix", OPEN_MPI, "5.0.11", Outcome.ONE_WORLD),
        ("pmix_v4", OPEN_MPI, "4.1.4", Outcome.ONE_WORLD),
        ("pmix", MPICH, "5.0.2", Outcome.CRASH),
        ("pmi2", MPICH, "5.0.2", Outcome.ONE_WORLD),
        ("pmi2", OPEN_MPI, "5.0.11", Outcome.CRASH),
        ("pmi2", INTEL_MPI, "2021.18.1", Outcome.UNKNOWN),
        ("cray_shasta", CRAY_MPICH, "8.1.27", Outcome.ONE_WORLD),
        ("cray_shasta", MPICH, "5.0.2", Outcome.UNKNOWN),
    ],
)
def test_srun_is_known_by_its_kind_of_pmi(pmi: str, family: Family, version: str, expected: Outcome) -> None:
    assert outcome(launcher("srun", "22.05.8", pmi), family, version) is expected


def test_srun_without_a_pmi_gives_singletons_whatever_the_library() -> None:
    for family in FAMILIES:
        assert outcome(launcher("srun", "22.05.8"), family, "1.2.3") is Outcome.SINGLETONS


def test_srun_whose_pmi_is_not_known_is_unknown_and_the_cure_is_named() -> None:
    prediction = predict(replace(launcher("srun"), chosen=False), Library(OPEN_MPI, "5.0.11"))
    assert prediction.outcome is Outcome.UNKNOWN
    assert "--mpi=pmix" in prediction.why


def test_an_mpich_built_with_pmix_is_not_taken_for_the_one_measured() -> None:
    with_pmix = Library(MPICH, "5.0.2", ("pmi1", "pmi2", "pmix"))
    assert predict(OPEN_MPI_4, with_pmix).outcome is Outcome.UNKNOWN
    assert predict(MPICH_4, with_pmix).outcome is Outcome.ONE_WORLD


def test_what_was_read_and_not_run_says_so() -> None:
    prediction = predict(launcher("pals", None, "cray"), Library(CRAY_MPICH, "8.1.27"))
    assert prediction.outcome is Outcome.ONE_WORLD
    assert "read" in prediction.why
    assert "not run here" in prediction.why


def test_a_known_outcome_names_both_and_what_was_measured() -> None:
    why = predict(MPICH_4, Library(OPEN_MPI, "5.0.11")).why
    for part in ("mpich (MPICH 4.0.2)", "Open MPI 5.0.11", "a world of its own", "measured with MPICH 4.0.2"):
        assert part in why
