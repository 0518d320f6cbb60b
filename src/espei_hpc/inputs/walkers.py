"""Where the walkers of a chain start, as ESPEI places them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from espei.optimizers.opt_mcmc import EmceeOptimizer

from espei_hpc.inputs.settings import Settings

MOST = 10_000_000
"""Maximum size of an array that is made for a check."""
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Walkers:
    """The start of a chain.

    Attributes:
        symbols: the symbols to fit, in ESPEI's order.
        initial: their values in the database, shape (1, parameters).
        positions: the starting walkers, shape (walkers, parameters); None if they are not known,
            because ESPEI draws them anew in each fit or the settings are faulty.
    """

    symbols: tuple[str, ...]
    initial: FloatArray
    positions: FloatArray | None

    @property
    def known(self) -> FloatArray:
        """The starting walkers, or the initial values alone if they are not known."""
        return self.initial if self.positions is None else self.positions


def starting_walkers(mcmc: Settings, values: Mapping[str, float]) -> Walkers:
    """Return the starting walkers of checked settings.

    Args:
        mcmc: the settings.
        values: the starting values, by symbol.
    """
    initial = np.array([list(values.values())], dtype=np.float64)
    return Walkers(tuple(values), initial, _positions(mcmc, initial[0]))


def _positions(mcmc: Mapping[str, Any], initial: FloatArray) -> FloatArray | None:
    try:
        made = _made(mcmc, initial)
    except Exception:  # settings whose fault is reported where they are checked
        return None
    return made if made is not None and made.shape[1:] == initial.shape else None


def _made(mcmc: Mapping[str, Any], initial: FloatArray) -> FloatArray | None:
    if "restart_trace" in mcmc:
        trace = np.load(Path(mcmc["restart_trace"]))
        return np.asarray(EmceeOptimizer.initialize_chains_from_trace(trace), dtype=np.float64)
    spread, chains = mcmc["chain_std_deviation"], mcmc["chains_per_parameter"]
    if mcmc.get("deterministic", True) is not True or chains * initial.size**2 > MOST:
        return None
    made = EmceeOptimizer.initialize_new_chains(initial, chains, spread, True)
    return np.asarray(made, dtype=np.float64)
