"""The fit's main loop: sends ready tasks of the sampler to the workers in pieces, collects the results."""

from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

from espei_hpc.fit.cutting import Cutter, Pieces
from espei_hpc.likelihood import Description, Difference, Evaluated, LikelihoodError, combine
from espei_hpc.sampler import Block, FloatArray, Graph, Task
from espei_hpc.workers.dispatch import Job
from espei_hpc.workers.pool import Pool
from espei_hpc.workers.results import Done, Failed

TURN_SECONDS = 0.5
"""Longest wait for a result before stop requests and checkpoints are handled."""


class EvaluationFailed(Exception):
    """ESPEI could not evaluate one parameter set.

    Attributes:
        parameters: the parameter set, shape (parameters,).
        traceback: the worker's traceback, as text; empty if there is none.
    """

    def __init__(self, parameters: FloatArray, why: str, traceback: str = "") -> None:
        super().__init__(why)
        self.parameters = parameters
        self.traceback = traceback


class Differs(Exception):
    """A prepared unit of the likelihood, trusted so far, gave a different result from ESPEI's.

    Attributes:
        difference: the first difference found.
    """

    def __init__(self, difference: Difference) -> None:
        super().__init__(difference.unit)
        self.difference = difference


@dataclass
class _Evaluation:
    """A task whose pieces are being evaluated."""

    task: Task
    pieces: Pieces
    parts: list[Evaluated] = field(default_factory=list)


class Engine:
    """Runs the sampler's tasks on the workers.

    Args:
        graph: the sampler.
        pool: the workers, each with an evaluator of the likelihood.
        description: the units of the evaluators.
        cutter: decides the pieces of an evaluation.
        evaluated: called with each piece that a worker has evaluated.

    Attributes:
        notes: messages for the user about units evaluated by ESPEI's own functions; the caller empties it.
    """

    def __init__(
        self,
        graph: Graph,
        pool: Pool,
        description: Description,
        cutter: Cutter,
        evaluated: Callable[[Done], None] = lambda _: None,
    ) -> None:
        self._graph = graph
        self._pool = pool
        self._description = description
        self._cutter = cutter
        self._evaluated = evaluated
        self._waiting: deque[Job] = deque()
        self._evaluations: dict[Hashable, _Evaluation] = {}
        """Keyed by each of their unfinished pieces."""
        self.notes: list[str] = []
        self._noted: set[str] = set()

    def run(self, block_done: Callable[[Block], None], turn: Callable[[], bool]) -> None:
        """Run until all iterations are done.

        Args:
            block_done: called with finished iterations, in order.
            turn: called between two waits; returns False to end the run.

        Raises:
            EvaluationFailed: if ESPEI's evaluation fails, or if it kills the workers that run it.
            Differs: if a prepared unit is found to be wrong.
            NotANumber: if a log-probability is NaN, which also stops emcee.
            Refusal: if no worker is left.
        """
        while not self._graph.finished and turn():
            self._give()
            for answer in self._pool.wait(TURN_SECONDS):
                self._take(answer)
            while block := self._graph.take():
                block_done(block)

    def _give(self) -> None:
        while self._pool.room() and (job := self._next_job()):
            self._pool.give(job)

    def _next_job(self) -> Job | None:
        # All pieces of the earliest task first: tasks that depend on it wait for the last piece.
        if not self._waiting and (task := self._graph.pop()):
            self._open(task)
        return self._waiting.popleft() if self._waiting else None

    def _open(self, task: Task) -> None:
        pieces = self._cutter.pieces(self._pool.workers)
        parameters = self._graph.parameters(task)
        evaluation = _Evaluation(task, pieces)
        for number, units in enumerate(pieces):
            job = Job((task, number), (len(pieces), number), (parameters, units), priority=task)
            self._evaluations[job.key] = evaluation
            self._waiting.append(job)

    def _take(self, answer: Done | Failed) -> None:
        if isinstance(answer, Failed):
            raise EvaluationFailed(
                answer.job.arguments[0], f"{answer.cause}: {answer.error}", answer.traceback
            )
        self._evaluated(answer)
        if answer.value.differences:
            raise Differs(answer.value.differences[0])
        self._note(answer.value)
        evaluation = self._evaluations.pop(answer.job.key)
        evaluation.parts.append(answer.value)
        if len(evaluation.parts) == len(evaluation.pieces):
            self._complete(evaluation)

    def _note(self, evaluated: Evaluated) -> None:
        """Record why units are evaluated by ESPEI: each reason once, for all units and workers."""
        for unit, why in evaluated.notes:
            if why not in self._noted:
                self._noted.add(why)
                self.notes.append(f"not prepared, evaluated by ESPEI's own functions: {unit}: {why}")

    def _complete(self, evaluation: _Evaluation) -> None:
        parts = evaluation.parts
        self._cutter.learn({unit: taken for part in parts for unit, taken in part.seconds.items()})
        try:
            self._graph.put(evaluation.task, combine(self._description, parts))
        except LikelihoodError as error:
            parameters = self._graph.parameters(evaluation.task)
            raise EvaluationFailed(parameters, str(error), error.traceback) from error
