"""Faults are told all at once: a file that cannot be used hides none of what can be judged without it."""

import json

import numpy as np
import pytest

from espei_hpc.errors import Refusal
from espei_hpc.inputs import check
from unit.inputs.tiny_problem import TIE_LINES, TinyProblem

NOT_JSON = '{"a": 1,\n"b"}'
BOTH = TIE_LINES["values"][0]
UNKNOWN_PHASE = TIE_LINES | {"values": [[*BOTH, ["BCC", ["MG"], [0.5]]]]}


def refusal(tiny: TinyProblem) -> Refusal:
    path = tiny.write()
    with pytest.raises(Refusal) as caught:
        check(path)
    return caught.value


def told(tiny: TinyProblem) -> list[str]:
    """Where the faults are, in the order of the alphabet."""
    return sorted(fault.where for fault in refusal(tiny).faults)


def test_a_dataset_that_is_no_json_hides_no_fault_of_the_other_datasets(tiny: TinyProblem) -> None:
    tiny.texts["data/a.json"] = NOT_JSON
    tiny.datasets["b.json"] = {key: value for key, value in TIE_LINES.items() if key != "conditions"}
    tiny.datasets["c.json"] = UNKNOWN_PHASE
    tiny.datasets["d.json"] = tiny.mixing | {"output": "HM_FORM"}

    assert told(tiny) == ["data/a.json: line 2", "data/b.json", "data/c.json", "data/d.json"]


def test_the_only_dataset_that_loads_is_blamed_if_the_likelihood_cannot_be_prepared_with_it(
    tiny: TinyProblem,
) -> None:
    tiny.texts["data/a.json"] = NOT_JSON
    tiny.mixing["output"] = "HM_FORM"

    assert told(tiny) == ["data/a.json: line 2", "data/mixing.json"]


def test_what_espei_leaves_out_is_told_below_the_faults(tiny: TinyProblem) -> None:
    tiny.texts["data/a.json"] = NOT_JSON
    tiny.datasets["b.json"] = tiny.mixing | {"output": "VM"}

    assert any("ESPEI ignores 1 of 2 datasets" in line for line in refusal(tiny).details)


def test_phase_models_that_are_no_json_hide_no_fault_of_datasets_symbols_and_sampling(
    tiny: TinyProblem,
) -> None:
    tiny.texts["models.json"] = NOT_JSON
    tiny.mixing.pop("conditions")
    tiny.datasets["c.json"] = UNKNOWN_PHASE
    tiny.mcmc.update(symbols=["VV0000", "VV0009"], iterations=1)

    assert told(tiny) == [
        "data/c.json",
        "data/mixing.json",
        "models.json: line 2",
        "x.yaml: mcmc.iterations",
        "x.yaml: mcmc.symbols",
    ]


def test_phase_models_that_are_no_json_hide_no_fault_of_the_reference_state(tiny: TinyProblem) -> None:
    tiny.texts["models.json"] = NOT_JSON
    tiny.generate(mcmc=True).update(ref_state="SGTE19")

    assert told(tiny) == ["models.json: line 2", "x.yaml: generate_parameters.ref_state"]


def test_a_faulty_phase_hides_no_fault_of_the_other_phases(tiny: TinyProblem) -> None:
    phases = tiny.models["phases"]
    phases["LIQUID"].pop("sublattice_site_ratios")
    phases["FCC_A1"]["sublattice_site_ratios"] = [1]
    tiny.datasets["b.json"] = tiny.mixing | {"phases": ["BCC"]}
    phases["BCC"] = {"sublattice_model": [["CU"]], "sublattice_site_ratios": [1]}

    assert told(tiny) == [
        "models.json: phases.FCC_A1",
        "models.json: phases.LIQUID.sublattice_site_ratios",
        "x.yaml: system.phase_models",
    ]


def test_a_faulty_phase_hides_no_fault_of_datasets_and_database(tiny: TinyProblem) -> None:
    tiny.models["phases"]["LIQUID"].pop("sublattice_site_ratios")
    tiny.datasets["c.json"] = UNKNOWN_PHASE
    tiny.datasets["d.json"] = tiny.mixing | {"output": "HM_FORM"}
    tiny.database = tiny.database.replace("FUNCTION VV0001", "$")

    assert told(tiny) == [
        "data/c.json",
        "data/d.json",
        "models.json: phases.LIQUID.sublattice_site_ratios",
        "x.yaml: mcmc.input_db",
    ]


def test_a_faulty_phase_hides_no_element_without_reference_data(tiny: TinyProblem) -> None:
    tiny.generate(mcmc=True)
    tiny.models["components"].append("XX")
    tiny.models["phases"]["LIQUID"].pop("sublattice_site_ratios")

    assert told(tiny) == [
        "models.json: phases.LIQUID.sublattice_site_ratios",
        "x.yaml: generate_parameters.ref_state",
    ]


def test_a_key_given_twice_in_the_phase_models_hides_no_fault_of_a_dataset(tiny: TinyProblem) -> None:
    tiny.texts["models.json"] = json.dumps(tiny.models)[:-1] + ', "phases": {}}'
    tiny.datasets["c.json"] = UNKNOWN_PHASE

    assert told(tiny) == ["data/c.json", "models.json"]


def test_an_unreadable_database_hides_no_fault_of_the_symbols_that_are_asked_for(tiny: TinyProblem) -> None:
    tiny.database = "hello"
    tiny.mcmc["symbols"] = ["VV0000", "VV0000"]

    assert told(tiny) == ["x.yaml: mcmc.input_db", "x.yaml: mcmc.symbols"]


def test_an_unreadable_database_hides_no_fault_of_what_goes_by_the_number_of_symbols(
    tiny: TinyProblem,
) -> None:
    np.save(tiny.directory / "old.npy", np.ones((4, 3, 1)))
    tiny.database = "hello"
    tiny.mcmc.update(symbols=["VV0000", "VV0001"], prior=[{"name": "zero"}], restart_trace="old.npy")

    assert told(tiny) == ["x.yaml: mcmc.input_db", "x.yaml: mcmc.prior", "x.yaml: mcmc.restart_trace"]


def test_an_unreadable_database_hides_no_fault_of_the_prior(tiny: TinyProblem) -> None:
    tiny.database = "hello"
    tiny.mcmc["prior"] = {"name": "normal", "width": 1}

    assert told(tiny) == ["x.yaml: mcmc.input_db", "x.yaml: mcmc.prior"]


def test_an_unreadable_database_hides_no_lack_of_room(tiny: TinyProblem) -> None:
    tiny.database = "hello"
    tiny.mcmc.update(symbols=["VV0000", "VV0001"], iterations=10**15)

    assert told(tiny) == ["x.yaml: mcmc.input_db", "x.yaml: output.tracefile"]


def test_an_unknown_setting_hides_no_lack_of_room(tiny: TinyProblem) -> None:
    tiny.mcmc["iterations"] = 10**15
    tiny.input["colour"] = "red"

    assert told(tiny) == ["x.yaml: colour", "x.yaml: output.tracefile"]


def test_a_key_given_twice_in_the_input_hides_no_other_fault(tiny: TinyProblem) -> None:
    tiny.mixing.pop("conditions")
    tiny.write()
    text = (tiny.directory / "x.yaml").read_text()
    tiny.texts["x.yaml"] = text + text.partition("system:")[1] + text.partition("system:")[2]

    assert told(tiny) == ["data/mixing.json", "x.yaml"]
