"""The figures of a sampling, formatted for people."""

from espei_hpc.sampler.sampling import Sampling
from espei_hpc.text import counted

PREPARING = "workers are preparing, time left unknown"


def numbers(sampling: Sampling) -> str:
    """Return the log-probabilities and the acceptance in one line."""
    if not sampling.done:
        return "starting walkers"
    return (
        f"log-probability best {sampling.best:.2f}, median {sampling.median:.2f}; "
        f"acceptance {sampling.acceptance:.2f}"
    )


def workers(sampling: Sampling) -> str | None:
    """Return the number of workers and how busy they were recently; None if unknown."""
    if sampling.workers is None:
        return None
    busy = "" if sampling.busy is None else f", {sampling.busy:.0%} busy"
    return f"{counted(sampling.workers, 'worker')}{busy}"


def goal(sampling: Sampling) -> str | None:
    """Return how close the chain is to its goal; None if there is no goal."""
    judged = sampling.judged
    return None if judged is None else f"{judged}, at iteration {judged.iterations}"


def pace(sampling: Sampling) -> str | None:
    """Return the mean and recent time per iteration, and the time left.

    None if they are unknown and no worker is preparing.
    """
    if sampling.pace is None or sampling.left is None:
        return PREPARING if sampling.preparing else None
    late = f"{sampling.pace:.3g} s"
    mean = late if sampling.mean is None else f"{sampling.mean:.3g} s"
    each = f"{late} per iteration" if mean == late else f"{mean} per iteration, {late} recently"
    return f"{each}, {duration(sampling.left)} left"


def duration(seconds: float) -> str:
    """Format a time in seconds: ``12 s``, ``3 min``, ``5 h 20 min``."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"
