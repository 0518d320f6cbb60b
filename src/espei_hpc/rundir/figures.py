"""The figures of a sampling as people read them."""

from espei_hpc.sampler.sampling import Sampling

PREPARING = "workers are preparing, time left not known yet"


def numbers(sampling: Sampling) -> str:
    """Say in one line where the walkers are."""
    if not sampling.done:
        return "starting walkers"
    return (
        f"log-probability best {sampling.best:.2f}, median {sampling.median:.2f}; "
        f"acceptance {sampling.acceptance:.2f}"
    )


def workers(sampling: Sampling) -> str | None:
    """Say how many workers there are and how busy they are of late; None where that is not known."""
    if sampling.workers is None:
        return None
    busy = "" if sampling.busy is None else f", {sampling.busy:.0%} busy"
    return f"{sampling.workers} worker{'' if sampling.workers == 1 else 's'}{busy}"


def goal(sampling: Sampling) -> str | None:
    """Say how far the chain is from a goal besides the iterations; None without one."""
    judged = sampling.judged
    return None if judged is None else f"{judged}, at iteration {judged.iterations}"


def pace(sampling: Sampling) -> str | None:
    """Say how long an iteration takes, of late if that is another, and how long all that are left.

    None where neither is known and nobody prepares.
    """
    if sampling.pace is None or sampling.left is None:
        return PREPARING if sampling.preparing else None
    late = f"{sampling.pace:.3g} s"
    mean = late if sampling.mean is None else f"{sampling.mean:.3g} s"
    each = f"{late} an iteration" if mean == late else f"{mean} an iteration, {late} of late"
    return f"{each}, {duration(sampling.left)} left"


def duration(seconds: float) -> str:
    """Write a time as people say it: ``12 s``, ``3 min``, ``5 h 20 min``."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"
