"""Small real inputs, what stock ESPEI makes of them, and parameters to try."""

import copy
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from espei import espei_script

from espei_hpc.likelihood import Description, Evaluator, LikelihoodError, LikelihoodRecipe, combine, source
from espei_hpc.likelihood.upstream import espei as upstream
from support import EXAMPLE

FloatArray = npt.NDArray[np.float64]
Outcome = bytes | str
"""The bits of a log-probability, or type and text of the exception raised instead."""

EXAMPLE_DATA = {path.name: json.loads(path.read_text()) for path in (EXAMPLE / "datasets").glob("*.json")}
ENTHALPIES = {name: data for name, data in EXAMPLE_DATA.items() if "HM" in name}


def all_kinds() -> dict[str, Any]:
    """A dataset or two of every kind that ESPEI's residuals know."""
    boundaries = copy.deepcopy(EXAMPLE_DATA["ZPF-eutectics.json"])
    enthalpy = copy.deepcopy(EXAMPLE_DATA["LIQUID-HM_MIX.json"])
    equilibrium = {
        "components": ["CU", "MG", "VA"],
        "phases": ["LIQUID"],
        "conditions": {"P": 101325, "T": [1200.0, 1300.0], "X_MG": [0.3, 0.6]},
        "output": "HM",
        "values": [[[20000.0, 21000.0], [24000.0, 25000.0]]],
        "reference": "made up",
    }
    referred = equilibrium | {
        "phases": ["FCC_A1", "LIQUID"],
        "reference_states": {"CU": {"phase": "LIQUID"}, "MG": {"phase": "LIQUID"}},
        "conditions": {"P": 101325, "T": 1200.0, "X_MG": [0.5]},
        "output": "HMR",
        "values": [[[-9000.0]]],
        "weight": 2.0,
    }
    return {
        "boundaries.json": boundaries,
        "congruent.json": EXAMPLE_DATA["ZPF-congruent-melting.json"] | {"weight": 3},
        "enthalpy.json": enthalpy,
        "entropy.json": EXAMPLE_DATA["LIQUID-SM_MIX.json"],
        "compound.json": EXAMPLE_DATA["LAVES_C15-HM_FORM.json"],
        "activity.json": EXAMPLE_DATA["LIQUID-ACR_MG.json"] | {"weight": 0.5},
        "equilibrium.json": equilibrium,
        "referred.json": referred,
    }


def activity_grid() -> dict[str, Any]:
    """Activities at two temperatures and three compositions each, with values in no simple order."""
    activities: dict[str, Any] = EXAMPLE_DATA["LIQUID-ACR_MG.json"]
    return activities | {
        "conditions": {"P": 101325, "T": [1100, 1200], "X_MG": [0.3, 0.5, 0.7]},
        "values": [[[0.06, 0.26, 0.59], [0.09, 0.29, 0.61]]],
    }


