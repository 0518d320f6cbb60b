"""What is known of a sampling while it runs: for the progress, and for the summary."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

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
