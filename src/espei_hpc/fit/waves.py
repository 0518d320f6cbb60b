"""Evaluations side by side: all points are given to the workers at once, in pieces if they are few."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from espei_hpc.fit.engine import TURN_SECONDS, Differs
from espei_hpc.likelihood import Description, Evaluated, cut
from espei_hpc.sampler import FloatArray
from espei_hpc.workers.dispatch import Job
from espei_hpc.workers.pool import Pool
from espei_hpc.workers.results import Done, Failed


@dataclass
class Waves:
    """Evaluates points on the workers.

    Attributes:
        pool: the workers, each with an evaluator of the likelihood.
        description: the units of the evaluators.
        turn: called between two waits; may raise to end the wave.
        failures: why points could not be evaluated; the caller empties it.
    """

    pool: Pool
    description: Description
    turn: Callable[[], None]
    failures: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._number = 0
        self._seconds = dict.fromkeys(range(len(self.description.units)), 1.0)

    def evaluate(self, points: Sequence[FloatArray], came: Callable[[int, Evaluated | None], None]) -> None:
        """Evaluate points.

        Args:
            points: parameter sets, shape (parameters,) each.
            came: called with the number of each point when it is evaluated; None instead of the results if
                the worker could not.

        Raises:
            Differs: if a prepared unit is found to be wrong.
            Refusal: if no worker is left.
        """
        self._number += 1
        pieces = cut(self._seconds, -(-self.pool.workers // max(1, len(points))))
        jobs = deque(
            Job(
                (self._number, point, piece),
                (len(pieces), piece),
                (points[point], units),
                (self._number, point),
            )
            for point in range(len(points))
            for piece, units in enumerate(pieces)
        )
        parts: dict[int, list[Evaluated | None]] = {point: [] for point in range(len(points))}
        left = len(points)
        while left:
            self.turn()
            while jobs and self.pool.room():
                self.pool.give(jobs.popleft())
            for answer in self.pool.wait(TURN_SECONDS):
                point = answer.job.priority[1]
                parts[point].append(self._value(answer))
                if len(parts[point]) == len(pieces):
                    left -= 1
                    came(point, self._joined(parts[point]))

    def _value(self, answer: Done | Failed) -> Evaluated | None:
        if isinstance(answer, Failed):
            self.failures.append(f"{answer.cause}: {answer.error}")
            return None
        value: Evaluated = answer.value
        if value.differences:
            raise Differs(value.differences[0])
        return value

    def _joined(self, parts: Sequence[Evaluated | None]) -> Evaluated | None:
        found = [part for part in parts if part is not None]
        if len(found) < len(parts):
            return None
        whole = Evaluated(found[0].prior)
        for part in found:
            whole.results.update(part.results)
            whole.seconds.update(part.seconds)
        if set(whole.seconds) == set(self._seconds):
            self._seconds = {unit: max(taken, 1e-6) for unit, taken in whole.seconds.items()}
        return whole