def write(directory: Path, datasets: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Write datasets and return ESPEI's settings for fitting the example's database to them.

    Args:
        directory: where to.
        datasets: content of each file by its name.
        changes: settings of the section ``mcmc`` that differ.
    """
    folder = directory / "datasets"
    folder.mkdir(parents=True)
    for name, data in datasets.items():
        (folder / name).write_text(json.dumps(data))
    sampling: dict[str, Any] = {
        "input_db": str(EXAMPLE / "cu-mg_start.tdb"),
        "iterations": 2,
        "scheduler": None,
        "data_weights": {"ZPF": 0.7, "HM": 0.7},
    }
    return {
        "system": {"phase_models": str(EXAMPLE / "phase_models.json"), "datasets": str(folder)},
        "mcmc": sampling | changes,
        "output": {"output_db": str(directory / "out.tdb"), "tracefile": "None", "probfile": "None"},
    }


def write_generating(directory: Path, datasets: dict[str, Any]) -> dict[str, Any]:
    """Write datasets and return settings with which ESPEI makes the database itself, then fits it."""
    settings = write(directory, datasets)
    del settings["mcmc"]["input_db"]
    return settings | {"generate_parameters": {"excess_model": "linear", "ref_state": "SGTE91"}}


@dataclass(frozen=True)
class Stock:
    """What stock ESPEI had when it was about to sample."""

    context: dict[str, Any]
    recipe: LikelihoodRecipe
    initial: FloatArray
    chains: FloatArray

    def outcome(self, parameters: FloatArray) -> Outcome:
        """Evaluate by stock ESPEI."""
        try:
            value = upstream.EmceeOptimizer.predict(parameters, **self.context)
        except Exception as error:
            return f"{type(error).__name__}: {error}"
        assert type(value) is np.float64
        return value.tobytes()


TRUSTING = 10**9
"""Evaluations after which a unit is compared again: never, once its first ones were."""


class _Captured(Exception):
    pass


def stock(settings: dict[str, Any]) -> Stock:
    """Run stock ESPEI up to its sampling."""
    captured: list[Stock] = []

    class Capturing(upstream.EmceeOptimizer):  # type: ignore[misc]
        def _fit(self, symbols: list[str], ds: Any, *args: Any, **kwargs: Any) -> Any:
            self.fitted = (symbols, ds, kwargs["mcmc_data_weights"])
            return super()._fit(symbols, ds, *args, **kwargs)

        def do_sampling(self, chains: FloatArray, iterations: int) -> None:
            symbols, datasets, weights = self.fitted
            context = self.sampler.kwargs
            recipe = LikelihoodRecipe(
                database=source(settings),
                phase_models=self.phase_models,
                datasets=[dict(dataset) for dataset in datasets.all()],
                symbols=symbols,
                data_weights=weights,
                priors=context["prior_rvs"],
                verify=TRUSTING,
            )
            captured.append(Stock(context, recipe, chains[0].copy(), chains))
            raise _Captured

    try:
        with upstream.optimizer(Capturing):
            espei_script.run_espei(copy.deepcopy(settings))
    except _Captured:
        return captured[0]
    raise AssertionError("ESPEI ended without sampling")


def split_outcome(
    evaluator: Evaluator, parameters: FloatArray, pieces: Iterable[tuple[int, ...] | None] = (None,)
) -> Outcome:
    """Evaluate in pieces, in the given order, and put them together; what is prepared stays so."""
    parts = [evaluator(parameters, units) for units in pieces]
    assert [note for part in parts for note in part.notes] == []
    return combined(evaluator.description, parts)


def combined(description: Description, parts: Iterable[Any]) -> Outcome:
    """Combine, and return what came of it in the same terms as ``Stock.outcome``."""
    try:
        value = combine(description, parts)
    except LikelihoodError as error:
        return error.error
    assert type(value) is np.float64
    return value.tobytes()


def random_pieces(description: Description, random: np.random.Generator) -> list[tuple[int, ...]]:
    """Share out all units at random, over a random number of pieces in random order."""
    number = int(random.integers(1, len(description.units) + 1))
    shares = random.integers(number, size=len(description.units))
    pieces = [tuple(np.flatnonzero(shares == share).tolist()) for share in range(number)]
    random.shuffle(pieces)
    return pieces


SPREADS = (0.05, 0.05, 0.3, 1.0, 10.0, 1e3, 1e6, 1e12, 1e300)
"""Standard deviations of parameters around their starting values, relative to these."""
ALONE = (np.inf, -np.inf, np.nan, 1e20, -1e20, 0.0)
"""Values of one symbol far off while the others stay."""


def vectors(
    initial: FloatArray,
    number: int,
    seed: int,
    spreads: Sequence[float] = SPREADS,
    alone: Sequence[float] = ALONE,
) -> list[FloatArray]:
    """Return parameters near and far, out of all reason, infinite and not a number."""
    random = np.random.default_rng(seed)
    found = []
    for index in range(number):
        spread = spreads[index % len(spreads)]
        vector = initial * (1 + spread * random.standard_normal(initial.size))
        if index % 5 == 4:  # one symbol alone far off: some units fail then, others do not
            vector = initial.copy()
            vector[random.integers(initial.size)] = random.choice(alone)
        found.append(vector)
    return found
