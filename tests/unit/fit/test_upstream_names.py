"""The names of ESPEI's and emcee's that the fit leans on without a promise: a change must be loud."""

import inspect

import emcee
from espei import espei_script
from espei.optimizers.opt_mcmc import EmceeOptimizer
from espei.utils import ImmediateClient


def test_run_espei_looks_the_optimizer_up_in_its_module() -> None:
    assert espei_script.EmceeOptimizer is EmceeOptimizer
    assert "EmceeOptimizer" in inspect.getsource(espei_script.run_espei)


def test_optimizer_fits_and_samples_by_the_methods_we_override() -> None:
    assert list(inspect.signature(EmceeOptimizer.do_sampling).parameters) == ["self", "chains", "iterations"]
    fit = inspect.signature(EmceeOptimizer._fit).parameters
    assert list(fit)[:3] == ["self", "symbols", "ds"]
    assert "mcmc_data_weights" in fit
    assert "self.do_sampling(" in inspect.getsource(EmceeOptimizer._fit)


def test_optimizer_saves_and_goes_on_when_interrupted() -> None:
    source = inspect.getsource(EmceeOptimizer.do_sampling)
    assert "except KeyboardInterrupt" in source
    assert source.rstrip().endswith("self.save_sampler_state()")


def test_sampler_has_the_pool_and_counts_we_read() -> None:
    sampler = emcee.EnsembleSampler(4, 2, lambda _: 0.0, kwargs={"prior_rvs": []}, pool="the pool")
    assert sampler.pool == "the pool"
    assert sampler.lnprobfn.kwargs == {"prior_rvs": []}
    assert list(sampler.naccepted) == [0, 0, 0, 0]


def test_client_maps_plain_functions_with_keywords() -> None:
    assert "**kwargs" in str(inspect.signature(ImmediateClient.map))
