"""Whatever the shape of the data, prepared units have the bits of stock ESPEI."""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st

from amounts import LONG, few_and_many, try_examples
from espei_hpc.likelihood import Evaluator
from unit.likelihood.likelihood_cases import ENTHALPIES, split_outcome, stock, vectors, write

PHASES = ("LIQUID", "FCC_A1", "HCP_A3", "LAVES_C15", "CUMG2")
SOLUTIONS = ("LIQUID", "FCC_A1")
COMMON: dict[str, Any] = {"components": ["CU", "MG", "VA"], "reference": "made up"}
WEIGHTS = st.sampled_from([0.1, 1.0, 3.0])
FRACTIONS = st.integers(1, 19).map(lambda twentieths: twentieths / 20)
KELVINS = st.lists(st.integers(7, 14), min_size=1, max_size=3, unique=True).map(
    lambda hundreds: [100.0 * one for one in sorted(hundreds)]
)


def values(draw: st.DrawFn, *shape: int) -> Any:
    """Draw measured values of a shape."""
    random = np.random.default_rng(draw(st.integers(0, 1000)))
    return (random.normal(size=shape) * 1e4).tolist()


@st.composite
def boundary(draw: st.DrawFn) -> dict[str, Any]:
    """Tie-lines and tie-triangles, with compositions known and unknown."""
    kelvins = draw(KELVINS)
    vertex = st.tuples(st.just(["MG"]), st.lists(st.none() | FRACTIONS, min_size=1, max_size=1))
    regions: list[list[list[Any]]] = []
    for _ in kelvins:
        phases = draw(st.lists(st.sampled_from(PHASES), min_size=1, max_size=3, unique=True))
        regions.append([[phase, *draw(vertex)] for phase in phases])
    # ESPEI refuses phases that are named, but in no region.
    used = sorted({phase for region in regions for phase, _, _ in region})
    conditions = {"P": 101325.0, "T": kelvins}
    flags = {"broadcast_conditions": False, "weight": draw(WEIGHTS)}
    return COMMON | {"phases": used, "conditions": conditions, "output": "ZPF", "values": regions} | flags


@st.composite
def equilibrium(draw: st.DrawFn) -> dict[str, Any]:
    """An enthalpy of phases in equilibrium over a grid of temperatures and compositions."""
    phases = draw(st.lists(st.sampled_from(SOLUTIONS), min_size=1, max_size=2, unique=True))
    kelvins = draw(KELVINS)
    fractions = sorted(draw(st.lists(FRACTIONS, min_size=1, max_size=3, unique=True)))
    shape = (1, len(kelvins), len(fractions))
    conditions = {"P": 101325.0, "T": kelvins, "X_MG": fractions}
    measured = {"output": draw(st.sampled_from(["HM", "SM", "GM", "CPM"])), "values": values(draw, *shape)}
    return COMMON | {"phases": phases, "conditions": conditions, "weight": draw(WEIGHTS)} | measured


@st.composite
def activity(draw: st.DrawFn) -> dict[str, Any]:
    """Activities over a grid of temperatures and compositions."""
    kelvins = draw(KELVINS)
    fractions = sorted(draw(st.lists(FRACTIONS, min_size=1, max_size=3, unique=True)))
    random = np.random.default_rng(draw(st.integers(0, 1000)))
    reference = {"phases": ["LIQUID"], "conditions": {"P": 101325.0, "T": 1100.0, "X_MG": 1.0}}
    return COMMON | {
        "phases": ["LIQUID"],
        "reference_state": reference,
        "conditions": {"P": 101325.0, "T": kelvins, "X_MG": fractions},
        "output": "ACR_MG",
        "values": random.uniform(0.05, 0.95, (1, len(kelvins), len(fractions))).tolist(),
        "weight": draw(WEIGHTS),
    }


@st.composite
def configuration(draw: st.DrawFn) -> dict[str, Any]:
    """A mixing property of the liquid over temperatures and configurations."""
    kelvins = draw(KELVINS)
    fractions = draw(st.lists(FRACTIONS, min_size=1, max_size=4, unique=True))
    return {
        "components": ["CU", "MG"],
        "phases": ["LIQUID"],
        "reference": "made up",
        "solver": {
            "mode": "manual",
            "sublattice_site_ratios": [1],
            "sublattice_configurations": [[["CU", "MG"]]] * len(fractions),
            "sublattice_occupancies": [[[1 - one, one]] for one in fractions],
        },
        "conditions": {"P": 101325.0, "T": kelvins},
        "output": draw(st.sampled_from(["HM_MIX", "SM_MIX"])),
        "values": values(draw, 1, len(kelvins), len(fractions)),
        "weight": draw(WEIGHTS),
    }


ONE_OF_EACH = st.tuples(boundary(), equilibrium(), activity(), configuration()).map(list)
ANY = st.lists(st.one_of(boundary(), equilibrium(), activity(), configuration()), min_size=1, max_size=3)
SEEDS = st.integers(0, 1000)


@few_and_many("number", 2, 100)
def test_all_kinds_of_data_at_once_have_the_bits_of_stock(number: int) -> None:
    try_examples(number, assert_equal_to_stock, same=True, datasets=ONE_OF_EACH, seed=SEEDS)


@pytest.mark.parametrize("number", [pytest.param(300, marks=LONG)])
def test_any_shape_of_data_has_the_bits_of_stock(number: int) -> None:
    try_examples(number, assert_equal_to_stock, same=True, datasets=ANY, seed=SEEDS)


def assert_equal_to_stock(datasets: list[dict[str, Any]], seed: int) -> None:
    named = {f"made-up-{number}.json": dataset for number, dataset in enumerate(datasets)}
    with tempfile.TemporaryDirectory() as place:
        reference = stock(write(Path(place), ENTHALPIES | named))
        evaluator = Evaluator(reference.recipe.packed())
    # The first of each unit is ESPEI's own, the next three are compared, and the last stand alone.
    tried = vectors(reference.initial, 6, seed, spreads=(0.02, 0.1), alone=(0.0,))
    for parameters in (*tried, reference.initial):
        assert split_outcome(evaluator, parameters) == reference.outcome(parameters)
