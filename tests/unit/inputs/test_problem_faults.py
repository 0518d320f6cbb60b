"""Each mistake in an input is told in one line that names the file and the key."""

import json
from collections.abc import Callable

import numpy as np
import pytest

from espei_hpc.errors import Refusal
from espei_hpc.exit_codes import ExitCode
from espei_hpc.inputs import check
from unit.inputs.tiny_problem import ACTIVITY, TIE_LINES, TinyProblem

Change = Callable[[TinyProblem], object]


def refusal(tiny: TinyProblem) -> Refusal:
    path = tiny.write()
    with pytest.raises(Refusal) as caught:
        check(path)
    return caught.value


def trace(values: object) -> Change:
    def write(tiny: TinyProblem) -> None:
        np.save(tiny.directory / "old.npy", np.asarray(values))
        tiny.mcmc["restart_trace"] = "old.npy"

    return write


SAMPLES = np.arange(1.0, 4 * 3 * 2 + 1).reshape(4, 3, 2)
"""Four walkers, three iterations, two parameters."""


def one_zero() -> np.ndarray:
    samples = SAMPLES.copy()
    samples[1, 0, 0] = 0
    return samples


def not_finite() -> np.ndarray:
    samples = SAMPLES.copy()
    samples[1, 0, 0] = np.nan
    return samples


def latin_models(tiny: TinyProblem) -> None:
    (tiny.directory / "latin.json").write_bytes('{\n"é": 1}'.encode("latin-1"))
    tiny.input["system"]["phase_models"] = "latin.json"


SETTINGS: dict[str, tuple[Change, str]] = {
    "a key nearly right": (
        lambda t: t.mcmc.update(iteration=3),
        "x.yaml: mcmc.iteration: no such setting; did you mean iterations?",
    ),
    "a key in the wrong section": (
        lambda t: t.input.update(iterations=3),
        "x.yaml: iterations: no such setting; it belongs under mcmc",
    ),
    "a key of no section": (
        lambda t: t.output.update(colour="red"),
        "x.yaml: output.colour: no such setting; known settings:",
    ),
    "a key that is a number": (lambda t: t.input.update({3: 4}), "x.yaml: 3: no such setting"),
    "no system": (lambda t: t.input.pop("system"), "x.yaml: system: is missing"),
    "nothing to run": (lambda t: t.input.pop("mcmc"), "x.yaml: mcmc: nothing to run"),
    "a section without keys": (
        lambda t: t.input.update(mcmc=None),
        "x.yaml: mcmc: must be a mapping of keys to values",
    ),
    "a section that is a list": (
        lambda t: t.input.update(output=[1]),
        "x.yaml: output: must be a mapping of keys to values",
    ),
    "a missing key": (lambda t: t.mcmc.pop("iterations"), "x.yaml: mcmc.iterations: is missing"),
    "a word for a number": (
        lambda t: t.mcmc.update(iterations="ten"),
        "x.yaml: mcmc.iterations: must be of integer type",
    ),
    "odd chains": (
        lambda t: t.mcmc.update(chains_per_parameter=3),
        "x.yaml: mcmc.chains_per_parameter: must be an even",
    ),
    "no start": (
        lambda t: t.mcmc.pop("input_db"),
        "x.yaml: mcmc: the starting values must come from exactly one source",
    ),
    "two starts": (
        lambda t: t.input.update(generate_parameters={"excess_model": "linear", "ref_state": "SGTE91"}),
        "x.yaml: mcmc: the starting values must come from exactly one source",
    ),
    "a wrong ending": (
        lambda t: t.input["system"].update(phase_models="models"),
        "must be the name of a file ending in .json",
    ),
    "a scheduler that is no file": (
        lambda t: t.mcmc.update(scheduler="slurm"),
        "x.yaml: mcmc.scheduler: must be dask, null",
    ),
}

