"""Each name of ESPEI's, emcee's and pycalphad's that we lean on without a promise: a change must be loud."""

import inspect
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import emcee
import numpy as np
import pytest
from espei import espei_script
from espei.error_functions import (
    activity_error,
    context,
    equilibrium_thermochemical_error,
    non_equilibrium_thermochemical_error,
    zpf_error,
)
from espei.error_functions.residual_base import residual_function_registry
from espei.optimizers.opt_mcmc import EmceeOptimizer
from espei.utils import optimal_parameters
from pycalphad import Database

from espei_hpc.likelihood.upstream import espei as upstream
from unit.likelihood.likelihood_cases import Stock

SIGNATURES: list[tuple[Callable[..., Any], list[str]]] = [
    (
        zpf_error.calculate_zpf_driving_forces,
        ["zpf_data", "parameters", "approximate_equilibrium", "short_circuit"],
    ),
    (zpf_error.calculate_zpf_error, ["zpf_data", "parameters", "data_weight", "approximate_equilibrium"]),
    (
        activity_error.calculate_activity_residuals,
        ["dbf", "comps", "phases", "datasets", "parameters", "phase_models", "callables", "data_weight"],
    ),
    (
        non_equilibrium_thermochemical_error.calculate_non_equilibrium_thermochemical_probability,
        ["thermochemical_data", "dbf", "parameters"],
    ),
    (
        non_equilibrium_thermochemical_error.compute_fixed_configuration_property_differences,
        ["dbf", "calc_data", "parameters"],
    ),
    (
        equilibrium_thermochemical_error.calc_prop_differences,
        ["eqpropdata", "parameters", "approximate_equilibrium"],
    ),
    (
        context.setup_context,
        ["dbf", "datasets", "symbols_to_fit", "data_weights", "phase_models", "make_callables"],
    ),
    (
        upstream.generate_parameters,
        [
            "phase_models",
            "datasets",
            "ref_state",
            "excess_model",
            "ridge_alpha",
            "aicc_penalty_factor",
            "dbf",
            "fitting_description",
        ],
    ),
    (EmceeOptimizer.__init__, ["self", "dbf", "phase_models", "scheduler"]),
    (EmceeOptimizer.do_sampling, ["self", "chains", "iterations"]),
    (EmceeOptimizer.predict, ["params", "ctx"]),
]


@pytest.mark.parametrize(
    ("function", "parameters"), SIGNATURES, ids=lambda item: getattr(item, "__qualname__", "")
)
def test_functions_take_what_we_give_them(function: Callable[..., Any], parameters: list[str]) -> None:
    assert list(inspect.signature(function).parameters) == parameters


def test_installed_releases_are_those_we_know() -> None:
    assert upstream.versions() == upstream.KNOWN


def test_run_espei_looks_the_optimizer_up_in_its_module() -> None:
    assert espei_script.EmceeOptimizer is EmceeOptimizer
    assert "optimizer = EmceeOptimizer(" in inspect.getsource(espei_script.run_espei)


def test_optimizer_is_replaced_meanwhile_and_put_back_even_after_an_error() -> None:
    def fail() -> None:
        with upstream.optimizer(_Other):
            assert espei_script.EmceeOptimizer is _Other
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert espei_script.EmceeOptimizer is EmceeOptimizer


class _Other(EmceeOptimizer):  # type: ignore[misc]
    pass


def test_fit_takes_symbols_and_datasets_and_samples_by_do_sampling() -> None:
    parameters = inspect.signature(EmceeOptimizer._fit).parameters
    assert list(parameters)[:3] == ["self", "symbols", "ds"]
    assert "mcmc_data_weights" in parameters
    source = inspect.getsource(EmceeOptimizer._fit)
    assert "self.sampler = sampler" in source
    assert "self.do_sampling(chains, iterations)" in source
    assert "optimal_parameters(sampler.chain, sampler.lnprobability)" in source


