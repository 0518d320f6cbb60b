"""What is shown of the data is what ESPEI's residuals give, at the conditions where each was measured."""

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycalphad import Workspace
from pycalphad import variables as v

from espei_hpc.likelihood import database_text
from espei_hpc.likelihood.upstream import espei as upstream
from espei_hpc.report import measured, samples
from espei_hpc.report.child import Unavailable
from espei_hpc.report.measured import Batch, Compared, ComparisonInputs, compare
from unit.likelihood.likelihood_cases import (
    ENTHALPIES,
    EXAMPLE_DATA,
    Stock,
    activity_grid,
    all_kinds,
    stock,
    write,
    write_generating,
)
from unit.likelihood.systems import SYSTEMS, System
from unit.report.made_report import made_run

KINDS = (
    upstream.ActivityResidual,
    upstream.FixedConfigurationPropertyResidual,
    upstream.EquilibriumPropertyResidual,
)
FACTOR = 1.02
"""Of the best parameters to the starting ones."""


def compared(settings: dict[str, Any], best: dict[str, float]) -> tuple[list[Compared], list[str]]:
    batches: list[Batch] = []
    compare(ComparisonInputs(settings, best), batches.append)
    return [one for batch in batches for one in batch.compared], [note for b in batches for note in b.notes]


def best_of(reference: Stock) -> dict[str, float]:
    return dict(zip(reference.context["symbols_to_fit"], (FACTOR * reference.initial).tolist(), strict=True))


def of_outputs(found: list[Compared], *outputs: str) -> list[Compared]:
    return [one for one in found if one.output in outputs]


@pytest.fixture(scope="module")
def every_kind(tmp_path_factory: pytest.TempPathFactory) -> list[Compared]:
    settings = write(tmp_path_factory.mktemp("all"), all_kinds() | {"grid.json": activity_grid()})
    return compared(settings, best_of(stock(settings)))[0]


@pytest.mark.parametrize("system", SYSTEMS, ids=str)
def test_differences_and_deviations_are_those_of_espeis_residuals(system: System, tmp_path: Path) -> None:
    settings = system.write(tmp_path)
    reference = stock(settings)
    expected: dict[str, list[float]] = {"before": [], "after": [], "deviation": []}
    for residual in reference.context["residual_objs"]:
        if type(residual) in KINDS:
            before, deviations = residual.get_residuals(reference.initial)
            after, _ = residual.get_residuals(FACTOR * reference.initial)
            for name, numbers in (("before", before), ("after", after), ("deviation", deviations)):
                expected[name] += map(float, numbers)
    found, notes = compared(settings, best_of(reference))
    assert notes == []
    assert [one.difference_before for one in found] == pytest.approx(expected["before"], rel=1e-9, abs=1e-6)
    assert [one.difference_after for one in found] == pytest.approx(expected["after"], rel=1e-9, abs=1e-6)
    assert [one.deviation for one in found] == expected["deviation"]


def test_every_thermochemical_value_is_there_and_no_phase_boundary(every_kind: list[Compared]) -> None:
    number = {output: len(of_outputs(every_kind, output)) for output in {one.output for one in every_kind}}
    assert number == {"ACR_MG": 9, "HM_FORM": 1, "HM_MIX": 5, "SM_MIX": 1, "HM": 4, "HMR": 1}


def test_a_calculated_value_is_the_measured_one_and_the_difference(every_kind: list[Compared]) -> None:
    for one in of_outputs(every_kind, "HM_MIX", "SM_MIX", "HM"):
        assert one.before == pytest.approx(one.point.value + one.difference_before)
        assert one.after == pytest.approx(one.point.value + one.difference_after)


def test_values_of_a_mixed_phase_have_their_composition_and_configuration(every_kind: list[Compared]) -> None:
    points = [one.point for one in of_outputs(every_kind, "HM_MIX")]
    assert [dict(point.fractions)["MG"] for point in points] == pytest.approx([0.1, 0.3, 0.5, 0.7, 0.9])
    assert {(point.temperature, point.configuration, point.reference) for point in points} == {
        (1100.0, "CU,MG", "Coughanowr1991")
    }


def test_the_element_without_a_condition_has_what_is_left(every_kind: list[Compared]) -> None:
    for one in of_outputs(every_kind, "ACR_MG", "HM", "HMR"):
        assert [name for name, _ in one.point.fractions] == ["CU", "MG"]
        assert sum(x for _, x in one.point.fractions) == pytest.approx(1)


def test_the_composition_of_a_compound_is_that_of_all_its_sublattices(every_kind: list[Compared]) -> None:
    (one,) = of_outputs(every_kind, "HM_FORM")
    assert one.point.configuration == "CU:MG"
    assert dict(one.point.fractions) == pytest.approx({"CU": 2 / 3, "MG": 1 / 3})


def test_excluded_contributions_are_known(every_kind: list[Compared]) -> None:
    assert {one.output: one.excluded for one in every_kind}["SM_MIX"] == ("idmix",)
    assert {one.output: one.excluded for one in every_kind}["HM_MIX"] == ()