MODELS: dict[str, tuple[Change, str]] = {
    "no file": (lambda t: t.input["system"].update(phase_models="m.json"), "m.json: no such file"),
    "not JSON": (
        lambda t: t.texts.update({"models.json": '{\n"components": ,}'}),
        "models.json: line 2: not valid JSON",
    ),
    "not UTF-8": (latin_models, "latin.json: line 2: the file is not UTF-8 text"),
    "not a mapping": (
        lambda t: t.texts.update({"models.json": "[]"}),
        "models.json: must be a mapping of components and phases, not a list",
    ),
    "a key twice": (
        lambda t: t.texts.update({"models.json": json.dumps(t.models)[:-1] + ', "components": ["CU"]}'}),
        "models.json: duplicate key components",
    ),
    "no components": (lambda t: t.models.pop("components"), "models.json: components: is missing"),
    "no phases": (lambda t: t.models.update(phases={}), "models.json: phases: is empty"),
    "no site ratios": (
        lambda t: t.models["phases"]["LIQUID"].pop("sublattice_site_ratios"),
        "models.json: phases.LIQUID.sublattice_site_ratios: is missing",
    ),
    "a site ratio below 0": (
        lambda t: t.models["phases"]["LIQUID"].update(sublattice_site_ratios=[-1]),
        "models.json: phases.LIQUID.sublattice_site_ratios.0: must be greater than 0",
    ),
    "too many site ratios": (
        lambda t: t.models["phases"]["LIQUID"].update(sublattice_site_ratios=[1, 2]),
        "models.json: phases.LIQUID: sublattice_model has 1 sublattices, sublattice_site_ratios 2",
    ),
    "an empty sublattice": (
        lambda t: t.models["phases"]["LIQUID"].update(sublattice_model=[[]]),
        "models.json: phases.LIQUID.sublattice_model: a sublattice is empty",
    ),
    "a model nobody has": (
        lambda t: t.models["phases"]["LIQUID"].update(model="my_models.Liquid"),
        "models.json: phases.LIQUID.model: invalid python path: No module named 'my_models'",
    ),
    "an alias of two phases": (
        lambda t: [phase.update(aliases=["L"]) for phase in t.models["phases"].values()],
        "models.json: phases: Cannot add L as an alias",
    ),
    "a phase the database lacks": (
        lambda t: t.models["phases"].update(Liquid=t.models["phases"].pop("LIQUID")),
        "database has no phase Liquid, which models.json names: it has FCC_A1, LIQUID; did you mean LIQUID?",
    ),
}

DATASETS: dict[str, tuple[Change, str]] = {
    "no directory": (
        lambda t: t.input["system"].update(datasets="dta"),
        "x.yaml: system.datasets: dta does not exist",
    ),
    "a file": (
        lambda t: t.input["system"].update(datasets="x.yaml"),
        "system.datasets: x.yaml is a file, not a directory",
    ),
    "an empty directory": (
        lambda t: t.datasets.pop("mixing.json"),
        "x.yaml: system.datasets: no datasets in data",
    ),
    "all disabled": (
        lambda t: t.mixing.update(disabled=True),
        "all 1 datasets in data are disabled",
    ),
    "all disabled by a tag": (
        lambda t: (t.mixing.update(tags=["old"]), t.input["system"].update(tags={"old": {"disabled": True}})),
        "all 1 datasets in data are disabled",
    ),
    "not JSON": (
        lambda t: t.texts.update({"data/a.json": '{"a": 1,\n\n"b"}'}),
        "data/a.json: line 3: not valid JSON",
    ),
    "not a mapping": (
        lambda t: t.texts.update({"data/a.json": "[1]"}),
        "data/a.json: must be a mapping of keys to values, not a list",
    ),
    "a missing key": (
        lambda t: t.mixing.pop("conditions"),
        "data/mixing.json: the key 'conditions' is missing",
    ),
    "a wrong shape": (lambda t: t.mixing.update(values=[[[1, 2]]]), "data/mixing.json: Shape of conditions"),
    "not a number": (
        lambda t: t.mixing.update(values=[[["x"]]]),
        "data/mixing.json: could not convert string",
    ),
    "NaN": (
        lambda t: t.mixing.update(values=[[[float("nan")]]]),
        "data/mixing.json: values have a number that is not",
    ),
    "a weight of 0": (lambda t: t.mixing.update(weight=0), "data/mixing.json: weight must be above 0"),
    "an activity without its source": (
        lambda t: t.datasets.update({"a.json": {k: v for k, v in ACTIVITY.items() if k != "reference"}}),
        "data/a.json: the key 'reference' is missing",
    ),
    "a tie-line with an unknown phase": (
        lambda t: t.datasets.update(
            {
                "z.json": TIE_LINES
                | {
                    "values": [
                        [["LIQUID", ["MG"], [0.1]], ["FCC_A1", ["MG"], [0.02]], ["BCC", ["MG"], [0.5]]]
                    ]
                }
            }
        ),
        "data/z.json: has tie-lines with BCC, not among the active phases FCC_A1, LIQUID",
    ),
    "a tie-line without its source": (
        lambda t: t.datasets.update({"z.json": {k: v for k, v in TIE_LINES.items() if k != "reference"}}),
        "data/z.json: the key 'reference' is missing",
    ),
    "a form that only the likelihood needs": (
        lambda t: t.datasets.update({"z.json": TIE_LINES | {"values": [[["LIQUID", ["MG"], [0.1], 1, 2]]]}}),
        "data/z.json: ",
    ),
    "a reference phase the database lacks": (
        lambda t: t.datasets.update({"f.json": t.mixing | {"output": "HM_FORM"}}),
        "data/f.json: HM_FORM needs HCP_A3, the reference phase of MG, which the starting database does not",
    ),
    "a tag that is no mapping": (
        lambda t: (t.mixing.update(tags=["old"]), t.input["system"].update(tags={"old": 1})),
        "x.yaml: system.tags.old: must be a mapping: the keys to set",
    ),
}