def test_fit_builds_the_context_as_the_recipe_does() -> None:
    source = inspect.getsource(EmceeOptimizer._fit)
    assert (
        "setup_context(self.dbf, ds, symbols, data_weights=mcmc_data_weights, "
        "phase_models=self.phase_models, make_callables=cbs)"
    ) in source
    assert "make_callables" not in inspect.getsource(context.setup_context).split('"""')[2]


def test_run_espei_makes_databases_as_the_recipe_does() -> None:
    source = "".join(inspect.getsource(espei_script.run_espei).split())
    assert "input_dbf=Database(input_dbf)" in source
    assert (
        "dbf=generate_parameters(phase_models,datasets,refdata,excess_model,ridge_alpha=ridge_alpha,"
        "dbf=input_dbf,aicc_penalty_factor=aicc_penalty,fitting_description=fitting_description)"
    ) in source
    assert "dbf=Database(mcmc_settings.get('input_db'))" in source
    assert "EmceeOptimizer(dbf,phase_models=phase_models,scheduler=client)" in source


def test_database_is_read_from_text_as_from_a_file() -> None:
    assert "from_file(StringIO(data), **kwargs)" in inspect.getsource(Database.from_string)


def test_predict_adds_up_priors_and_residuals_as_we_do() -> None:
    source = inspect.getsource(EmceeOptimizer.predict)
    for line in (
        "lnprior_multivariate = [rv.logpdf(theta) for rv, theta in zip(prior_rvs, params)]",
        "lnprior = np.sum(lnprior_multivariate)",
        "if np.isneginf(lnprior):",
        "lnlike = 0.0",
        "likelihood = residual_obj.get_likelihood(params)",
        "lnlike += likelihood",
        "{vl[0]:0.3f}",
        "lnlike = np.array(lnlike, dtype=np.float64)",
        "lnprob = lnprior + lnlike",
    ):
        assert line in source


def test_likelihoods_end_as_we_end_them() -> None:
    for function, line in (
        (zpf_error.calculate_zpf_error, "norm.logpdf(driving_forces, loc=0, scale=1000/data_weight/weights)"),
        (activity_error.calculate_activity_error, "np.sum(norm(0, scale=weights).logpdf(residuals))"),
        (
            non_equilibrium_thermochemical_error.calculate_non_equilibrium_thermochemical_probability,
            "prob_error += prob_sum",
        ),
        (
            equilibrium_thermochemical_error.calculate_equilibrium_thermochemical_probability,
            "norm(loc=0.0, scale=weights).logpdf(differences)",
        ),
    ):
        assert line in inspect.getsource(function)


def test_samplers_chain_can_be_stored() -> None:
    sampler = emcee.EnsembleSampler(4, 2, lambda _: 0.0)
    chain = np.arange(24.0).reshape(4, 3, 2) + 1
    log_probabilities = -np.arange(12.0).reshape(4, 3)
    upstream.store_chain(sampler, chain, log_probabilities)
    assert np.array_equal(sampler.chain, chain)
    assert np.array_equal(sampler.lnprobability, log_probabilities)
    best = optimal_parameters(sampler.chain, sampler.lnprobability)
    assert np.array_equal(best, [1.0, 2.0])


def test_registry_lists_espeis_residuals() -> None:
    classes = residual_function_registry.get_registered_residual_functions()
    assert classes is residual_function_registry._registered_residual_functions
    known = {
        upstream.ZPFResidual,
        upstream.ActivityResidual,
        upstream.FixedConfigurationPropertyResidual,
        upstream.EquilibriumPropertyResidual,
    }
    assert known == set(classes)


def test_residuals_can_be_registered_alone_and_the_others_are_back_afterwards() -> None:
    before = upstream.registered()
    with upstream.registered_only([upstream.ActivityResidual]):
        assert upstream.registered() == ["espei.error_functions.activity_error.ActivityResidual"]
    assert upstream.registered() == before


def test_imported_names_are_found_again() -> None:
    assert [upstream.import_qualified_object(name) for name in upstream.registered()] == (
        residual_function_registry.get_registered_residual_functions()
    )


