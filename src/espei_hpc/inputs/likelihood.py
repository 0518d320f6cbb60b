"""Checking that ESPEI can build its likelihood, and evaluate it where the chain starts."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from espei.error_functions.context import setup_context
from espei.optimizers.opt_mcmc import EmceeOptimizer
from pycalphad import Database

from espei_hpc.errors import reason
from espei_hpc.inputs.datasets import Dataset, as_database
from espei_hpc.inputs.explanations import explanations
from espei_hpc.inputs.findings import Findings, named
from espei_hpc.inputs.phase_models import PhaseModels
from espei_hpc.inputs.system import System
from espei_hpc.inputs.walkers import FloatArray, Walkers


@dataclass(frozen=True)
class StartingLikelihood:
    """ESPEI's likelihood, evaluated by ESPEI itself.

    Attributes:
        database: the database to start from.
        models: the phase models.
        weights: weight of each data type.
        system: the active components and phases.
        walkers: where the chain starts.
    """

    database: Database
    models: PhaseModels
    weights: Mapping[str, float] | None
    system: System
    walkers: Walkers

    def attempt(self, datasets: Iterable[Dataset], positions: FloatArray | None) -> Exception | float:
        """Build the likelihood of some datasets and evaluate it.

        Args:
            datasets: the datasets.
            positions: parameter sets, shape (any number, parameters); None to build it only.

        Returns:
            the highest of the log-likelihoods (the first that is finite), or what ESPEI raised.
        """
        best = -np.inf
        try:
            context = setup_context(
                self.database,
                as_database(datasets),
                list(self.walkers.symbols),
                data_weights=self.weights,
                phase_models=self.models,
            )
            for position in () if positions is None else positions:
                # As in a fit, with no prior.
                value = float(EmceeOptimizer.predict(np.array(position, dtype=np.float64), **context))
                if not np.isneginf(value):
                    return value
        except Exception as error:
            return error
        return 0.0 if positions is None else best


def check_likelihood(
    likelihood: StartingLikelihood, datasets: Mapping[Path, Dataset], evaluate: bool, findings: Findings
) -> None:
    """Let ESPEI build its likelihood and evaluate it; if that fails, find the datasets that cause it.

    Args:
        likelihood: the likelihood.
        datasets: the datasets that ESPEI uses, by file.
        evaluate: whether to evaluate it at the starting values, too, which takes as long as in ESPEI.
        findings: collects the faults.
    """
    start = likelihood.walkers.initial if evaluate else None
    outcome = likelihood.attempt(datasets.values(), start)
    if isinstance(outcome, Exception) or np.isnan(outcome):
        _blame(likelihood, datasets, start, outcome, findings)
    elif np.isneginf(outcome):
        _check_impossible(likelihood, datasets, findings)


def _blame(
    likelihood: StartingLikelihood,
    datasets: Mapping[Path, Dataset],
    start: FloatArray | None,
    outcome: Exception | float,
    findings: Findings,
) -> None:
    """Name the datasets with which ESPEI fails; its likelihood as a whole if there is no such dataset."""
    does = "build its likelihood" if start is None else "evaluate its likelihood at the starting values"
    alone = {file: likelihood.attempt([dataset], start) for file, dataset in datasets.items()}
    failed = {file: error for file, error in alone.items() if _failed(error)}
    if not failed or _failed(likelihood.attempt([], start)):
        findings.fault("mcmc", f"ESPEI cannot {does}: {_reason(outcome)}")
        return
    for file, error in failed.items():
        known = explanations(datasets[file], likelihood.database, likelihood.system)
        for what, cure in known:
            findings.fault_in(file, what, cure)
        if not known:
            findings.fault_in(file, f"ESPEI cannot {does}: {_reason(error)}")


def _failed(outcome: Exception | float) -> bool:
    return isinstance(outcome, Exception) or bool(np.isnan(outcome))


def _reason(outcome: Exception | float) -> str:
    return reason(outcome) if isinstance(outcome, Exception) else "the log-probability is not a number (NaN)"


def _check_impossible(
    likelihood: StartingLikelihood, datasets: Mapping[Path, Dataset], findings: Findings
) -> None:
    """Refuse datasets with which no walker has a finite log-probability."""
    walkers = likelihood.walkers
    guilty = {
        file: dataset
        for file, dataset in datasets.items()
        if likelihood.attempt([dataset], walkers.initial) == -np.inf
    } or dict(datasets)
    known = {
        file: explanations(dataset, likelihood.database, likelihood.system)
        for file, dataset in guilty.items()
    }
    # Of walkers that ESPEI draws anew in each fit, only the fit itself can know.
    certain = walkers.positions is not None or any(known.values())
    if not certain or likelihood.attempt(guilty.values(), walkers.known) != -np.inf:
        findings.note(
            f"system.datasets: the log-probability is minus infinity at the starting values, with "
            f"{named(guilty)}; walkers that start there move only to where it is finite"
        )
        return
    for file, why in known.items():
        for what, cure in why:
            findings.fault_in(file, what, cure)
        if not why:
            findings.fault_in(
                file,
                "with it the log-probability is minus infinity at the starting values and at all "
                f"{len(walkers.known)} starting walkers",
                "start from other values, or disable the dataset",
            )
