"""ESPEI's own fit with our sampler inside: ESPEI reads, prepares and writes, the engine samples.

``run_espei`` does all that it does for the stock sampler (datasets, starting
walkers, priors, the best parameters, the database); only ``do_sampling`` is ours.
"""

import copy
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from espei import espei_script

from espei_hpc import upstream
from espei_hpc.fit.sampling import FloatArray
from espei_hpc.fit.stop import Stopped
from espei_hpc.likelihood import Recipe, source
from espei_hpc.sampler import State

FEWEST_ITERATIONS = 2
"""With fewer, ESPEI's ``optimal_parameters`` finds nothing and a database of zeros would be written."""

Sample = Callable[[State, Callable[[], Recipe]], tuple[FloatArray, FloatArray]]
"""Samples from a starting state; the recipe of the likelihood is made when it is needed.

Returns positions, shape (walkers, iterations, parameters), and log-probabilities, (walkers, iterations).
"""


def run(settings: dict[str, Any], sample: Sample) -> None:
    """Run ESPEI with ``sample`` in place of its sampling.

    Args:
        settings: ESPEI's checked input.
        sample: does the sampling.

    Raises:
        Stopped: if too few iterations were done to make a database of.
    """
    # Neither a cluster nor arrays of ESPEI's: both are ours.
    settings = copy.deepcopy(settings)
    settings["mcmc"]["scheduler"] = None
    settings["mcmc"].pop("cores", None)
    settings["output"] |= {"tracefile": "None", "probfile": "None"}
    with upstream.optimizer(_optimizer(settings, sample)):
        espei_script.run_espei(settings)


def recipe(settings: Mapping[str, Any], optimizer: Any) -> Recipe:
    """Return what workers build ESPEI's likelihood from.

    Args:
        settings: ESPEI's checked input.
        optimizer: ours, whose ``fitted`` holds symbols, datasets and data weights as ``_fit`` got them.
    """
    symbols, datasets, weights = optimizer.fitted
    return Recipe(
        database=source(settings),
        phase_models=optimizer.phase_models,
        datasets=[dict(dataset) for dataset in datasets.all()],
        symbols=list(symbols),
        data_weights=weights,
        priors=optimizer.sampler.kwargs["prior_rvs"],
    )


def _optimizer(settings: Mapping[str, Any], sample: Sample) -> type[Any]:
    class GraphOptimizer(upstream.EmceeOptimizer):  # type: ignore[misc]
        def _fit(self, symbols: list[str], ds: Any, *args: Any, **kwargs: Any) -> Any:
            self.fitted = (symbols, ds, kwargs["mcmc_data_weights"])
            return super()._fit(symbols, ds, *args, **kwargs)

        @staticmethod
        def predict(params: FloatArray, **ctx: Any) -> float:
            # ESPEI evaluates the initial guess once, for its log alone; the workers do it again.
            return float("nan")

        def do_sampling(self, chains: FloatArray, iterations: int) -> None:
            start = State(
                iteration=0,
                positions=np.array(chains, dtype=np.float64),
                log_probabilities=None,
                accepted=np.zeros(len(chains), dtype=np.int64),
                random=self.sampler.random_state,
            )
            positions, log_probabilities = sample(start, lambda: recipe(settings, self))
            if positions.shape[1] < FEWEST_ITERATIONS:
                raise Stopped
            upstream.store_chain(self.sampler, positions, log_probabilities)

    return GraphOptimizer