DATABASE: dict[str, tuple[Change, str]] = {
    "no file": (lambda t: t.mcmc.update(input_db="s.tdb"), "x.yaml: mcmc.input_db: s.tdb: no such file"),
    "not a database": (
        lambda t: t.texts.update({"start.tdb": "hello"}),
        "x.yaml: mcmc.input_db: pycalphad cannot read start.tdb",
    ),
    "empty": (lambda t: t.texts.update({"start.tdb": ""}), "x.yaml: mcmc.input_db: start.tdb has no phase"),
    "a syntax error": (
        lambda t: setattr(t, "database", t.database.replace("CU,MG;1)", "CU,MG;1")),
        "x.yaml: mcmc.input_db: pycalphad cannot read start.tdb: Invalid TDB syntax.",
    ),
    "nothing to fit": (
        lambda t: setattr(t, "database", t.database.replace("VV000", "QQ000")),
        "x.yaml: mcmc.input_db: start.tdb has nothing to fit",
    ),
    "an undefined symbol": (
        lambda t: setattr(t, "database", t.database.replace("FUNCTION VV0001", "$")),
        "x.yaml: mcmc.input_db: start.tdb uses VV0001 without defining it",
    ),
    "an unknown symbol": (
        lambda t: t.mcmc.update(symbols=["VV0000", "vv0001"]),
        "x.yaml: mcmc.symbols: start.tdb has no symbol vv0001; did you mean VV0001?",
    ),
    "a symbol twice": (
        lambda t: t.mcmc.update(symbols=["VV0000", "VV0000"]),
        "mcmc.symbols: VV0000 is listed twice",
    ),
    "no symbol": (lambda t: t.mcmc.update(symbols=[]), "x.yaml: mcmc.symbols: is empty"),
    "a symbol that is a function": (
        lambda t: t.mcmc.update(symbols=["GHSERCU"]),
        "x.yaml: mcmc.symbols: GHSERCU in start.tdb is not a plain number",
    ),
}

