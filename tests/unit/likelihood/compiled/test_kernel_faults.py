"""One wrong line in the kernel is enough: the guard finds it before any wrong result counts."""

import multiprocessing
from pathlib import Path

import pytest

from espei_hpc.likelihood import WARM_UP, Evaluator
from unit.likelihood.compiled.building import SOURCE, build, load
from unit.likelihood.likelihood_cases import FloatArray, Stock, stock
from unit.likelihood.systems import SYSTEMS

pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(3600),
    pytest.mark.needs("the compiled solver", "Cython and a C++ compiler"),
]

FAULTS = {
    # responses of the site fractions
    "sign of c_G": (
        "total -= factors[column] * phase.gradient[",
        "total += factors[column] * phase.gradient[",
    ),
    "c_A of another site": (
        "total += target[column] * factors[column]",
        "total += target[sites - 1 - column] * factors[column]",
    ),
    "constraints left out of the phase matrix": (
        "phase.inverse[column * rows + sites + row] = factors[column]",
        "phase.inverse[column * rows + sites + row] = 0",
    ),
    "constraints left out of the step": (
        "range(phase.constraints):\n            total",
        "range(0):\n            total",
    ),
    # the equilibrium system
    "sum instead of difference of the mole fractions": (
        "cdef double fraction = -system.mole_fractions",
        "cdef double fraction = system.mole_fractions",
    ),
    "share of a phase without the amount of the system": (
        "cdef double share = amount / system.amount",
        "cdef double share = amount / system.prescribed_amount",
    ),
    "sums in another order": (
        "for site in range(sites):\n                total += amount",
        "for site in reversed(range(sites)):\n                total += amount",
    ),
    "residual left out": (
        "system.solution[rows - 1] -= system.amount",
        "system.solution[rows - 1] -= 0 * system.amount",
    ),
    "cutoff of singular values": ("SINGULAR_VALUE_CUTOFF = 1e-16", "SINGULAR_VALUE_CUTOFF = 1e-3"),
    # steps
    "ramp of the steps": ("ITERATIONS_OF_RAMP = 20", "ITERATIONS_OF_RAMP = 10"),
    "step not halved": ("step[0] *= 0.5", "step[0] *= 0.25"),
    "least site fraction": ("LEAST_SITE_FRACTION = 1e-14", "LEAST_SITE_FRACTION = 1e-12"),
    "amounts step beyond zero": ("if longest < step:", "if longest < 0:"),
    # convergence
    "converges too early": ("ITERATIONS_BEFORE_CONVERGENCE = 10", "ITERATIONS_BEFORE_CONVERGENCE = 5"),
    "largest change of site fractions": ("LARGEST_SITE_CHANGE = 5e-9", "LARGEST_SITE_CHANGE = 5e-2"),
    # phases
    "removal of phases left out": (
        "system.iterations_since_change >= ITERATIONS_BEFORE_REMOVAL",
        "system.iterations_since_change >= 10**6",
    ),
    "equal composition sets not joined": ("SAME_COMPOSITION = 1e-4", "SAME_COMPOSITION = -1.0"),
    "phases are added at once": ("ITERATIONS_BEFORE_ADDING = 5", "ITERATIONS_BEFORE_ADDING = 0"),
    "phases are never added": ("LEAST_DRIVING_FORCE = 1e-5", "LEAST_DRIVING_FORCE = 1e30"),
    # what is kept, and what is handed back
    "kept although site fractions have changed": (
        "phase.at, phase.calculated_at, phase.variables * sizeof(double)",
        "phase.at, phase.calculated_at, system.state_variables * sizeof(double)",
    ),
    "parameters of the first evaluation": (
        "composition_set.phase_record.parameters[parameter]",
        "composition_set.phase_record.parameters[0]",
    ),
    "composition of the last step": (
        "memcpy(phase.at, phase.calculated_at, phase.variables * sizeof(double))\n    memcpy(&comp",
        "memcpy(&comp",
    ),
}


@pytest.fixture(scope="module")
def references(tmp_path_factory: pytest.TempPathFactory) -> list[Stock]:
    """All systems, since not every system comes by every line."""
    return [stock(system.write(tmp_path_factory.mktemp(system.name))) for system in SYSTEMS]


def test_right_source_leaves_nothing_to_find(references: list[Stock], tmp_path: Path) -> None:
    assert found(references, build(tmp_path, SOURCE.read_text())) == ""


@pytest.mark.parametrize("name", FAULTS)
def test_wrong_line_is_found(name: str, references: list[Stock], tmp_path: Path) -> None:
    right, wrong = FAULTS[name]
    source = SOURCE.read_text()
    assert source.count(right) == 1, "the line has changed: choose another"
    assert found(references, build(tmp_path, source.replace(right, wrong)))


def found(references: list[Stock], module: Path) -> str:
    """Evaluate with another kernel in a process of its own; return what the guard says first."""
    context = multiprocessing.get_context("fork")
    read, write = context.Pipe(duplex=False)
    process = context.Process(target=_evaluate, args=(references, module, write))
    process.start()
    said: str = read.recv()
    process.join()
    return said


def _evaluate(
    references: list[Stock], module: Path, told: "multiprocessing.connection.Connection[str, None]"
) -> None:
    load(module)
    told.send(next(filter(None, map(_first_note, references)), ""))


def _first_note(reference: Stock) -> str:
    """Evaluate unit by unit, at a few positions of walkers, until one is given up."""
    evaluator = Evaluator(reference.recipe.packed())
    positions: FloatArray = reference.chains[:WARM_UP]
    for unit in range(len(evaluator.description.units)):
        for position in positions:
            for _, why in evaluator(position, (unit,)).notes:
                return why
    return ""
