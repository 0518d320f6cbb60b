"""What passes the check runs in stock ESPEI, and comes with what a run needs to know."""

import copy
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from espei.espei_script import run_espei

from espei_hpc.inputs import check
from espei_hpc.inputs.fingerprint import fingerprint
from unit.inputs.tiny_problem import ACTIVITY, EQUILIBRIUM, TIE_LINES, TinyProblem

CU_MG = Path(__file__).parents[4] / "shared" / "cases" / "cu-mg"

Change = Callable[[TinyProblem], object]


def padded_trace(tiny: TinyProblem) -> None:
    """The trace of a fit that was stopped: what was not reached is 0."""
    trace = np.random.default_rng(1).normal((-35000, 5000), 500, (6, 4, 2))
    trace[:, 3:] = 0
    np.save(tiny.directory / "old.npy", trace)
    tiny.mcmc["restart_trace"] = "old.npy"


def as_json(tiny: TinyProblem) -> None:
    tiny.texts["x.json"] = json.dumps(tiny.input)


ACCEPTED: dict[str, Change] = {
    "as it is": lambda t: None,
    "all kinds of data": lambda t: t.datasets.update(
        {"z.json": TIE_LINES, "a.json": ACTIVITY, "e.json": EQUILIBRIUM}
    ),
    "one symbol of two": lambda t: t.mcmc.update(symbols=["VV0001"]),
    "a restart trace": padded_trace,
    "more chains": lambda t: t.mcmc.update(chains_per_parameter=4, chain_std_deviation=0.01),
    "priors": lambda t: t.mcmc.update(
        prior=[{"name": "normal", "loc_identity": 1, "scale_relative": 0.1}, {"name": "zero"}]
    ),
    "weights": lambda t: t.mcmc.update(data_weights={"HM": 5, "ZPF": 20.0}),
    "no arrays": lambda t: t.output.update(tracefile=None, probfile="None"),
    "an output over an earlier database": lambda t: t.texts.update({"out.tdb": "old"}),
    "a disabled dataset": lambda t: t.datasets.update({"d.json": {"disabled": True}}),
    "a logfile": lambda t: t.output.update(logfile="fit.log", verbosity=3),
    "generation": lambda t: t.generate(mcmc=False),
    "generation and MCMC": lambda t: t.generate(mcmc=True),
}


@pytest.mark.parametrize("change", ACCEPTED.values(), ids=ACCEPTED)
def test_what_is_accepted_runs_in_stock_espei(tiny: TinyProblem, change: Change) -> None:
    change(tiny)

    problem = check(tiny.write())

    result = run_espei(copy.deepcopy(problem.settings))
    assert problem.output_db.stat().st_size > 100
    if problem.samples:
        sampler = result[1]
        assert problem.walkers in (None, sampler.chain.shape[0])
        assert len(problem.symbols) in (0, sampler.chain.shape[2])
        assert problem.iterations == sampler.chain.shape[1]
        assert np.isfinite(sampler.lnprobability).all()
        assert sampler.lnprobability.any()
    for array in (problem.trace, problem.lnprob):
        assert array is None or array.exists()


def test_the_problem_tells_what_will_run(tiny: TinyProblem) -> None:
    tiny.mcmc.update(iterations=7, chains_per_parameter=6)

    problem = check(tiny.write())

    assert (problem.samples, problem.generates) == (True, False)
    assert problem.symbols == ("VV0000", "VV0001")
    assert (problem.walkers, problem.iterations) == (12, 7)
    assert (problem.trace, problem.lnprob) == (Path("trace.npy"), Path("lnprob.npy"))
    assert problem.output_db == Path("out.tdb")


def test_a_restart_trace_sets_the_number_of_walkers(tiny: TinyProblem) -> None:
    padded_trace(tiny)

    assert check(tiny.write()).walkers == 6


def test_json_and_yaml_inputs_are_the_same_problem(tiny: TinyProblem) -> None:
    as_json(tiny)
    tiny.write()

    assert check("x.json").settings == check("x.yaml").settings


def test_a_check_changes_and_prints_nothing(tiny: TinyProblem, capfd: pytest.CaptureFixture[str]) -> None:
    tiny.output.update(logfile="fit.log")
    path = tiny.write()
    before = {file: file.stat() for file in sorted(tiny.directory.rglob("*"))}

    check(path)

    after = {file: file.stat() for file in sorted(tiny.directory.rglob("*"))}
    assert [(f, s.st_mtime_ns, s.st_size) for f, s in after.items()] == [
        (f, s.st_mtime_ns, s.st_size) for f, s in before.items()
    ]
    assert capfd.readouterr() == ("", "")


