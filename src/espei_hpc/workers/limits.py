"""How long what may take before it is given up."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Bounds of waiting, in seconds, and of trying.

    Attributes:
        making: until a first worker has its evaluator.
        workers: without any worker, or without the scheduler.
        refusal: without the scheduler, if its host refuses connections to it.
        answer: without any answer, on top of the bound of the job that takes longest.
        poll: between two looks at which workers there are.
        deaths: losses of its worker after which a job is given up, and losses of a
            worker after which it takes no further part.
        pause: before a job that lost two workers goes to a third one: should the
            whole cluster be dying, that shows meanwhile.
    """

    making: float = 300.0
    workers: float = 60.0
    refusal: float = 3.0
    answer: float = 600.0
    poll: float = 2.0
    deaths: int = 3
    pause: float = 5.0
