"""Faults of the input (rows 21, 23 and 24 of the fault table): told before anything starts."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from support import Commands, Result
from unit.inputs.tiny_problem import TinyProblem

BAD_INPUT, CANNOT_CREATE = 65, 73
CHECK = ("espei-hpc", "check")
ESPEI_MPI = ("espei-mpi", "-n", "3")

Change = Callable[[TinyProblem], object]

# Root writes through permission bits; a read-only mount stops anybody.
ON_READ_ONLY_MOUNT = (
    "unshare",
    *(() if os.geteuid() == 0 else ("--user", "--map-root-user")),
    *("--mount", "sh", "-c"),
    'mount --bind "$PWD" "$PWD" && mount -o remount,ro,bind "$PWD" && cd "$PWD" && exec "$@"',
    "sh",
)


@pytest.fixture
def tiny(tmp_path: Path) -> TinyProblem:
    """A small valid problem in the directory where the commands run."""
    return TinyProblem(tmp_path)


def assert_refused_before_anything_started(
    result: Result, code: int, directory: Path, *expected: str
) -> None:
    assert result.code == code, result.output
    assert "Traceback" not in result.output
    told = [line for line in result.output.splitlines() if line.startswith("espei-hpc: ")]
    more = [line for line in told if line.startswith("espei-hpc: more: espei-hpc help ")]
    told = [line for line in told if line not in more]
    assert len(more) == 1, result.output
    assert len(told) == len(expected), result.output
    for text in expected:
        assert any(text in line for line in told), result.output
    assert not list(directory.glob("*.run")), "the place for a cluster was made"


@pytest.mark.needs("user namespaces")
@pytest.mark.parametrize(
    "command", [("espei-hpc", "check"), ("espei-mpi", "-n", "3")], ids=["check", "espei-mpi"]
)
def test_fault_21_a_read_only_working_directory_is_found_before_anything_starts(
    commands: Commands, tiny: TinyProblem, command: tuple[str, ...]
) -> None:
    result = commands.run(*ON_READ_ONLY_MOUNT, *command, "--in", tiny.write())
    assert_refused_before_anything_started(
        result,
        CANNOT_CREATE,
        tiny.directory,
        "x.yaml: output.output_db: cannot write out.tdb",
        "x.yaml: output.tracefile: cannot write trace.npy",
        "x.yaml: output.probfile: cannot write lnprob.npy",
    )


@pytest.mark.quick
def test_fault_21_missing_output_directories_are_found_before_anything_starts(
    commands: Commands, tiny: TinyProblem
) -> None:
    tiny.output.update(output_db="a/x.tdb", tracefile="b/t.npy", probfile="c/l.npy", logfile="d/x.log")
    result = commands.run(*CHECK, "--in", tiny.write())
    assert_refused_before_anything_started(
        result,
        CANNOT_CREATE,
        tiny.directory,
        "x.yaml: output.output_db: a/x.tdb: no such directory: a",
        "x.yaml: output.tracefile: b/t.npy: no such directory: b",
        "x.yaml: output.probfile: c/l.npy: no such directory: c",
        "x.yaml: output.logfile: d/x.log: no such directory: d",
    )


def no_walkers(tiny: TinyProblem) -> None:
    np.save(tiny.directory / "old.npy", np.ones((4, 3, 5)))
    tiny.mcmc["restart_trace"] = "old.npy"


def no_models(tiny: TinyProblem) -> None:
    tiny.input["system"]["phase_models"] = "other.json"


BAD_INPUTS: dict[str, tuple[Change, str]] = {
    "YAML syntax": (lambda t: t.texts.update({"x.yaml": "mcmc: {\n"}), "x.yaml: line 2: not valid YAML"),
    "unknown key": (
        lambda t: t.mcmc.update(iteration=3),
        "x.yaml: mcmc.iteration: no such setting; did you mean iterations?",
    ),
    "missing phase models": (no_models, "other.json: no such file"),
    "malformed phase models": (
        lambda t: t.models["phases"]["LIQUID"].pop("sublattice_model"),
        "models.json: phases.LIQUID.sublattice_model: is missing",
    ),
    "malformed TDB": (
        lambda t: setattr(t, "database", t.database.replace("MG;1)", "MG;1")),
        "x.yaml: mcmc.input_db: pycalphad cannot read start.tdb",
    ),
    "malformed dataset": (
        lambda t: t.mixing.update(values=[[[1, 2]]]),
        "data/mixing.json: Shape of conditions",
    ),
    "odd chains": (
        lambda t: t.mcmc.update(chains_per_parameter=3),
        "x.yaml: mcmc.chains_per_parameter: must be",
    ),
    "unknown symbol": (
        lambda t: t.mcmc.update(symbols=["VV9"]),
        "x.yaml: mcmc.symbols: start.tdb has no symbol VV9",
    ),
    "wrong restart trace": (no_walkers, "x.yaml: mcmc.restart_trace: old.npy has 5 parameters"),
}


IN_THE_FORM = ("unknown key", "malformed phase models", "malformed TDB", "malformed dataset", "odd chains")
"""Every other fault can only be seen where these are not: the symbols, say, in a database that parses."""


@pytest.mark.quick
@pytest.mark.parametrize(
    ("command", "faults"),
    [
        (CHECK, ("YAML syntax",)),
        (CHECK, ("missing phase models", "unknown symbol")),
        (CHECK, ("wrong restart trace",)),
        (CHECK, IN_THE_FORM),
        (ESPEI_MPI, IN_THE_FORM),
    ],
    ids=lambda value: ", ".join(value),
)
def test_fault_23_bad_input_is_one_line_for_each_fault_before_anything_starts(
    commands: Commands, tiny: TinyProblem, command: tuple[str, ...], faults: tuple[str, ...]
) -> None:
    for fault in faults:
        BAD_INPUTS[fault][0](tiny)
    result = commands.run(*command, "--in", tiny.write())
    expected = [BAD_INPUTS[fault][1] for fault in faults]
    assert_refused_before_anything_started(result, BAD_INPUT, tiny.directory, *expected)


NOTHING_TO_FIT_TO: dict[str, tuple[Change, str]] = {
    "missing directory": (
        lambda t: t.input["system"].update(datasets="elsewhere"),
        "x.yaml: system.datasets: elsewhere does not exist",
    ),
    "empty directory": (
        lambda t: t.datasets.pop("mixing.json"),
        "x.yaml: system.datasets: no datasets in data",
    ),
    "phase models without VA": (
        lambda t: t.models.update(components=["CU", "MG"]),
        "x.yaml: system.datasets: ESPEI would use none of the 1 datasets in data",
    ),
}


@pytest.mark.quick
@pytest.mark.parametrize(("change", "expected"), NOTHING_TO_FIT_TO.values(), ids=NOTHING_TO_FIT_TO)
def test_fault_24_nothing_to_fit_to_is_refused_and_no_cluster_starts(
    commands: Commands, tiny: TinyProblem, change: Change, expected: str
) -> None:
    change(tiny)
    result = commands.run(*ESPEI_MPI, "--in", tiny.write())
    assert_refused_before_anything_started(result, BAD_INPUT, tiny.directory, expected)


def test_a_good_input_passes_the_check(commands: Commands, tiny: TinyProblem) -> None:
    result = commands.run(*CHECK, "--in", tiny.write())
    assert (result.code, result.output) == (0, "espei-hpc: x.yaml: no fault found\n")
