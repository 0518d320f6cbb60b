"""A mistake is told in the words of the user's files, not in those of Python."""

import copy
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from espei.espei_script import run_espei
from pycalphad import Database

from espei_hpc.errors import Refusal
from espei_hpc.inputs import check
from espei_hpc.likelihood import database_text
from unit.inputs.tiny_problem import ACTIVITY, MODELS, TIE_LINES, TinyProblem

Change = Callable[[TinyProblem], object]
BOM = "\ufeff"

WORDS: dict[str, tuple[Change, str]] = {
    "an exponent without a dot": (
        lambda t: t.mcmc.update(iterations="1e3"),
        "x.yaml: mcmc.iterations: must be of integer type; '1e3' is text in YAML, which has no number of "
        "this form: write 1000",
    ),
    "a number in quotes": (
        lambda t: t.mcmc.update(iterations="20"),
        "x.yaml: mcmc.iterations: must be of integer type; '20' is text in YAML",
    ),
    "a whole number with a dot": (
        lambda t: t.mcmc.update(iterations=20.0),
        "x.yaml: mcmc.iterations: must be a whole number; write 20, without a decimal point",
    ),
    "a fraction as text": (
        lambda t: t.mcmc.update(chain_std_deviation="1e-1"),
        "x.yaml: mcmc.chain_std_deviation: must be a number, not '1e-1'; '1e-1' is text in YAML, which has "
        "no number of this form: write 0.1",
    ),
    "a database with a byte-order mark": (
        lambda t: setattr(t, "database", BOM + t.database),
        "cannot read start.tdb: it begins with a byte-order mark (BOM): save it as UTF-8 without BOM",
    ),
    "a database with Ctrl-Z": (
        lambda t: setattr(t, "database", t.database + "\x1a"),
        "start.tdb: line 21 has a control character (Ctrl-Z, the end of a file in DOS): remove it",
    ),
    "a dataset with a byte-order mark": (
        lambda t: t.texts.update({"data/a.json": BOM + json.dumps(t.mixing)}),
        "data/a.json: line 1: not valid JSON: it begins with a byte-order mark (BOM)",
    ),
    "phase models with Ctrl-Z": (
        lambda t: t.texts.update({"models.json": json.dumps(t.models) + "\x1a"}),
        "models.json: line 1: not valid JSON: line 1 has a control character (Ctrl-Z",
    ),
    "XML as a database": (
        lambda t: (t.mcmc.update(input_db="s.xml"), t.texts.update({"s.xml": "<Database/>"})),
        "pycalphad has no reader for .xml, and took the file for TDB: convert it to TDB",
    ),
    "components in another case": (
        lambda t: t.models.update(components=["Cu", "Mg", "Va"]),
        "names that differ in upper and lower case, other names to ESPEI (CU and Cu, MG and Mg, VA and Va)",
    ),
    "a tie-line's phase in another case": (
        lambda t: t.datasets.update(
            {
                "z.json": TIE_LINES
                | {
                    "phases": ["LIQUID", "fcc_a1"],
                    "values": [[["LIQUID", ["MG"], [0.1]], ["fcc_a1", ["MG"], [0.02]]]],
                }
            }
        ),
        "has tie-lines with fcc_a1, not among the active phases FCC_A1, LIQUID; use the same upper",
    ),
    "an activity with a solver": (
        lambda t: t.datasets.update({"a.json": ACTIVITY | {"solver": t.mixing["solver"]}}),
        "remove the key solver, with which ESPEI takes the dataset for single-phase data, not ACR_MG",
    ),
    "a dataset as phase models": (
        lambda t: t.input["system"].update(phase_models="data/mixing.json"),
        "data/mixing.json: is a dataset, not phase models: it has output and values",
    ),
    "phase models among the datasets": (
        lambda t: t.texts.update({"data/models.json": json.dumps(MODELS)}),
        "data/models.json: the key 'output' is missing; these are phase models, not a dataset",
    ),
    "phases in a list": (
        lambda t: t.models.update(phases=["LIQUID"]),
        "models.json: phases: must be a mapping of keys to values",
    ),
    "a home directory": (
        lambda t: t.input["system"].update(datasets="~/data"),
        "~/data does not exist; ESPEI does not replace ~ and $NAME, as a shell does: write the whole path",
    ),
    "a variable": (
        lambda t: t.mcmc.update(input_db="$SCRATCH/start.tdb"),
        "$SCRATCH/start.tdb: no such file",
    ),
    "a variable in an output": (
        lambda t: t.output.update(output_db="${SCRATCH}/out.tdb"),
        "no such directory: ${SCRATCH}; ESPEI does not replace ~ and $NAME",
    ),
}