SAMPLING: dict[str, tuple[Change, str]] = {
    "no iteration": (lambda t: t.mcmc.update(iterations=0), "x.yaml: mcmc.iterations: 0 is too few"),
    "one iteration": (lambda t: t.mcmc.update(iterations=1), "x.yaml: mcmc.iterations: 1 is too few"),
    "no spread": (
        lambda t: t.mcmc.update(chain_std_deviation=0),
        "mcmc.chain_std_deviation: 0 starts all walkers",
    ),
    "a spread in words": (
        lambda t: t.mcmc.update(chain_std_deviation="wide"),
        "mcmc.chain_std_deviation: must be a number",
    ),
    "a weight of nothing known": (
        lambda t: t.mcmc.update(data_weights={"HMM": 2}),
        "x.yaml: mcmc.data_weights.HMM: unknown data type",
    ),
    "a weight of 0": (
        lambda t: t.mcmc.update(data_weights={"HM": 0}),
        "mcmc.data_weights.HM: must be a number above 0",
    ),
    "a weight in words": (
        lambda t: t.mcmc.update(data_weights={"HM": "a"}),
        "mcmc.data_weights.HM: must be a number above 0",
    ),
    "a prior without a name": (
        lambda t: t.mcmc.update(prior={"scale": 1}),
        "x.yaml: mcmc.prior: None is not a prior; use one with the name normal",
    ),
    "an unknown prior": (
        lambda t: t.mcmc.update(prior={"name": "flat"}),
        "x.yaml: mcmc.prior: 'flat' is not a prior",
    ),
    "a prior's unknown parameter": (
        lambda t: t.mcmc.update(prior={"name": "normal", "width": 1}),
        "x.yaml: mcmc.prior: ESPEI cannot build the prior",
    ),
    "too few priors": (
        lambda t: t.mcmc.update(prior=[{"name": "zero"}]),
        "x.yaml: mcmc.prior: lists 1 prior for 2 symbols",
    ),
    "a prior in words": (
        lambda t: t.mcmc.update(prior=["zero", "zero"]),
        "x.yaml: mcmc.prior: 'zero' is not a prior",
    ),
    "a prior beside the start": (
        lambda t: t.mcmc.update(
            prior=[{"name": "uniform", "loc_relative": 3.0, "scale_relative": 0.1}, {"name": "zero"}]
        ),
        "x.yaml: mcmc.prior: has zero probability at the starting value -35000 of VV0000",
    ),
    "no restart trace": (
        lambda t: t.mcmc.update(restart_trace="old.npy"),
        "mcmc.restart_trace: old.npy does not exist",
    ),
    "a restart trace and chains": (
        lambda t: (trace(SAMPLES)(t), t.mcmc.update(chains_per_parameter=2)),
        "x.yaml: mcmc.chains_per_parameter: 'restart_trace' must not be present",
    ),
    "a restart trace that is text": (
        lambda t: (t.mcmc.update(restart_trace="old.npy"), t.texts.update({"old.npy": "text"})),
        "x.yaml: mcmc.restart_trace: old.npy is not an array that NumPy can read",
    ),
    "a flat restart trace": (
        trace(SAMPLES[0]),
        "mcmc.restart_trace: old.npy must hold numbers in three dimensions",
    ),
    "a restart trace of words": (
        trace([[["a"]]]),
        "mcmc.restart_trace: old.npy must hold numbers in three dimensions",
    ),
    "a restart trace of another fit": (
        trace(SAMPLES[:, :, :1]),
        "old.npy has 1 parameter for 2 symbols",
    ),
    "a restart trace with odd walkers": (trace(np.ones((5, 3, 2))), "old.npy has 5 walkers"),
    "a restart trace with few walkers": (trace(SAMPLES[:2]), "old.npy has 2 walkers"),
    "a restart trace of no iteration": (trace(SAMPLES[:, :0]), "old.npy has no samples"),
    "a restart trace never begun": (trace(0 * SAMPLES), "old.npy has only zeros"),
    "a restart trace with NaN": (trace(not_finite()), "old.npy has values that are not finite"),
    "a restart trace with a parameter of 0": (
        trace(one_zero()),
        "old.npy has samples with a parameter of exactly 0",
    ),
}

GENERATION: dict[str, tuple[Change, str]] = {
    "an unknown reference state": (
        lambda t: t.generate(mcmc=True).update(ref_state="SGTE19"),
        "x.yaml: generate_parameters.ref_state: ESPEI has no reference state SGTE19",
    ),
    "an element without data": (
        lambda t: (t.generate(mcmc=True), t.models["components"].append("XX")),
        "x.yaml: generate_parameters.ref_state: SGTE91 has no data for XX",
    ),
    "a start with an electron gas": (
        lambda t: t.generate(mcmc=True).update(input_db="start.tdb"),
        "x.yaml: generate_parameters.ref_state: SGTE91 has no data for /-",
    ),
    "an unknown description": (
        lambda t: t.generate(mcmc=True).update(fitting_description="mine.own"),
        "x.yaml: generate_parameters.fitting_description: cannot import mine.own",
    ),
    "data that make no parameter": (
        lambda t: (
            t.generate(mcmc=True),
            t.datasets.pop("mixing.json"),
            t.datasets.update({"z.json": TIE_LINES}),
        ),
        "x.yaml: generate_parameters: data has no single-phase data",
    ),
}

