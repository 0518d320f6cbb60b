"""Each of the systems has what it is there for."""

from collections import Counter
from collections.abc import Callable
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from pycalphad import Database
from pycalphad import variables as v

from espei_hpc.likelihood.upstream import espei as upstream
from unit.likelihood.likelihood_cases import FloatArray, Stock
from unit.likelihood.systems import SYSTEMS, System
from unit.likelihood.systems.al_cu_y import AL_CU_Y
from unit.likelihood.systems.al_fe import AL_FE
from unit.likelihood.systems.al_ni import AL_NI
from unit.likelihood.systems.al_zn import AL_ZN
from unit.likelihood.systems.cr_fe import CR_FE
from unit.likelihood.systems.cr_fe_nb import CR_FE_NB
from unit.likelihood.systems.cu_o import CU_O
from unit.likelihood.systems.models import Stiffened
from unit.likelihood.systems.parts import found, models, regions, residual, vertices

OUTPUTS = [
    "ZPF",
    "ACR_AL",
    "HM_MIX",
    "SM_MIX",
    "CPM_MIX",
    "HM_FORM",
    "SM_FORM",
    "CPM_FORM",
    "HM",
    "SM",
    "CPM",
    "HMR",
]


@pytest.fixture(scope="module")
def reference(request: pytest.FixtureRequest, stock_of: Callable[[System], Stock]) -> Stock:
    return stock_of(request.param)


def of(*systems: System) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("reference", systems, indirect=True, ids=str)


def ordered(sites: FloatArray) -> bool:
    """Return whether two sublattices of two constituents each differ."""
    return not np.allclose(sites[:2], sites[2:4], atol=1e-3)


def test_all_kinds_of_data_are_there() -> None:
    assert {data["output"] for system in SYSTEMS for data in system.datasets.values()} >= set(OUTPUTS)


@pytest.mark.parametrize("system", SYSTEMS, ids=str)
def test_a_fitted_symbol_has_several_ranges(system: System) -> None:
    symbols = Database.from_string(system.text(), fmt="tdb").symbols
    fitted = system.sampling.get("symbols", [name for name in symbols if name.startswith("VV")])
    # Value and range by turns, and nothing beyond all ranges.
    assert max(len(symbols[name].args) for name in fitted) >= 6


@of(AL_ZN)
def test_symbols_that_are_fitted_can_be_chosen(reference: Stock) -> None:
    assert reference.context["symbols_to_fit"] == ["LLIQ", "VV0001", "VV0002", "VV0003"]


@of(AL_ZN, AL_NI, CR_FE)
def test_a_phase_is_twice_in_a_region_and_really_is(reference: Stock) -> None:
    region = regions(reference)[0]
    name = region.vertices[0].phase_name
    assert [vertex.phase_name for vertex in region.vertices] == [name] * 2
    (component,) = region.vertices[0].comp_conds
    middle = np.mean([vertex.comp_conds[component] for vertex in region.vertices])
    phases = found(reference, region, {component: float(middle)})
    assert Counter(phase for phase, _ in phases) == {name: 2}
    assert all(
        not np.allclose(one, other, atol=0.05, equal_nan=True)
        for (_, one), (_, other) in combinations(phases, 2)
    )


@of(AL_FE)
def test_ordered_phase_is_ordered_or_not_as_composition_has_it(reference: Stock) -> None:
    rich, poor = (found(reference, regions(reference)[0], {v.X("AL"): value}) for value in (0.45, 0.1))
    assert [(name, ordered(sites)) for name, sites in rich + poor] == [("B2_BCC", True), ("B2_BCC", False)]


@of(AL_NI)
def test_ordered_and_disordered_are_next_to_each_other(reference: Stock) -> None:
    phases = found(reference, regions(reference)[0], {v.X("AL"): 0.18})
    assert sorted(ordered(sites) for _, sites in phases) == [False, True]


