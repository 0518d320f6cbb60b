"""One wrong line in the kernel is enough: the guard finds it before any wrong result counts."""

import multiprocessing
from pathlib import Path

import pytest

from espei_hpc.likelihood import WARM_UP, Evaluator
from unit.likelihood.compiled.building import MODULES, build, copied, load, source
from unit.likelihood.likelihood_cases import FloatArray, Stock, stock
from unit.likelihood.systems import SYSTEMS

pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(3600),
    pytest.mark.needs("the compiled solver", "C++ compiler"),
]

FAULTS = {
    "sign of c_G": (
        "solver",
        "total -= factors[column] * phase.gradient[",
        "total += factors[column] * phase.gradient[",
    ),
    "c_A of another site": (
        "solver",
        "total += target[column] * factors[column]",
        "total += target[sites - 1 - column] * factors[column]",
    ),
    "constraints left out of the phase matrix": (
        "solver",
        "phase.inverse[column * rows + sites + row] = factors[column]",
        "phase.inverse[column * rows + sites + row] = 0",
    ),
    "constraints left out of the step": (
        "solver",
        "range(phase.constraints):\n            total",
        "range(0):\n            total",
    ),
    "sum instead of difference of the mole fractions": (
        "solver",
        "cdef double fraction = -system.mole_fractions",
        "cdef double fraction = system.mole_fractions",
    ),
    "share of a phase without the amount of the system": (
        "solver",
        "cdef double share = amount / system.amount",
        "cdef double share = amount / system.prescribed_amount",
    ),
    "sums in another order": (
        "solver",
        "for site in range(sites):\n                total += amount",
        "for site in reversed(range(sites)):\n                total += amount",
    ),
    "residual left out": (
        "solver",
        "system.solution[rows - 1] -= system.amount",
        "system.solution[rows - 1] -= 0 * system.amount",
    ),
    "cutoff of singular values": ("solver", "SINGULAR_VALUE_CUTOFF = 1e-16", "SINGULAR_VALUE_CUTOFF = 1e-3"),
    "ramp of the steps": ("solver", "ITERATIONS_OF_RAMP = 20", "ITERATIONS_OF_RAMP = 10"),
    "step not halved": ("solver", "step[0] *= 0.5", "step[0] *= 0.25"),
    "least site fraction": ("solver", "LEAST_SITE_FRACTION = 1e-14", "LEAST_SITE_FRACTION = 1e-12"),
    "amounts step beyond zero": ("solver", "if longest < step:", "if longest < 0:"),
    "converges too early": (
        "solver",
        "ITERATIONS_BEFORE_CONVERGENCE = 10",
        "ITERATIONS_BEFORE_CONVERGENCE = 5",
    ),
    "largest change of site fractions": (
        "solver",
        "LARGEST_SITE_CHANGE = 5e-9",
        "LARGEST_SITE_CHANGE = 5e-2",
    ),
    "removal of phases left out": (
        "solver",
        "system.iterations_since_change >= ITERATIONS_BEFORE_REMOVAL",
        "system.iterations_since_change >= 10**6",
    ),
    "equal composition sets not joined": ("solver", "SAME_COMPOSITION = 1e-4", "SAME_COMPOSITION = -1.0"),
    "phases are never added": ("solver", "LEAST_DRIVING_FORCE = 1e-5", "LEAST_DRIVING_FORCE = 1e30"),
    "kept although site fractions have changed": (
        "solver",
        "phase.at, phase.calculated_at, phase.variables * sizeof(double)\n        ) == 0",
        "phase.at, phase.calculated_at, system.state_variables * sizeof(double)\n        ) == 0",
    ),
    "parameters of the first evaluation": (
        "solver",
        "composition_set.phase_record.parameters[parameter]",
        "composition_set.phase_record.parameters[0]",
    ),
    "amount of new phases": ("solver", "AMOUNT_OF_NEW_PHASE = 1e-10", "AMOUNT_OF_NEW_PHASE = 1e-6"),
    "amount of another phase handed back": (
        "solver",
        "composition_set.NP = phase.calculated_amount",
        "composition_set.NP = 1.0",
    ),
    "hull stops above a point": ("point", "cdef double ON_HULL = -1e-8", "cdef double ON_HULL = -1e2"),
    "worst simplex instead of the best": (
        "point",
        "if smallest > highest:",
        "if trial == 0 or smallest < highest:",
    ),
    "composition of the hull": (
        "point",
        "shares[trial * components + vertex] = self._composition[vertex]",
        "shares[trial * components + vertex] = 1.0 / components",
    ),
    "energies of the first evaluation": ("point", "distance = self._energies[point]", "distance = 0"),
    "least amount at the start": ("point", "LEAST_AMOUNT = 1e-6", "LEAST_AMOUNT = 1e-1"),
    "no metastable phases at the start": (
        "point",
        "LEAST_FORCE_OF_START = -1000",
        "LEAST_FORCE_OF_START = 1000",
    ),
    "amounts not normalized": ("point", "composition_set.NP /= total", "composition_set.NP /= 1.0"),
    "sites of the first point": ("point", "&self._sites[point, 0], record", "&self._sites[0, 0], record"),
    "nothing is added after a solution": ("point", "LEAST_FORCE_OF_NEW = 1e-4", "LEAST_FORCE_OF_NEW = 1e30"),
    "composition sets that have become unstable stay": (
        "point",
        "if composition_set.NP <= 0:",
        "if composition_set.NP <= -1:",
    ),
}


@pytest.fixture(scope="module")
def references(tmp_path_factory: pytest.TempPathFactory) -> list[Stock]:
    """All systems, since not every system comes by every line."""
    return [stock(system.write(tmp_path_factory.mktemp(system.name))) for system in SYSTEMS]


def test_right_source_leaves_nothing_to_find(references: list[Stock], tmp_path: Path) -> None:
    assert found(references, *(build(tmp_path, module, source(module)) for module in MODULES)) == ""


@pytest.mark.parametrize("name", FAULTS)
def test_wrong_line_is_found(name: str, references: list[Stock], tmp_path: Path) -> None:
    module, right, wrong = FAULTS[name]
    text = source(module)
    assert text.count(right) == 1, "the line has changed: choose another"
    built = {module: build(tmp_path, module, text.replace(right, wrong))}
    # The other one anew too, since it has imported from the right one.
    assert found(references, *(built.get(one) or copied(tmp_path, one) for one in MODULES))


def found(references: list[Stock], *modules: Path) -> str:
    """Evaluate with other modules of the kernel in a process of its own; return what the guard says first."""
    context = multiprocessing.get_context("fork")
    read, write = context.Pipe(duplex=False)
    process = context.Process(target=_evaluate, args=(references, modules, write))
    process.start()
    write.close()  # or a process that dies would be waited for
    said: str = read.recv()
    process.join()
    return said


def _evaluate(
    references: list[Stock],
    modules: tuple[Path, ...],
    told: "multiprocessing.connection.Connection[str, None]",
) -> None:
    load(*modules)
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