def test_defaults_are_filled_in() -> None:
    settings = {
        "generate_parameters": {"excess_model": "linear", "ref_state": "SGTE91"},
        "system": {"phase_models": "p.json", "datasets": str(Path())},
    }
    generate = upstream.normalized(settings)["generate_parameters"]
    assert generate["ridge_alpha"] is None
    assert generate["fitting_description"].endswith("gibbs_energy_fitting_description")


def residual_of(stock: Stock, kind: type) -> Any:
    return next(found for found in stock.context["residual_objs"] if type(found) is kind)


def test_phase_boundaries_have_regions_and_a_weight(every_kind: Stock) -> None:
    residual = residual_of(every_kind, upstream.ZPFResidual)
    assert residual.weight == 0.7
    assert {"phase_regions", "dataset_reference", "weight", "dbf"} <= set(residual.zpf_data[0])
    regions = upstream.phase_regions(residual)
    assert [region.data["phase_regions"] for region in regions] == [
        [region] for data in residual.zpf_data for region in data["phase_regions"]
    ]


def test_short_circuited_region_is_told_by_infinite_driving_forces() -> None:
    source = inspect.getsource(zpf_error.calculate_zpf_driving_forces)
    assert "if np.isinf(driving_force) and short_circuit:" in source
    assert "return [[np.inf]], [[np.inf]]" in source


def test_activity_datasets_are_chosen_by_espei(every_kind: Stock) -> None:
    residual = residual_of(every_kind, upstream.ActivityResidual)
    assert set(residual._activity_likelihood_kwargs) == {
        "dbf",
        "comps",
        "phases",
        "datasets",
        "phase_models",
        "callables",
        "data_weight",
    }
    assert residual._symbols_to_fit == every_kind.context["symbols_to_fit"]
    assert [dataset["output"] for dataset in upstream.activity_datasets(residual)] == ["ACR_MG"]
    # Nothing but the search is ever asked of the collection.
    source = inspect.getsource(activity_error.calculate_activity_residuals).split('"""')[2]
    assert source.count("datasets.search(") == 1
    assert source.replace("activity_datasets", "").count("datasets.") == 1


def test_fixed_configurations_have_entries(every_kind: Stock) -> None:
    residual = residual_of(every_kind, upstream.FixedConfigurationPropertyResidual)
    assert residual._symbols_to_fit == every_kind.context["symbols_to_fit"]
    assert residual.dbf is not None
    entries = upstream.fixed_configurations(residual)
    assert len(entries) == 3
    assert {"prop", "phase_name"} <= set(entries[0])


def test_fixed_configurations_have_a_difference_for_each_value(every_kind: Stock) -> None:
    residual = residual_of(every_kind, upstream.FixedConfigurationPropertyResidual)
    expected, deviations = residual.get_residuals(every_kind.initial)
    found = [
        upstream.fixed_configuration_differences(residual, entry, every_kind.initial)
        for entry in upstream.fixed_configurations(residual)
    ]
    assert [difference for differences, _ in found for difference in differences] == list(expected)
    assert [deviation for _, some in found for deviation in some] == deviations


def test_fixed_configurations_say_where_each_value_was_measured(every_kind: Stock) -> None:
    residual = residual_of(every_kind, upstream.FixedConfigurationPropertyResidual)
    for entry in upstream.fixed_configurations(residual):
        asked = entry["calculate_dict"]
        assert {"T", "points", "values", "references"} <= set(asked)
        assert asked["points"].shape == (len(asked["values"]), sum(map(len, entry["constituents"])))
        assert list(entry["model"]) == [entry["phase_name"]]
        points = upstream.fixed_configuration_points(entry)
        assert [point.value for point in points] == asked["values"].tolist()
        assert all(sum(x for _, x in point.fractions) == pytest.approx(1) for point in points)


