"""A move of the ensemble as a graph of evaluations.

emcee moves half of the walkers at a time and evaluates all of a half before it
moves the other: a barrier, at which every worker waits for the slowest
evaluation. The barrier is not needed:

1. The random numbers of a half-step (of its proposals, their partners and their
   acceptance) depend on the generator only, not on any log-probability. They can
   be drawn in advance, in the order in which a sequential sampler draws them, and
   are the numbers that it would draw.
2. The proposal of walker j in half-step s is a function of its own position x
   after half-step s - 2, of the positions of its k partners after half-step s - 1,
   and of numbers already drawn, among them which walkers the partners are. Its
   acceptance depends also on the walker's log-probability at s - 2 and on the new
   one, and on nothing else. The stretch move ``c - z (c - x)`` has k = 1 partner c,
   differential evolution k = 2; a move that proposes from x alone has none.

So a result is a function of the results of its 1 + k parents and of numbers drawn
in advance. The parents are of earlier half-steps, so the results form an acyclic
graph. The values do not depend on the order of evaluation, as long as parents come
before their children. The sequential order, half by half, is one such order, so any
other gives the sequential sampler's chain; bit for bit, because the arithmetic is
the same, too. For the stretch move that sampler is emcee. A chain that continues
from the state after an iteration draws the same numbers again, so nothing depends
on where it was interrupted.

A late result delays only its descendants. Each walker is the partner of k others on
average, so in each half-step the number of descendants is k times that of the
half-step before plus that of two before: it grows by (k + sqrt(k^2 + 4)) / 2, that
is 1.6 for one partner and 2.4 for two. So the furthest task is about 2 log2(walkers)
half-steps ahead of the latest one at most, and the memory needed is bounded by that
window. With k = 0 nothing grows: a late walker holds up itself alone, and the caller
has to bound the window.
"""

import heapq
import math
from typing import cast

import numpy as np

from espei_hpc.sampler.half_step import HalfStep, started
from espei_hpc.sampler.moves import Move, Proposal, Stretch, least_walkers
from espei_hpc.sampler.state import (
    Block,
    FloatArray,
    NotANumber,
    RandomState,
    State,
    Task,
    check_finite,
)


