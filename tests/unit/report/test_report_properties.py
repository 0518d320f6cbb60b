"""Names and units of properties, and the numbers of the table of differences."""

import math

import pytest

from espei_hpc.likelihood.upstream.espei import DataPoint
from espei_hpc.report.measured import Compared
from espei_hpc.report.properties import PropertyFamily, known, rows


def made(
    output: str = "HM_MIX",
    phase: str = "LIQUID",
    *,
    before: float = 0.0,
    after: float = 0.0,
    deviation: float = 500.0,
    excluded: tuple[str, ...] = (),
) -> Compared:
    """Make a value whose residuals these are."""
    point = DataPoint(1000.0, 1000.0, (("CU", 0.5), ("MG", 0.5)), "somebody")
    return Compared(output, excluded, phase, point, 1000.0 + before, 1000.0 + after, before, after, deviation)


@pytest.mark.parametrize(
    ("output", "family", "name", "unit"),
    [
        ("HM", PropertyFamily.ENTHALPY, "enthalpy (HM)", "J/mol-atom"),
        ("HM_MIX", PropertyFamily.ENTHALPY, "enthalpy of mixing (HM_MIX)", "J/mol-atom"),
        ("HM_FORM", PropertyFamily.ENTHALPY, "enthalpy of formation (HM_FORM)", "J/mol-atom"),
        ("HMR", PropertyFamily.ENTHALPY, "enthalpy from reference states (HMR)", "J/mol-atom"),
        ("SM_MIX", PropertyFamily.ENTROPY, "entropy of mixing (SM_MIX)", "J/K-mol-atom"),
        ("CPM", PropertyFamily.HEAT_CAPACITY, "heat capacity (CPM)", "J/K-mol-atom"),
        ("GM", PropertyFamily.GIBBS_ENERGY, "Gibbs energy (GM)", "J/mol-atom"),
        ("ACR_MG", PropertyFamily.ACTIVITY, "activity of MG (ACR_MG)", ""),
        ("VM", PropertyFamily.OTHER, "VM", ""),
        ("HM_ELSE", PropertyFamily.OTHER, "HM_ELSE", ""),
    ],
)
def test_a_property_has_its_name_and_its_unit(
    output: str, family: PropertyFamily, name: str, unit: str
) -> None:
    found = known(output)
    assert (found.family, found.name, found.unit) == (family, name, unit)


def test_the_residual_of_an_activity_is_a_chemical_potential() -> None:
    assert known("ACR_MG").residual_unit == "J/mol"


def test_what_is_left_out_of_a_property_is_in_its_name() -> None:
    assert known("SM_MIX", ("idmix", "mag")).name == "entropy of mixing (SM_MIX without idmix, mag)"


def test_a_row_has_the_root_mean_squares_before_and_after() -> None:
    (row,) = rows([made(before=300, after=30), made(before=-400, after=40)])
    assert (row.number, row.failed) == (2, 0)
    assert row.before == pytest.approx(math.sqrt((300**2 + 400**2) / 2))
    assert row.after == pytest.approx(math.sqrt((30**2 + 40**2) / 2))


def test_each_difference_is_scaled_by_its_own_deviation() -> None:
    (row,) = rows([made(before=300, deviation=100), made(before=300, deviation=300)])
    assert row.before_scaled == pytest.approx(math.sqrt((3**2 + 1**2) / 2))


def test_a_property_of_several_phases_has_a_row_for_all_and_one_for_each() -> None:
    found = rows([made(phase="LIQUID"), made(phase="FCC_A1"), made(phase="LIQUID"), made("SM_MIX")])
    assert [(row.name.split(" (")[1], row.phase, row.number) for row in found] == [
        ("HM_MIX)", "", 3),
        ("HM_MIX)", "FCC_A1", 1),
        ("HM_MIX)", "LIQUID", 2),
        ("SM_MIX)", "LIQUID", 1),
    ]


def test_a_property_with_and_without_a_contribution_are_two() -> None:
    assert len(rows([made("SM_MIX"), made("SM_MIX", excluded=("idmix",))])) == 2


def test_values_that_failed_are_counted_and_left_out_of_the_root_mean_square() -> None:
    (row,) = rows([made(before=300, after=30), made(before=float("nan"), after=float("inf"))])
    assert (row.failed, row.before, row.after) == (1, 300, 30)


def test_without_any_value_that_could_be_calculated_there_is_no_number() -> None:
    (row,) = rows([made(before=float("nan"), after=1)])
    assert math.isnan(row.before)
    assert row.after == 1