@of(AL_FE, AL_NI)
def test_disordered_part_has_magnetism_but_no_fitted_symbol(reference: Stock) -> None:
    # pycalphad makes the disordered part without the parameters: these keep their starting values there.
    (model,) = (model for name, model in models(reference).items() if name in ("B2_BCC", "FCC_L12"))
    fitted = set(reference.context["symbols_to_fit"])
    assert symbols_of(model, "mag")
    assert not fitted & set(map(str, symbols_of(model, "mag") | symbols_of(model, "xsmix")))
    assert fitted & set(map(str, symbols_of(model, "ord")))


@of(CR_FE, CR_FE_NB)
def test_magnetism_depends_on_a_fitted_symbol(reference: Stock) -> None:
    magnetic = {str(name) for model in models(reference).values() for name in symbols_of(model, "mag")}
    assert magnetic & set(reference.context["symbols_to_fit"])


def symbols_of(model: Any, contribution: str) -> set[Any]:
    return set(getattr(model.models.get(contribution), "free_symbols", ()))


@of(CR_FE)
def test_model_of_our_own_is_used(reference: Stock) -> None:
    fixed = residual(reference, upstream.FixedConfigurationPropertyResidual).thermochemical_data
    properties = residual(reference, upstream.EquilibriumPropertyResidual).property_data
    used = [models(reference), *(entry["model"] for entry in fixed), *(data.models for data in properties)]
    assert {type(found["BCC_A2"]) for found in used} == {Stiffened}


@of(CR_FE)
def test_a_contribution_is_excluded(reference: Stock) -> None:
    fixed = residual(reference, upstream.FixedConfigurationPropertyResidual).thermochemical_data
    assert [entry["model"]["BCC_A2"].models["mag"] == 0 for entry in fixed].count(True) == 1


@of(AL_FE, CR_FE_NB)
def test_a_vertex_is_given_as_disordered(reference: Stock) -> None:
    assert sum(vertex.is_disordered for vertex in vertices(reference)) == 1


@of(AL_CU_Y, AL_FE, AL_NI, AL_ZN, CR_FE_NB, CU_O)
def test_a_composition_is_not_known(reference: Stock) -> None:
    assert any(vertex.has_missing_comp_cond for vertex in vertices(reference))


@of(AL_CU_Y, AL_FE, CU_O)
def test_a_composition_is_fixed(reference: Stock) -> None:
    used = {vertex.phase_name for vertex in vertices(reference)}
    assert any(all(len(subl) == 1 for subl in models(reference)[name].constituents) for name in used)


@of(AL_CU_Y, CR_FE_NB)
def test_three_phases_are_in_a_region_of_three_components(reference: Stock) -> None:
    region = next(region for region in regions(reference) if len(region.vertices) == 3)
    assert len({vertex.phase_name for vertex in region.vertices}) == 3
    assert len(region.vertices[0].composition) == 3


@of(AL_NI)
def test_a_hyperplane_has_its_own_vertex(reference: Stock) -> None:
    (hyperplane,) = regions(reference)[1].hyperplane_vertices
    assert hyperplane.phase_name == "__HYPERPLANE__"


@of(CU_O)
def test_constituents_are_charged_and_sites_vary(reference: Stock) -> None:
    liquid = models(reference)["IONIC_LIQ"]
    assert any(constituent.charge for subl in liquid.constituents for constituent in subl)
    assert all(getattr(ratio, "free_symbols", None) for ratio in liquid.site_ratios)


@of(AL_CU_Y)
def test_a_constituent_is_a_dimer(reference: Stock) -> None:
    assert v.Species("CU2") in set.union(*map(set, models(reference)["CU6Y"].constituents))


@of(AL_NI)
def test_vacancies_mix(reference: Stock) -> None:
    assert {v.Species("NI"), v.Species("VA")} in map(set, models(reference)["AL3NI2"].constituents)


@of(AL_ZN)
def test_pressure_makes_a_difference(reference: Stock) -> None:
    low, high = residual(reference, upstream.EquilibriumPropertyResidual).get_residuals(reference.initial)[0][
        :2
    ]
    assert abs(high - low) > 0.1