NOTED: dict[str, tuple[Change, str]] = {
    "Dask on this machine": (lambda t: t.mcmc.update(scheduler="dask"), "mcmc.scheduler: dask is ignored"),
    "another cluster": (
        lambda t: t.mcmc.update(scheduler="my.json"),
        "mcmc.scheduler: only run-fit uses my.json",
    ),
    "cores": (lambda t: t.mcmc.update(cores=4), "mcmc.cores: 4 is ignored"),
    "a start at 0": (
        lambda t: setattr(t, "database", t.database.replace("298.15 5000;", "298.15 0;")),
        "mcmc.symbols: VV0001 will stay 0",
    ),
    "data beyond the system": (
        lambda t: t.datasets.update(
            {"b.json": t.mixing | {"components": ["CU", "MG", "VA", "ZN"], "phases": ["LIQUID"]}}
        ),
        "data/b.json",
    ),
    "data of an inactive phase": (
        lambda t: t.datasets.update({"b.json": t.mixing | {"phases": ["BCC_A2"]}}),
        "ESPEI ignores 1 of 2 datasets: 1 with phases that are not active (data/b.json)",
    ),
    "a phase that cannot take part": (
        lambda t: (t.models.update(components=["CU", "MG"]), t.mixing.update(components=["CU", "MG"])),
        "system.phase_models: not active: FCC_A1: the components in models.json do not include VA",
    ),
    "a symbol without use": (
        lambda t: setattr(t, "database", t.database.replace("298.15 VV0001;", "298.15 5000;")),
        "mcmc.symbols: no active phase uses VV0001",
    ),
    "a restart": (padded_trace, "mcmc.restart_trace: ESPEI restarts its random numbers"),
    "a tag of no dataset": (
        lambda t: t.input["system"].update(tags={"dft": {"weight": 2}}),
        "no dataset has the tag dft",
    ),
}


@pytest.mark.parametrize(("change", "expected"), NOTED.values(), ids=NOTED)
def test_what_is_overridden_or_left_out_is_one_note(tiny: TinyProblem, change: Change, expected: str) -> None:
    change(tiny)
    if expected == "data/b.json":  # ESPEI's checker wants every component used somewhere
        tiny.datasets["b.json"]["solver"] = tiny.mixing["solver"] | {
            "sublattice_configurations": [[["CU", "MG", "ZN"]]],
            "sublattice_occupancies": [[[0.4, 0.4, 0.2]]],
        }

    notes = check(tiny.write()).notes

    assert len(notes) == 1, notes
    assert expected in notes[0]


def test_a_valid_problem_needs_no_note(tiny: TinyProblem) -> None:
    assert check(tiny.write()).notes == ()


DESCRIPTION = """
from espei.parameter_selection.fitting_descriptions import ModelFittingDescription
from espei.parameter_selection.fitting_steps import AbstractLinearPropertyStep


class StepC11(AbstractLinearPropertyStep):
    data_types_read = parameter_name = "C11"


description = ModelFittingDescription([StepC11])
"""


def test_data_of_a_fitting_description_of_the_users_are_not_said_to_be_ignored(
    tiny: TinyProblem, monkeypatch: pytest.MonkeyPatch
) -> None:
    # ESPEI looks in ".", which another test of this process may have found elsewhere.
    monkeypatch.delitem(sys.path_importer_cache, ".", raising=False)
    Path("fitting_of_ada.py").write_text(DESCRIPTION)
    tiny.datasets["b.json"] = tiny.mixing | {"output": "C11", "values": [[[170.0]]]}
    tiny.generate(mcmc=False)
    assert "ignores 1 of 2 datasets" in str(check(tiny.write()).notes)
    tiny.input["generate_parameters"]["fitting_description"] = "fitting_of_ada.description"
    problem = check(tiny.write())
    assert problem.notes == ()
    assert "user code fitting_of_ada.py" in fingerprint(problem)


@pytest.mark.parametrize("start", ["mcmc", "generate"])
def test_cu_mg_passes_within_seconds(start: str, tiny: TinyProblem) -> None:
    if not CU_MG.is_dir():
        print("left out: no ../shared/cases/cu-mg beside this checkout")
        return
    tiny.input["system"] = {
        "phase_models": str(CU_MG / "phase_models.json"),
        "datasets": str(CU_MG / "input-data"),
    }
    tiny.mcmc["input_db"] = str(CU_MG / "cu-mg_dft.tdb")
    if start == "generate":
        tiny.generate(mcmc=True)
    path = tiny.write()
    begin = time.process_time()

    problem = check(path)

    assert time.process_time() - begin < 5
    assert problem.walkers == (30 if start == "mcmc" else None)
    assert len(problem.notes) == 1, problem.notes
    assert "ignores 2 of 29 datasets" in problem.notes[0]
