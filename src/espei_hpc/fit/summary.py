"""Summary of a fit, in a few lines."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from espei_hpc.fit.impossible import stuck
from espei_hpc.sampler.goal import Judgement
from espei_hpc.sampler.moves import STRETCH
from espei_hpc.sampler.sampling import Sampling
from espei_hpc.text import counted


def lines(sampling: Sampling, outputs: tuple[Path, ...], outside: Sequence[int] = ()) -> list[str]:
    """Return the lines of the summary: log-probability before and after, acceptance, files, goal.

    Args:
        sampling: the state of the sampling.
        outputs: the files that the fit writes.
        outside: numbers of the walkers that started outside a prior, counted from 1.
    """
    text = []
    if sampling.done:
        walkers = sampling.last.size
        text.append(
            f"iterations       {sampling.done} of {sampling.iterations}, {counted(walkers, 'walker')}"
        )
        if sampling.sampler != STRETCH:
            text.append(f"sampler          {sampling.sampler}")
        text.append(f"log-probability  {_start(sampling)}{_number(sampling.best)} (best of the chain)")
        text.append(f"acceptance       {sampling.acceptance:.2f}")
        text += stuck(sampling.last, outside)
    text += [f"written          {path}" for path in outputs if path.exists()]
    if sampling.judged is not None:
        text.append(_goal(sampling, sampling.judged))
    return text


def _goal(sampling: Sampling, judged: Judgement) -> str:
    """Return whether the goal is reached, in one line."""
    if judged.reached:
        return f"goal reached: {judged}, after {sampling.done} of {counted(sampling.iterations, 'iteration')}"
    return f"goal not reached: {judged}, at iteration {judged.iterations} of {sampling.iterations}"


def _start(sampling: Sampling) -> str:
    """Return the best log-probability at the start; empty if this fit was resumed from a checkpoint."""
    if not sampling.start.size:
        return ""
    return f"{_number(float(np.max(sampling.start)))} (best starting walker) -> "


def _number(value: float) -> str:
    return f"{value:.4f}" if np.isfinite(value) else str(value)