def test_equilibrium_properties_are_listed_by_temperature_and_calculated_by_composition(
    every_kind: Stock,
) -> None:
    source = inspect.getsource(equilibrium_thermochemical_error)
    assert "samples = np.array(data['values']).flatten()" in source
    assert "for comp_conds in eqpropdata.composition_conds:" in source
    grid, single = upstream.property_datasets(residual_of(every_kind, upstream.EquilibriumPropertyResidual))
    points = upstream.property_points(grid)
    assert [(point.temperature, dict(point.fractions)["MG"]) for point in points] == [
        (1200.0, 0.3),
        (1200.0, 0.6),
        (1300.0, 0.3),
        (1300.0, 0.6),
    ]
    assert [point.value for point in points] == grid.samples.tolist()
    assert [upstream.property_is_crossed(one) for one in (grid, single)] == [True, False]


def test_equilibrium_properties_are_put_in_the_order_of_their_values(every_kind: Stock) -> None:
    grid, single = upstream.property_datasets(residual_of(every_kind, upstream.EquilibriumPropertyResidual))
    crossed, _ = upstream.property_differences(grid, every_kind.initial)
    ordered, _ = upstream.property_differences_in_order(grid, every_kind.initial)
    # Of a grid of two by two, the second and the third change places.
    calculated = np.array(crossed) + grid.samples
    assert np.array(ordered) + grid.samples == pytest.approx(calculated[[0, 2, 1, 3]])
    assert upstream.property_differences_in_order(
        single, every_kind.initial
    ) == upstream.property_differences(single, every_kind.initial)


def test_equilibrium_properties_have_datasets(every_kind: Stock) -> None:
    residual = residual_of(every_kind, upstream.EquilibriumPropertyResidual)
    assert [dataset.output for dataset in upstream.property_datasets(residual)] == ["HM", "HMR"]
    source = inspect.getsource(
        equilibrium_thermochemical_error.calculate_equilibrium_thermochemical_probability
    )
    assert "calc_prop_differences(eqpropdata, parameters, approximate_equilibrium)" in source
    assert "if np.any(np.isinf(diffs) | np.isnan(diffs)):" in source


def test_values_of_piecewise_symbols_are_read() -> None:
    database = Database.from_string("FUNCTION VV0001 1 -5.25; 10000 N !\n", fmt="tdb")
    assert upstream.database_symbols_to_fit(database) == ["VV0001"]
    assert upstream.unpack_piecewise(database.symbols["VV0001"]) == -5.25


def test_sampler_has_what_we_read_and_replace() -> None:
    sampler = emcee.EnsembleSampler(4, 2, lambda _: 0.0, kwargs={"prior_rvs": []}, pool="the pool")
    assert sampler.kwargs == {"prior_rvs": []}
    assert sampler.pool == "the pool"
    assert sampler.random_state[0] == "MT19937"
    sampler = emcee.EnsembleSampler(4, 2, lambda _: 0.0)
    told = [step[1].shape for step in sampler.sample(np.random.rand(4, 2), iterations=3)]
    assert told == [(4,)] * 3
    assert np.array_equal(sampler.acceptance_fraction, sampler.naccepted / 3)


def test_stock_sampling_saves_and_goes_on_when_interrupted() -> None:
    source = inspect.getsource(EmceeOptimizer.do_sampling)
    assert "self.sampler.sample(chains, iterations=iterations)" in source
    assert "except KeyboardInterrupt" in source
    assert source.rstrip().endswith("self.save_sampler_state()")


def test_optimizer_prepares_all_that_the_sampling_depends_on() -> None:
    assert "kwargs=ctx, pool=self.scheduler" in inspect.getsource(EmceeOptimizer._fit)
    assert "sampler.random_state = numpy_rstate" in inspect.getsource(EmceeOptimizer._fit)
    assert "self.predict(initial_guess, **ctx)" in inspect.getsource(EmceeOptimizer._fit)


def test_espei_still_says_what_is_kept_from_its_log_and_nothing_else_is(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert f'_log.info("{upstream.ON_ONE_CORE}' in inspect.getsource(espei_script.run_espei)
    log = logging.getLogger(espei_script.__name__)
    with caplog.at_level(logging.INFO):
        with upstream.silent_on_cores():
            log.info(f"{upstream.ON_ONE_CORE} ESPEI is running MCMC on a single core.")
            log.info("something else")
        log.info("afterwards")
    assert caplog.messages == ["something else", "afterwards"]