def workspace(settings: dict[str, Any], temperature: float, x: float) -> Workspace:
    conditions = {v.T: temperature, v.X("MG"): x, v.P: 101325, v.N: 1}
    database = database_text(Path(settings["mcmc"]["input_db"])).read()
    return Workspace(database, ["CU", "MG", "VA"], ["LIQUID"], conditions)


@pytest.mark.parametrize("output", ["ACR_MG", "HM"])
def test_a_grid_of_temperatures_and_compositions_is_compared_at_its_own_conditions(
    output: str, tmp_path: Path
) -> None:
    settings = write(tmp_path, all_kinds() | {"activity.json": activity_grid()})
    found = of_outputs(compared(settings, best_of(stock(settings)))[0], output)
    assert len({one.point.temperature for one in found}) == 2
    for one in found:
        x = dict(one.point.fractions)["MG"]
        here = workspace(settings, one.point.temperature, x)
        if output == "HM":
            expected = float(here.get("HM"))
        else:
            # The dataset's reference state is the liquid at 1100 K.
            difference = here.get(v.MU("MG")) - workspace(settings, 1100, 1 - 1e-9).get(v.MU("MG"))
            expected = float(np.exp(difference / (float(v.R) * one.point.temperature)))
        assert one.before == pytest.approx(expected, rel=1e-6)


def test_that_espei_compares_a_grid_at_other_conditions_is_said(tmp_path: Path) -> None:
    settings = write(tmp_path, {"HM.json": all_kinds()["equilibrium.json"]})
    _, notes = compared(settings, best_of(stock(settings)))
    assert len(notes) == 1
    assert notes[0].startswith("HM of LIQUID (made up): with several temperatures and compositions")


def test_tags_and_disabled_datasets_count_as_in_the_fit(tmp_path: Path) -> None:
    datasets = copy.deepcopy(ENTHALPIES)
    datasets["LIQUID-HM_MIX.json"]["tags"] = ["off"]
    datasets["CUMG2-HM_FORM.json"]["tags"] = ["heavy"]
    settings = write(tmp_path, datasets, data_weights={"HM": 1.0})
    settings["system"]["tags"] = {"heavy": {"weight": 5.0}, "off": {"disabled": True}}
    found, _ = compared(settings, best_of(stock(settings)))
    assert {one.phase: one.deviation for one in found} == {
        "CUMG2": 100.0,
        "LAVES_C15": 500.0,
        "FCC_A1": 500.0,
    }


def test_a_database_that_the_fit_generates_is_generated_again(tmp_path: Path) -> None:
    settings = write_generating(tmp_path, EXAMPLE_DATA)
    found, notes = compared(settings, best_of(stock(settings)))
    assert notes == []
    assert len(found) == sum(
        np.size(data["values"]) for data in EXAMPLE_DATA.values() if data["output"] != "ZPF"
    )


def test_best_parameters_that_cannot_be_evaluated_leave_the_values_before(tmp_path: Path) -> None:
    settings = write(tmp_path, all_kinds())
    found, notes = compared(settings, dict.fromkeys(best_of(stock(settings)), float("nan")))
    assert np.isfinite([(one.before, one.deviation) for one in found]).all()
    assert np.isnan([(one.after, one.difference_after) for one in found]).all()
    assert "HM_MIX of LIQUID, after: " in " ".join(notes)


def test_a_value_that_espei_cannot_calculate_has_a_note(tmp_path: Path) -> None:
    broken = copy.deepcopy(EXAMPLE_DATA["LIQUID-ACR_MG.json"])
    broken["reference_state"]["phases"] = ["NO_SUCH_PHASE"]
    settings = write(tmp_path, {"ACR.json": broken} | ENTHALPIES)
    symbols = ["VV0000", "VV0001", "VV0002", "VV0003", "VV0004", "VV0005"]
    found, notes = compared(settings, dict.fromkeys(symbols, 1.0))
    assert {one.output for one in found if not np.isfinite(one.before)} == {"ACR_MG"}
    assert [note.split(":")[0] for note in notes] == ["ACR_MG of LIQUID, before", "ACR_MG of LIQUID, after"]


def test_files_of_an_input_elsewhere_are_found_beside_it(tmp_path: Path) -> None:
    run = made_run(tmp_path)
    (tmp_path / "start.tdb").write_text("")
    (tmp_path / "models.json").write_text("{}")
    (tmp_path / "data").mkdir()
    inputs = measured.inputs(samples.read(run.input_file))
    assert inputs.settings["mcmc"]["input_db"] == str(tmp_path / "start.tdb")
    assert inputs.settings["system"] == {
        "phase_models": str(tmp_path / "models.json"),
        "datasets": str(tmp_path / "data"),
    }
    assert list(inputs.best) == ["VV0000", "VV0001"]


def test_without_its_input_nothing_is_compared(tmp_path: Path) -> None:
    run = made_run(tmp_path)
    run.input_file.unlink()
    with pytest.raises(Unavailable, match="no longer next to the run directory"):
        measured.inputs(samples.read(run.directory))
