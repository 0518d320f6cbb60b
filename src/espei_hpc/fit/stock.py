"""ESPEI's own sampling loop on a cluster, for comparison; it can be observed and stopped.

It has no checkpoints, and a barrier between half-steps. One thing differs from ESPEI: the
likelihood is not sent with each task but built in each worker (see ``likelihood.recipe``).
"""

import asyncio
import functools
import time
from collections.abc import Callable, Iterable
from concurrent.futures import CancelledError
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from distributed.comm.core import CommClosedError
from espei import espei_script

from espei_hpc.fit.graph_optimizer import FEWEST_ITERATIONS, recipe
from espei_hpc.fit.impossible import refuse_impossible
from espei_hpc.fit.stop import Stopped, Stopper
from espei_hpc.inputs.dataset_files import dataset_files
from espei_hpc.likelihood import LikelihoodRecipe
from espei_hpc.likelihood.upstream import espei as upstream
from espei_hpc.sampler.pace import Recent
from espei_hpc.sampler.sampling import Sampling
from espei_hpc.sampler.state import FloatArray


class _SafePool:
    """A pool for emcee that allows a stop while it waits for evaluations, and keeps the first values.

    Args:
        client: ESPEI's Dask client.
        packed: the packed recipe from which workers build the likelihood.
        stopper: notified when a stop is safe.
        sampling: receives the log-probabilities of the starting walkers.
        recent: receives each evaluation.
    """

    def __init__(
        self, client: Any, packed: bytes, stopper: Stopper, sampling: Sampling, recent: Recent
    ) -> None:
        self._client = client
        # Every worker has it before the first evaluation, so that no worker waits for another.
        self._recipe = client.scatter(packed, broadcast=True, hash=False)
        self._stopper = stopper
        self._sampling = sampling
        self._recent = recent

    def map(self, _: Any, parameters: Iterable[Any]) -> list[Any]:
        """Evaluate the log-probability for each of ``parameters``; a stop is safe in here."""
        self._stopper.evaluating(begins=True)
        try:
            values = self._evaluate(parameters)
        except (CommClosedError, CancelledError, asyncio.CancelledError) as error:
            # ESPEI would end without saving; after a KeyboardInterrupt it saves first.
            self._stopper.lost = f"lost the connection to the cluster ({error})"
            raise KeyboardInterrupt from error
        finally:
            self._stopper.evaluating(begins=False)
        if not self._sampling.start.size:
            self._sampling.start = np.array(values, dtype=np.float64)
            refuse_impossible(self._sampling.start)
        return values

    def _evaluate(self, parameters: Iterable[Any]) -> list[Any]:
        answers = list(self._client.map(log_probability, parameters, recipe=self._recipe))
        for answer in answers:
            self._recent.answered(answer.seconds, preparing=answer.built)
        return [answer.value for answer in answers]


def run(settings: dict[str, Any], stopper: Stopper, report: Callable[[Sampling], None]) -> Sampling:
    """Run stock ESPEI.

    Args:
        settings: ESPEI's input, with ``mcmc.scheduler`` naming the cluster's scheduler file.
        stopper: checked at every safe point.
        report: called when the sampling begins and after every iteration.

    Returns:
        the state of the sampling; ESPEI has written its files.

    Raises:
        Stopped: if stopped before there were enough iterations to write a database. A later
            stop ends the sampling early instead; ESPEI then saves what it has.
    """
    observer = _StockObserver(settings, stopper, report)
    with upstream.optimizer(upstream.observed_by(observer)), upstream.datasets_found_by(dataset_files):
        espei_script.run_espei(settings)
    return observer.sampling


class _StockObserver:
    """Keeps the state of the sampling up to date, and makes it stoppable."""

    def __init__(
        self, settings: dict[str, Any], stopper: Stopper, report: Callable[[Sampling], None]
    ) -> None:
        self.sampling = Sampling()
        self._settings = settings
        self._stopper = stopper
        self._report = report

    def begin(self, prepared: upstream.Prepared, iterations: int, client: Any) -> _SafePool:
        self._stopper.sampling()
        self.sampling.iterations = iterations
        self._recent = Recent(time.monotonic(), 0)
        self.sampling.paced(self._recent)
        packed = recipe(self._settings, prepared).packed()
        pool = _SafePool(client, packed, self._stopper, self.sampling, self._recent)
        self._report(self.sampling)
        return pool

    def step(self, log_probabilities: FloatArray, acceptance: float) -> None:
        sampling = self.sampling
        sampling.done += 1
        sampling.last = log_probabilities
        sampling.best = max(sampling.best, float(np.max(sampling.start)), float(np.max(log_probabilities)))
        sampling.acceptance = acceptance
        self._recent.passed(time.monotonic(), 0)
        self._recent.iterated(sampling.done)
        sampling.paced(self._recent)
        self._report(sampling)

    def end(self, files: tuple[str | None, str | None]) -> None:
        if not self.sampling.done:
            # Empty arrays are useless, and the next start would refuse to overwrite them.
            for name in files:
                if name is not None:
                    Path(name).unlink(missing_ok=True)
        if self.sampling.done < FEWEST_ITERATIONS:
            raise Stopped


class _StockAnswer(NamedTuple):
    """A worker's result."""

    value: float
    seconds: float
    built: bool
    """Whether the worker also built its likelihood in this time."""


def log_probability(parameters: FloatArray, recipe: bytes) -> _StockAnswer:
    """Return the result of ESPEI's ``EmceeOptimizer.predict``; runs in a worker."""
    begin, builds = time.perf_counter(), _context.cache_info().misses
    value = upstream.EmceeOptimizer.predict(parameters, **_context(recipe))
    return _StockAnswer(value, time.perf_counter() - begin, _context.cache_info().misses > builds)


@functools.lru_cache(maxsize=1)
def _context(packed: bytes) -> dict[str, Any]:
    recipe = LikelihoodRecipe.unpacked(packed)
    built = recipe.build()
    return {
        "symbols_to_fit": list(built.symbols),
        "residual_objs": built.residuals,
        "prior_rvs": recipe.priors,
    }