OUTPUTS: dict[str, tuple[Change, str]] = {
    "two outputs in one": (
        lambda t: t.output.update(probfile="trace.npy"),
        "output.probfile: trace.npy is also written as",
    ),
    "an output over an input": (
        lambda t: t.output.update(output_db="./start.tdb"),
        "x.yaml: output.output_db: start.tdb is also read as mcmc.input_db",
    ),
    "a log over a dataset": (
        lambda t: t.output.update(logfile="data/mixing.json"),
        "x.yaml: output.logfile: data/mixing.json is also read as system.datasets",
    ),
    "a database of no known kind": (
        lambda t: t.output.update(output_db="out.txt"),
        "x.yaml: output.output_db: cannot write out.txt as a database",
    ),
}

BAD_INPUTS = {
    f"{part}: {name}": case
    for part, cases in {
        "settings": SETTINGS,
        "models": MODELS,
        "datasets": DATASETS,
        "database": DATABASE,
        "sampling": SAMPLING,
        "generation": GENERATION,
        "outputs": OUTPUTS,
    }.items()
    for name, case in cases.items()
}

UNWRITABLE: dict[str, tuple[Change, str]] = {
    "no directory": (
        lambda t: t.output.update(output_db="no/out.tdb"),
        "x.yaml: output.output_db: no/out.tdb: no such directory: no",
    ),
    "a directory": (lambda t: t.output.update(logfile="data"), "x.yaml: output.logfile: data is a directory"),
    "a trace of an earlier fit": (
        lambda t: t.texts.update({"trace.npy": ""}),
        "x.yaml: output.tracefile: trace.npy exists and was not written by this fit; not overwritten",
    ),
    "a place without files": (
        lambda t: t.output.update(tracefile="/proc/t.npy"),
        "x.yaml: output.tracefile: cannot write /proc/t.npy",
    ),
    "a name too long": (lambda t: t.output.update(logfile="x" * 300), "the name is too long"),
    "no room": (
        lambda t: t.mcmc.update(iterations=10**15),
        "x.yaml: output.tracefile: the samples need 2.88e+05 TB",
    ),
}


@pytest.mark.parametrize(("change", "expected"), BAD_INPUTS.values(), ids=BAD_INPUTS)
def test_a_mistake_in_the_input_is_one_line_and_exit_code_65(
    tiny: TinyProblem, change: Change, expected: str
) -> None:
    change(tiny)

    refused = refusal(tiny)

    assert [str(fault) for fault in refused.faults if expected in str(fault)], str(refused)
    assert len(refused.faults) == 1, str(refused)
    assert refused.code == ExitCode.BAD_INPUT


@pytest.mark.parametrize(("change", "expected"), UNWRITABLE.values(), ids=UNWRITABLE)
def test_an_output_that_cannot_be_written_is_one_line_and_exit_code_73(
    tiny: TinyProblem, change: Change, expected: str
) -> None:
    change(tiny)

    refused = refusal(tiny)

    assert [str(fault) for fault in refused.faults if expected in str(fault)], str(refused)
    assert len(refused.faults) == 1, str(refused)
    assert refused.code == ExitCode.CANNOT_CREATE


def test_all_mistakes_are_told_in_one_go(tiny: TinyProblem) -> None:
    tiny.models["phases"]["LIQUID"]["sublattice_site_ratios"] = [1, 2]
    tiny.mixing.pop("conditions")
    tiny.database = "hello"
    tiny.mcmc.update(iterations=1, iteration=2, chains_per_parameter=3, data_weights={"HMM": 1})
    tiny.output.update(output_db="no/out.tdb", logfile="x.yaml")

    refused = refusal(tiny)

    wheres = {fault.where for fault in refused.faults}
    assert wheres == {
        "models.json: phases.LIQUID",
        "data/mixing.json",
        "x.yaml: mcmc.input_db",
        "x.yaml: mcmc.iterations",
        "x.yaml: mcmc.iteration",
        "x.yaml: mcmc.chains_per_parameter",
        "x.yaml: mcmc.data_weights.HMM",
        "x.yaml: output.output_db",
        "x.yaml: output.logfile",
    }
    assert refused.code == ExitCode.BAD_INPUT


def test_a_refusal_leaves_nothing_behind(tiny: TinyProblem) -> None:
    tiny.mcmc["iterations"] = 1
    tiny.write()
    before = sorted(tiny.directory.rglob("*"))

    refusal(tiny)

    assert sorted(tiny.directory.rglob("*")) == before
