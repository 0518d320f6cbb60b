"""ESPEI's own fit with our sampler: ESPEI reads the input and writes the results, our engine samples.

``run_espei`` does what it does for the stock sampler (datasets, starting
walkers, priors, the best parameters, the database); only ``do_sampling`` is replaced.
"""

import copy
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from espei import espei_script

from espei_hpc.fit.stop import Stopped
from espei_hpc.inputs.dataset_files import dataset_files
from espei_hpc.likelihood import LikelihoodRecipe, source
from espei_hpc.likelihood.upstream import espei as upstream
from espei_hpc.sampler import FloatArray, State

FEWEST_ITERATIONS = 2
"""With fewer, ESPEI's ``optimal_parameters`` finds nothing, and it would write a database of zeros."""

Sample = Callable[[State, Callable[[], LikelihoodRecipe]], tuple[FloatArray, FloatArray]]
"""Samples from a starting state; the likelihood's recipe is made only if needed.

Returns positions, shape (walkers, iterations, parameters), and log-probabilities, (walkers, iterations).
"""


def run(settings: dict[str, Any], sample: Sample) -> None:
    """Run ESPEI with ``sample`` in place of its sampling.

    Args:
        settings: ESPEI's checked input.
        sample: does the sampling.

    Raises:
        Stopped: if there are too few iterations to write a database.
    """
    # ESPEI must neither start a cluster nor write arrays: we do both.
    settings = copy.deepcopy(settings)
    settings["mcmc"]["scheduler"] = None
    settings["mcmc"].pop("cores", None)
    settings["output"] |= {"tracefile": "None", "probfile": "None"}

    def sample_enough(prepared: upstream.Prepared) -> tuple[FloatArray, FloatArray]:
        start = State(
            iteration=0,
            positions=prepared.chains,
            log_probabilities=None,
            accepted=np.zeros(len(prepared.chains), dtype=np.int64),
            random=prepared.random,
        )
        positions, log_probabilities = sample(start, lambda: recipe(settings, prepared))
        if positions.shape[1] < FEWEST_ITERATIONS:
            raise Stopped
        return positions, log_probabilities

    with (
        upstream.optimizer(upstream.sampled_by(sample_enough)),
        upstream.datasets_found_by(dataset_files),
        upstream.silent_on_cores(),
    ):
        espei_script.run_espei(settings)


def recipe(settings: Mapping[str, Any], prepared: upstream.Prepared) -> LikelihoodRecipe:
    """Return the recipe from which workers build ESPEI's likelihood.

    Args:
        settings: ESPEI's checked input.
        prepared: what ESPEI has prepared when its sampling begins.
    """
    return LikelihoodRecipe(
        database=source(settings),
        phase_models=prepared.phase_models,
        datasets=prepared.datasets,
        symbols=prepared.symbols,
        data_weights=prepared.data_weights,
        priors=prepared.priors,
    )