@pytest.mark.parametrize(("change", "expected"), WORDS.values(), ids=WORDS)
def test_a_mistake_is_told_in_the_users_words(tiny: TinyProblem, change: Change, expected: str) -> None:
    change(tiny)
    path = tiny.write()

    with pytest.raises(Refusal) as caught:
        check(path)

    assert [str(fault) for fault in caught.value.faults if expected in str(fault)], str(caught.value)
    assert len(caught.value.faults) == 1, str(caught.value)
    assert not _runs_in_stock(tiny)


def _runs_in_stock(tiny: TinyProblem) -> bool:
    try:
        _, sampler = run_espei(copy.deepcopy(tiny.input))
    except Exception:
        return False
    # Without any data the log-probability is 0.
    return bool(sampler.lnprobability.any())


BESIDE = {
    "a copy in an editor's directory": (".ipynb_checkpoints/mixing-checkpoint.json", "in several files"),
    "a copy": ("copy.json", "each of which counts: data/copy.json, data/mixing.json"),
    "an ending in capitals": ("A.JSON", "reads only files whose name ends in .json: data/A.JSON"),
    "a name with a dot at its end": ("Somebody V.N.", "ends in .json: data/Somebody V.N."),
}


@pytest.mark.parametrize(("name", "expected"), BESIDE.values(), ids=BESIDE)
def test_a_dataset_that_counts_twice_or_never_is_one_note(
    tiny: TinyProblem, name: str, expected: str
) -> None:
    (tiny.directory / "data" / name).parent.mkdir(parents=True)
    tiny.texts[f"data/{name}"] = json.dumps(tiny.mixing)

    (note,) = check(tiny.write()).notes

    assert expected in note


@pytest.mark.parametrize("name", ["a.json.disabled", "a.json~", ".a.json.swp", "README", "notes.txt"])
def test_files_that_nobody_takes_for_datasets_need_no_note(tiny: TinyProblem, name: str) -> None:
    tiny.texts[f"data/{name}"] = json.dumps(tiny.mixing) if "json" in name else "{ about"

    assert check(tiny.write()).notes == ()


USABLE: dict[str, tuple[Change, str]] = {
    "a phase that the database lacks": (
        lambda t: t.models["phases"].update(BETA_MN=t.models["phases"]["FCC_A1"]),
        "system.phase_models: not active: BETA_MN: not in the starting database",
    ),
    "a phase whose name is like that of another": (
        lambda t: t.models["phases"].update(FCC_A2=t.models["phases"]["FCC_A1"]),
        "system.phase_models: not active: FCC_A2: not in the starting database",
    ),
    "values that are not known below room temperature": (
        lambda t: t.mixing.update(
            conditions={"P": 101325, "T": [0, 1400]}, values=[[[float("nan")], [-9000]]]
        ),
        "ESPEI ignores values below 298.15 K in data/mixing.json",
    ),
    "a dataset's phase in another case": (
        lambda t: t.datasets.update({"f.json": t.mixing | {"phases": ["liquid"]}}),
        "1 with names that differ in upper and lower case, other names to ESPEI (liquid and LIQUID)",
    ),
}


@pytest.mark.parametrize(("change", "expected"), USABLE.values(), ids=USABLE)
def test_what_stock_runs_is_a_note(tiny: TinyProblem, change: Change, expected: str) -> None:
    change(tiny)

    (note,) = check(tiny.write(), evaluate=True).notes

    assert expected in note
    assert _runs_in_stock(tiny)


def test_an_unknown_mole_fraction_may_be_written_nan(tiny: TinyProblem) -> None:
    """ESPEI reads it as it reads null."""
    unknown = [["LIQUID", ["MG"], [0.1]], ["FCC_A1", ["MG"], [float("nan")]]]
    tiny.datasets["z.json"] = TIE_LINES | {"values": [unknown]}

    check(tiny.write(), evaluate=True)

    assert _runs_in_stock(tiny)


def test_a_phase_that_the_database_lacks_is_a_fault_if_data_need_it(tiny: TinyProblem) -> None:
    tiny.models["phases"]["BETA_MN"] = tiny.models["phases"]["FCC_A1"]
    tiny.datasets["b.json"] = tiny.mixing | {"phases": ["BETA_MN"]}
    path = tiny.write()

    with pytest.raises(Refusal, match="the starting database has no phase BETA_MN"):
        check(path)


@pytest.mark.parametrize(
    "name", ["s.tdb", "s.TDB", "s.tdb.txt", "COST507_v1.2", "COST507", "s.", ".tdb", "a b.Tdb"]
)
def test_a_worker_reads_a_database_as_pycalphad_reads_the_file(tiny: TinyProblem, name: str) -> None:
    tiny.mcmc["input_db"] = name
    tiny.texts[name] = tiny.database

    check(tiny.write(), evaluate=True)

    assert database_text(Path(name)).read() == Database(name)