class Graph:
    """A chain being sampled: which evaluations are ready, and what their results change.

    Not thread-safe. Iterations are dropped when taken, so memory stays bounded if
    :meth:`take` is called regularly.

    Args:
        start: state from which the chain continues. Missing log-probabilities are the first tasks.
        iterations: total number of iterations, counted from 0 over the whole chain.
        a: scale of the stretch move, emcee's ``a``; another move ignores it.
        move: how walkers are moved; None for the stretch move.

    Attributes:
        pause_at: :meth:`take` returns no iteration after this one, counted over the whole chain, so that its
            state is available; later ones are evaluated anyway.

    Raises:
        NotANumber: a starting position is not finite or a starting log-probability is NaN.
        ValueError: fewer iterations are requested than are done, or the move needs more walkers.
    """

    def __init__(self, start: State, iterations: int, a: float = 2.0, move: Move | None = None) -> None:
        if iterations < start.iteration:
            raise ValueError(f"iterations done: {start.iteration}, but only {iterations} requested")
        check_finite(start.positions)
        self._move = move or Stretch(a)
        self.pause_at = iterations
        walkers, parameters = start.positions.shape
        if walkers < least_walkers(self._move):
            raise ValueError(
                f"{self._move.name} needs at least {least_walkers(self._move)} walkers, not {walkers}"
            )
        self._shape = (walkers // 2, parameters)  # of the positions of a half
        self._first = start.iteration  # number, over the whole chain, of this graph's iteration 0
        self._accepted = start.accepted.astype(np.int64)
        self._random = np.random.RandomState()
        self._random.set_state(start.random)
        self._last = 2 * (iterations - start.iteration) + 1
        first, second = np.split(start.positions, 2)
        self._half_steps = {0: started(first, start.random), 1: started(second, start.random)}
        self._drawn = 1
        self._whole = 0  # half-steps of which, and before which, all is known
        self._taken = 0  # iterations of this graph
        self._starting: FloatArray | None = None
        self._ready: list[Task] = []
        self._open: dict[Task, Proposal] = {}
        self._begin(start)

    def _begin(self, start: State) -> None:
        """Set the starting log-probabilities of both halves, or create tasks for them."""
        tasks = [Task(half_step, walker) for half_step in (0, 1) for walker in range(self._shape[0])]
        if start.log_probabilities is None:
            self._ready = tasks  # sorted, hence a heap
            return
        nan = np.isnan(start.log_probabilities)
        if nan.any():
            raise NotANumber("The initial lnprob was NaN.", start.positions[nan][0])
        for task, log_probability in zip(tasks, start.log_probabilities, strict=True):
            self._half_steps[task.half_step].log_probabilities[task.walker] = log_probability
            self._known(task)

    def pop(self) -> Task | None:
        """Return the ready task of the earliest half-step, each once; None if none is ready now.

        Raises:
            NotANumber: its parameters are not finite; the graph stays as it was.
        """
        if not self._ready:
            return None
        task = self._ready[0]
        proposal = self._proposal(task)
        check_finite(proposal.position[np.newaxis])
        self._open[task] = proposal
        return heapq.heappop(self._ready)

    def parameters(self, task: Task) -> FloatArray:
        """Return the parameters at which to evaluate a popped task, (parameters,).

        Raises:
            ValueError: the task was not popped or is already answered.
        """
        return self._opened(task).position.copy()

    def put(self, task: Task, log_probability: float) -> None:
        """Apply the result of a popped task; any order is allowed.

        A second answer to a task (of a worker thought dead, say) is an error here:
        who sends a task out twice knows which answer came first.

        Raises:
            ValueError: the task was not popped or is already answered.
            NotANumber: the log-probability is NaN. The graph stays as it was: all that
                does not depend on this task can still be evaluated and taken.
        """
        proposal, new = self._opened(task), float(log_probability)
        if math.isnan(new):
            raise NotANumber("lnprob returned NaN.", proposal.position.copy())
        del self._open[task]
        half_step, walker = task
        if half_step < 2:
            self._half_steps[half_step].log_probabilities[walker] = new
        else:
            self._half_steps[half_step].settle(walker, self._half_steps[half_step - 2], proposal, new)
        self._known(task)

    def take(self) -> Block | None:
        """Return and drop the iterations finished since the last call; None if there are none."""
        before, done = self._taken, min((self._whole - 2) // 2, self.pause_at - self._first)
        if done <= before:
            return None
        halves = [
            (self._half_steps[2 * number], self._half_steps[2 * number + 1])
            for number in range(before + 1, done + 1)
        ]
        for first, second in halves:
            self._accepted += np.concatenate((first.accepted, second.accepted))
        positions = np.stack([np.concatenate((f.positions, s.positions)) for f, s in halves], axis=1)
        log_probabilities = np.stack(
            [np.concatenate((f.log_probabilities, s.log_probabilities)) for f, s in halves], axis=1
        )
        # Keep the last two: they are the parents of the next.
        for half_step in range(2 * before, 2 * done):
            del self._half_steps[half_step]
        self._taken = done
        state = State(
            iteration=self._first + done,
            positions=positions[:, -1].copy(),
            log_probabilities=log_probabilities[:, -1].copy(),
            accepted=self._accepted.copy(),
            random=halves[-1][1].random,
        )
        return Block(self._first + before, positions, log_probabilities, state)

    @property
    def finished(self) -> bool:
        """Whether all iterations are finished, whether or not they are taken."""
        return self._whole > self._last

    @property
    def starting(self) -> FloatArray | None:
        """The starting log-probabilities, (walkers,), once all are known."""
        return None if self._starting is None else self._starting.copy()

    @property
    def held(self) -> int:
        """Number of half-steps in memory: from the last iteration taken to the furthest one with draws."""
        return len(self._half_steps)

    def _opened(self, task: Task) -> Proposal:
        try:
            return self._open[task]
        except KeyError:
            raise ValueError(f"{task} is not open: it was not popped or is already answered") from None

    def _proposal(self, task: Task) -> Proposal:
        half_step, walker = task
        here = self._half_steps[half_step]
        if half_step < 2:
            return Proposal(here.positions[walker], 0.0)
        return here.proposal(walker, self._half_steps[half_step - 2], self._half_steps[half_step - 1])

    def _known(self, task: Task) -> None:
        """Notify a task's children of its result."""
        half_step, walker = task
        # Draw for the children with the result of their first parent, so that none is missed.
        self._draw_until(min(half_step + 2, self._last))
        if (other := self._half_steps.get(half_step + 1)) is not None:
            for follower in other.followers[walker]:
                self._parent_known(other, Task(half_step + 1, follower))
        if (own := self._half_steps.get(half_step + 2)) is not None:
            self._parent_known(own, Task(half_step + 2, walker))
        self._half_steps[half_step].unknown -= 1
        self._count_whole()

    def _parent_known(self, half_step: HalfStep, child: Task) -> None:
        half_step.missing[child.walker] -= 1
        if half_step.missing[child.walker] == 0:
            heapq.heappush(self._ready, child)

    def _draw_until(self, half_step: int) -> None:
        while self._drawn < half_step:
            self._drawn += 1
            draws = self._move.draw(self._random, self._shape)
            random = cast(RandomState, self._random.get_state())
            self._half_steps[self._drawn] = HalfStep(
                np.empty(self._shape), np.empty(self._shape[0]), random, draws
            )

    def _count_whole(self) -> None:
        while self._whole <= self._last and self._half_steps[self._whole].unknown == 0:
            self._whole += 1
            if self._whole == 2:
                self._starting = np.concatenate([self._half_steps[s].log_probabilities for s in (0, 1)])
