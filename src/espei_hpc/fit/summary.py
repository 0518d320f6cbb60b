"""What a fit has come to, in a few lines."""

from pathlib import Path

import numpy as np

from espei_hpc.fit.stock import Sampling


def lines(sampling: Sampling, outputs: tuple[Path, ...]) -> list[str]:
    """Return the lines of the summary: log-probability before and after, acceptance, files."""
    text = []
    if sampling.start.size:
        text.append(
            f"iterations       {sampling.done} of {sampling.iterations}, {sampling.start.size} walkers"
        )
        text.append(
            f"log-probability  {_number(float(np.max(sampling.start)))} (best starting walker) -> "
            f"{_number(sampling.best)} (best of the chain)"
        )
        text.append(f"acceptance       {sampling.acceptance:.2f}")
    text += [f"written          {path}" for path in outputs if path.exists()]
    return text


def _number(value: float) -> str:
    return f"{value:.4f}" if np.isfinite(value) else str(value)
