"""ESPEI's own sampling loop on a cluster, watched and stoppable: for comparison.

Only the likelihood is not sent as ESPEI does it but built in each worker (see
``likelihood.recipe``); without checkpoints, and with the barrier between half-steps.
"""

import asyncio
import functools
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError
from pathlib import Path
from typing import Any

import numpy as np
from distributed.comm.core import CommClosedError
from espei import espei_script

from espei_hpc import upstream
from espei_hpc.fit.graph_optimizer import FEWEST_ITERATIONS, recipe
from espei_hpc.fit.sampling import FloatArray, Sampling
from espei_hpc.fit.stop import Stopped, Stopper
from espei_hpc.likelihood import Recipe


class _SafePool:
    """emcee's pool, which tells when evaluations are waited for, and keeps the first values.

    Args:
        client: ESPEI's Dask client.
        packed: the packed recipe that workers build the likelihood from.
        stopper: told when a stop is safe.
        sampling: takes the log-probabilities of the starting walkers.
    """

    def __init__(self, client: Any, packed: bytes, stopper: Stopper, sampling: Sampling) -> None:
        self._client = client
        # Held by every worker before the first evaluation, so that none waits for another.
        self._recipe = client.scatter(packed, broadcast=True, hash=False)
        self._stopper = stopper
        self._sampling = sampling

    def map(self, _: Any, parameters: Iterable[Any]) -> list[Any]:
        """Evaluate the log-probability for each of ``parameters``; a stop is safe in here."""
        self._stopper.evaluating(begins=True)
        try:
            values = self._evaluate(parameters)
        except (CommClosedError, CancelledError, asyncio.CancelledError) as error:
            # ESPEI would end without saving; answered like a stop, it saves first.
            self._stopper.lost = f"the connection to the cluster was lost ({error})"
            raise KeyboardInterrupt from error
        finally:
            self._stopper.evaluating(begins=False)
        if not self._sampling.start.size:
            self._sampling.start = np.array(values, dtype=np.float64)
        return values

    def _evaluate(self, parameters: Iterable[Any]) -> list[Any]:
        return list(self._client.map(log_probability, parameters, recipe=self._recipe))


def run(settings: dict[str, Any], stopper: Stopper, report: Callable[[Sampling], None]) -> Sampling:
    """Run stock ESPEI.

    Args:
        settings: ESPEI's input, with ``mcmc.scheduler`` naming the cluster's scheduler file.
        stopper: asked at every safe point.
        report: called when the sampling begins and after every iteration.

    Returns:
        what is known of the sampling; ESPEI has written its files.

    Raises:
        Stopped: when stopped before there was anything to make a database of. A later
            stop ends the sampling early instead; ESPEI then saves what it has.
    """
    sampling = Sampling()
    with upstream.optimizer(_observed(settings, stopper, sampling, report)):
        espei_script.run_espei(settings)
    return sampling


def _observed(
    settings: dict[str, Any],
    stopper: Stopper,
    sampling: Sampling,
    report: Callable[[Sampling], None],
) -> type[Any]:
    """Return an optimizer for ``run_espei`` that reports and can be stopped."""

    class ObservedOptimizer(upstream.EmceeOptimizer):  # type: ignore[misc]
        def _fit(self, symbols: list[str], ds: Any, *args: Any, **kwargs: Any) -> Any:
            self.fitted = (symbols, ds, kwargs["mcmc_data_weights"])
            return super()._fit(symbols, ds, *args, **kwargs)

        def do_sampling(self, chains: FloatArray, iterations: int) -> None:
            stopper.sampling()
            sampling.iterations = iterations
            sampler = self.sampler
            packed = recipe(settings, self).packed()
            sampler.pool = _SafePool(sampler.pool, packed, stopper, sampling)
            sampler.sample = _reporting(sampler, sampling, report)
            report(sampling)
            # With a client, ESPEI logs the workers' memory after each iteration, and dies at
            # random: now and then the client's own periodic update leaves the list of workers empty.
            self.scheduler = None
            super().do_sampling(chains, iterations)
            if not sampling.done:
                self.discard_empty_files()
            if sampling.done < FEWEST_ITERATIONS:
                raise Stopped

        def discard_empty_files(self) -> None:
            # Empty arrays hold nothing and would only bar the next start.
            for name in (self.tracefile, self.probfile):
                if name is not None:
                    Path(name).unlink(missing_ok=True)

    return ObservedOptimizer


def log_probability(parameters: FloatArray, recipe: bytes) -> float:
    """Return what ESPEI's ``EmceeOptimizer.predict`` does; runs in a worker."""
    return upstream.EmceeOptimizer.predict(parameters, **_context(recipe))  # type: ignore[no-any-return]


@functools.lru_cache(maxsize=1)
def _context(packed: bytes) -> dict[str, Any]:
    recipe = Recipe.unpacked(packed)
    built = recipe.build()
    return {
        "symbols_to_fit": list(built.symbols),
        "residual_objs": built.residuals,
        "prior_rvs": recipe.priors,
    }


def _reporting(
    sampler: Any, sampling: Sampling, report: Callable[[Sampling], None]
) -> Callable[..., Iterator[Any]]:
    """Return the sampler's ``sample``, reporting after each iteration."""
    sample = sampler.sample

    def reporting(*args: Any, **kwargs: Any) -> Iterator[Any]:
        for step in sample(*args, **kwargs):
            sampling.done += 1
            sampling.last = np.array(step[1], dtype=np.float64)
            sampling.best = max(sampling.best, float(np.max(sampling.start)), float(np.max(sampling.last)))
            sampling.acceptance = float(np.mean(sampler.naccepted)) / sampling.done
            yield step
            report(sampling)

    return reporting
