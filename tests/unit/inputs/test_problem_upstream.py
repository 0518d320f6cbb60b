"""Why some inputs are refused: what stock ESPEI 0.9.1 makes of them.

When one of these fails, ESPEI has changed, and the refusal can go or change with it.
"""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from espei.database_utils import initialize_database
from espei.error_functions.context import setup_context
from espei.espei_script import run_espei
from espei.optimizers.opt_mcmc import EmceeOptimizer
from espei.utils import unpack_piecewise
from pycalphad import Database

from espei_hpc.errors import Refusal
from espei_hpc.inputs import check
from espei_hpc.inputs.datasets import as_database
from espei_hpc.inputs.findings import Findings
from espei_hpc.inputs.system import describe_system
from espei_hpc.inputs.used_datasets import ignored_because
from unit.inputs.tiny_problem import ACTIVITY, EQUILIBRIUM, MIXING, TIE_LINES, TinyProblem


def refused_but_run_by_espei(tiny: TinyProblem) -> tuple[Any, Any]:
    path = tiny.write()
    with pytest.raises(Refusal):
        check(path)
    database, sampler = run_espei(copy.deepcopy(tiny.input))
    return database, sampler


@pytest.mark.parametrize("iterations", [0, 1])
def test_espei_writes_a_database_of_zeros_after_fewer_than_two_iterations(
    tiny: TinyProblem, iterations: int
) -> None:
    tiny.mcmc["iterations"] = iterations

    database, _ = refused_but_run_by_espei(tiny)

    assert database.symbols["VV0000"] == database.symbols["VV0001"] == 0


def test_espei_never_moves_walkers_without_spread(tiny: TinyProblem) -> None:
    tiny.mcmc.update(iterations=5, chain_std_deviation=0)

    _, sampler = refused_but_run_by_espei(tiny)

    assert (sampler.chain == sampler.chain[0, 0]).all()


NOTHING_TO_FIT_TO: dict[str, Callable[[TinyProblem], object]] = {
    "phase models without VA": lambda t: t.models.update(components=["CU", "MG"]),
    "components in lower case": lambda t: t.models.update(components=["Cu", "Mg", "Va"]),
    "data too cold": lambda t: t.mixing["conditions"].update(T=200),
    "data of another property": lambda t: t.mixing.update(output="GM_MIX"),
    "data of another sublattice model": lambda t: t.mixing["solver"].update(
        sublattice_site_ratios=[1, 1],
        sublattice_configurations=[[["CU", "MG"], "VA"]],
        sublattice_occupancies=[[[0.5, 0.5], 1]],
    ),
    "data of another phase": lambda t: t.mixing.update(phases=["BCC_A2"]),
}


@pytest.mark.parametrize("change", NOTHING_TO_FIT_TO.values(), ids=NOTHING_TO_FIT_TO)
def test_a_likelihood_of_zero_everywhere_is_refused(
    tiny: TinyProblem, change: Callable[[TinyProblem], object]
) -> None:
    change(tiny)

    path = tiny.write()
    with pytest.raises(
        Refusal, match=r"system\.datasets: ESPEI would use none of the 1 datasets in data"
    ) as caught:
        check(path)
    assert len(caught.value.faults) == 1
    _, sampler = run_espei(copy.deepcopy(tiny.input))
    assert (sampler.lnprobability == 0).all()


def test_espei_takes_wrong_walkers_from_a_trace_with_a_parameter_of_zero() -> None:
    trace = np.arange(1.0, 33).reshape(4, 4, 2)
    trace[:, :, 1] = 0  # a parameter that started at 0, where it stays

    walkers = EmceeOptimizer.initialize_chains_from_trace(trace)

    assert not np.array_equal(walkers, trace[:, -1, :])
    assert walkers.all()


DATA: dict[str, dict[str, Any]] = {
    "mixing": MIXING,
    "tie-lines": TIE_LINES,
    "activity": ACTIVITY,
    "equilibrium": EQUILIBRIUM,
    "mixing, cold": MIXING | {"conditions": {"P": 101325, "T": 200}},
    "mixing, of an unknown phase": MIXING | {"phases": ["BCC_A2"]},
    "mixing, of two phases": MIXING | {"phases": ["LIQUID", "FCC_A1"]},
    "mixing, of Gibbs energy": MIXING | {"output": "GM_MIX"},
    "mixing, of entropy": MIXING | {"output": "SM_MIX"},
    "mixing, of one phase that mixes less": MIXING | {"phases": ["FCC_A1"]},
    "tie-lines, of unknown phases": TIE_LINES | {"phases": ["BCC_A2"]},
    "equilibrium, of an unknown phase": EQUILIBRIUM | {"phases": ["LIQUID", "BCC_A2"]},
    "equilibrium, of diffusion": EQUILIBRIUM | {"output": "TRACER_D"},
    "mixing, of another element": MIXING | {"components": ["CU", "MG", "VA", "ZN"]},
    "tie-lines, of another element": TIE_LINES | {"components": ["CU", "ZN", "VA"]},
    "activity, of another element": ACTIVITY | {"components": ["CU", "ZN", "VA"]},
    "equilibrium, of another element": EQUILIBRIUM | {"components": ["CU", "ZN", "VA"]},
}


@pytest.mark.parametrize("dataset", DATA.values(), ids=DATA)
def test_a_dataset_is_called_ignored_exactly_when_espei_ignores_it(
    tiny: TinyProblem, dataset: dict[str, Any]
) -> None:
    tiny.write()
    database = Database("start.tdb")
    system = describe_system(sorted(tiny.models["components"]), database, Findings(Path("x.yaml")))
    assert system is not None
    symbols = ["VV0000", "VV0001"]
    context = setup_context(database, as_database([dataset]), symbols, phase_models=tiny.models)
    start = [unpack_piecewise(database.symbols[symbol]) for symbol in symbols]

    likelihood = EmceeOptimizer.predict(start, **context)

    assert (likelihood == 0) == bool(ignored_because(dataset, system))


def test_espei_needs_every_element_of_the_phase_models_in_its_reference_state(tiny: TinyProblem) -> None:
    with pytest.raises(Exception, match=r"phase|XX"):
        initialize_database(tiny.models | {"components": ["CU", "XX"]}, "SGTE91")
