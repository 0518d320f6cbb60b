"""The seam to ESPEI: stock ``run_espei`` on a cluster, watched and stoppable.

This is the one module that leans on names which ESPEI does not promise:
``espei.espei_script.EmceeOptimizer`` (looked up there by ``run_espei``), its
``_fit`` and ``do_sampling(chains, iterations)`` and its ``sampler`` (emcee's
``EnsembleSampler`` with ``sample``, ``pool`` and the chain). A unit test fails
clearly if upstream changes them.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from distributed.comm.core import CommClosedError
from espei import espei_script
from espei.optimizers.opt_mcmc import EmceeOptimizer

from espei_hpc.fit.replica import Recipe, database_text, log_probability
from espei_hpc.fit.stop import Stopped, Stopper

FEWEST_ITERATIONS = 2
"""With fewer, ESPEI's ``optimal_parameters`` finds nothing and a database of zeros would be written."""

FloatArray = npt.NDArray[np.float64]


@dataclass
class Sampling:
    """What is known of the sampling while it runs and afterwards.

    Attributes:
        iterations: iterations asked for; 0 before the sampling begins.
        done: iterations finished.
        start: log-probabilities of the starting walkers, shape (walkers,).
        best: highest log-probability so far, the start included.
        last: log-probabilities of the walkers now, shape (walkers,).
        acceptance: fraction of proposals accepted so far, over all walkers.
    """

    iterations: int = 0
    done: int = 0
    start: FloatArray = field(default_factory=lambda: np.empty(0))
    best: float = -np.inf
    last: FloatArray = field(default_factory=lambda: np.empty(0))
    acceptance: float = 0.0


class _SafePool:
    """emcee's pool, which tells when evaluations are waited for, and keeps the first values.

    Args:
        client: ESPEI's Dask client.
        recipe: what workers build the likelihood from; None to send ESPEI's own context.
        stopper: told when a stop is safe.
        sampling: takes the log-probabilities of the starting walkers.
    """

    def __init__(self, client: Any, recipe: Recipe | None, stopper: Stopper, sampling: Sampling) -> None:
        self._client = client
        # Held by every worker before the first evaluation, so that none waits for another.
        self._recipe = client.scatter(recipe.packed(), broadcast=True, hash=False) if recipe else None
        self._stopper = stopper
        self._sampling = sampling

    def map(self, function: Any, parameters: Iterable[Any]) -> list[Any]:
        """Evaluate emcee's ``function`` for each of ``parameters``; a stop is safe in here."""
        self._stopper.evaluating(begins=True)
        try:
            values = self._evaluate(function, parameters)
        except (CommClosedError, CancelledError, asyncio.CancelledError) as error:
            # ESPEI would end without saving; answered like a stop, it saves first.
            self._stopper.lost = f"the connection to the cluster was lost ({error})"
            raise KeyboardInterrupt from error
        finally:
            self._stopper.evaluating(begins=False)
        if not self._sampling.start.size:
            self._sampling.start = np.array(values, dtype=np.float64)
        return values

    def _evaluate(self, function: Any, parameters: Iterable[Any]) -> list[Any]:
        if self._recipe is None:
            return list(self._client.map(function, parameters))
        priors = function.kwargs["prior_rvs"]
        return list(self._client.map(log_probability, parameters, recipe=self._recipe, priors=priors))


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
    with _observed(settings, stopper, sampling, report):
        espei_script.run_espei(settings)
    return sampling


@contextmanager
def _observed(
    settings: dict[str, Any],
    stopper: Stopper,
    sampling: Sampling,
    report: Callable[[Sampling], None],
) -> Iterator[None]:
    """Have ``run_espei`` use an optimizer that reports and can be stopped."""

    class ObservedOptimizer(EmceeOptimizer):  # type: ignore[misc]
        def _fit(self, symbols: list[str], ds: Any, *args: Any, **kwargs: Any) -> Any:
            self.recipe = _recipe(settings, self.phase_models, symbols, ds, kwargs["mcmc_data_weights"])
            return super()._fit(symbols, ds, *args, **kwargs)

        def do_sampling(self, chains: FloatArray, iterations: int) -> None:
            stopper.sampling()
            sampling.iterations = iterations
            sampler = self.sampler
            sampler.pool = _SafePool(sampler.pool, self.recipe, stopper, sampling)
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

    espei_script.EmceeOptimizer = ObservedOptimizer
    try:
        yield
    finally:
        espei_script.EmceeOptimizer = EmceeOptimizer


def _recipe(
    settings: dict[str, Any],
    phase_models: dict[str, Any],
    symbols: list[str],
    datasets: Any,
    data_weights: dict[str, float] | None,
) -> Recipe | None:
    """Return what the workers need; None if the database is made in this run, so that no file has it."""
    input_database = settings["mcmc"].get("input_db")
    if input_database is None:
        return None
    text, form = database_text(Path(input_database))
    return Recipe(
        text, form, phase_models, [dict(dataset) for dataset in datasets.all()], symbols, data_weights
    )


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
