"""Whatever the move and the order of the answers, the chain is that of a sampler that waits for each half."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import click
import numpy as np
import pytest
from hypothesis import strategies as st

from amounts import few_and_many, try_examples
from espei_hpc.cli import commands
from espei_hpc.sampler import Block, FloatArray, Graph, State
from espei_hpc.sampler.moves import (
    AFTER_THE_WAY,
    MOVES,
    STRETCH,
    DifferentialEvolution,
    Draws,
    Laplace,
    Move,
    Part,
    Proposal,
    least_walkers,
)
from unit.sampler.serial import LogProbability, state
from unit.sampler.test_sampler_bitwise import PROBLEMS, blocks

pytestmark = pytest.mark.filterwarnings("error")


@dataclass(frozen=True, slots=True)
class Numbers(Draws):
    """A step for each walker."""

    steps: FloatArray

    def proposal(self, walker: int, own: FloatArray, partners: Sequence[FloatArray]) -> Proposal:
        """Step off the partners' sum; the gain depends on where the walker comes from."""
        position = 0.5 * own + sum(partners, self.steps[walker])
        return Proposal(position, float(np.sum(own**2 - position**2)))


@dataclass(frozen=True)
class Made:
    """A move that no fit has, with any number of partners."""

    number: int
    name: ClassVar[str] = "made"
    partners: ClassVar[int] = 0  # they may be the same, so a half needs one
    part: ClassVar[Part] = AFTER_THE_WAY

    def draw(self, random: np.random.RandomState, shape: tuple[int, int]) -> Numbers:
        """Draw different numbers of partners for the walkers, up to its own."""
        half, most = shape[0], self.number
        partners = [tuple(random.randint(half, size=count % (most + 1))) for count in range(half)]
        return Numbers(partners, np.log(random.rand(half)).tolist(), random.standard_normal(shape))


@dataclass(frozen=True)
class Case:
    move: Move
    problem: str
    walkers: int
    parameters: int
    iterations: int
    seed: int

    @property
    def log_probability(self) -> LogProbability:
        return PROBLEMS[self.problem]

    def start(self) -> State:
        size = (self.walkers, self.parameters)
        return state(np.random.RandomState(self.seed).normal(size=size), self.seed)

    def graph(self, start: State) -> Graph:
        return Graph(start, self.iterations, move=self.move)


TRIED: list[Move] = [DifferentialEvolution(), Laplace(), Made(0), Made(1), Made(3)]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    move = draw(st.sampled_from(TRIED))
    parameters = draw(st.integers(1, 5))
    return Case(
        move=move,
        # NaN is left to the tests of the graph: a made move meets it where emcee's does not.
        problem=draw(st.sampled_from(sorted(set(PROBLEMS) - {"huge", "infinite"}))),
        walkers=2 * draw(st.integers(least_walkers(move) // 2, 2 * parameters + 3)),
        parameters=parameters,
        iterations=draw(st.integers(1, 20)),
        seed=draw(st.integers(0, 2**32 - 1)),
    )


def in_sequence(case: Case) -> tuple[FloatArray, FloatArray]:
    """Move half after half; return positions (walkers, iterations, parameters) and log-probabilities."""
    start, generator = case.start(), np.random.RandomState()
    generator.set_state(start.random)
    half = case.walkers // 2
    now = start.positions.copy()
    known = np.array([case.log_probability(x) for x in now])
    positions, log_probabilities = [], []
    for _ in range(case.iterations):
        for first in (0, half):
            own, other = now[first : first + half], now[half - first : case.walkers - first].copy()
            draws = case.move.draw(generator, own.shape)
            for walker in range(half):
                partners = [other[partner] for partner in draws.partners[walker]]
                to, gain = draws.proposal(walker, own[walker], partners)
                new, old = case.log_probability(to), known[first + walker]
                with np.errstate(invalid="ignore"):
                    accepted = gain + new - old > draws.threshold[walker]
                if accepted:
                    now[first + walker], known[first + walker] = to, new
        positions.append(now.copy())
        log_probabilities.append(known.copy())
    return np.stack(positions, axis=1), np.stack(log_probabilities, axis=1)


def assert_same(case: Case, got: list[Block]) -> None:
    positions, log_probabilities = in_sequence(case)
    assert np.array_equal(np.concatenate([block.positions for block in got], axis=1), positions)
    joined = np.concatenate([block.log_probabilities for block in got], axis=1)
    assert np.array_equal(joined, log_probabilities)


ORDERS = st.randoms(use_true_random=False)
WORKERS = st.integers(1, 60)


@few_and_many("examples", 50, 3000)
def test_chain_of_any_move_is_that_of_moving_half_after_half(examples: int) -> None:
    def holds(case: Case, order: random.Random, workers: int) -> None:
        assert_same(case, list(blocks(case.graph(case.start()), case.log_probability, order, workers)))

    try_examples(examples, holds, case=cases(), order=ORDERS, workers=WORKERS)


@few_and_many("examples", 30, 2000)
def test_chain_of_any_move_goes_on_exactly_from_the_state_of_any_block(examples: int) -> None:
    def holds(case: Case, order: random.Random, workers: int) -> None:
        now, got = case.start(), list[Block]()
        while now.iteration < case.iterations:
            for block in blocks(case.graph(now), case.log_probability, order, workers):
                got.append(block)
                now = block.state
                if order.random() < 0.5:
                    break
        assert_same(case, got)

    try_examples(examples, holds, case=cases(), order=ORDERS, workers=WORKERS)


def test_differential_evolution_is_what_its_formula_says() -> None:
    """A whole half at once, by an array of the formula in the docstring."""
    case = Case(DifferentialEvolution(), "gaussian", 14, 3, 60, 5)
    start, generator = case.start(), np.random.RandomState()
    generator.set_state(start.random)
    now = start.positions.copy()
    known = np.array([case.log_probability(x) for x in now])
    expected = []
    for _ in range(case.iterations):
        for own, other in ((slice(0, 7), slice(7, 14)), (slice(7, 14), slice(0, 7))):
            gamma = np.where(generator.rand(7) < 0.1, 1.0, 2.38 / np.sqrt(6))
            e = generator.standard_normal((7, 3))
            c = generator.randint(7, size=(7,))
            others = (c + generator.randint(1, 7, size=(7,))) % 7
            to = now[own] + gamma[:, None] * (1 + 1e-5 * e) * (now[other][c] - now[other][others])
            new = np.array([case.log_probability(x) for x in to])
            accepted = new - known[own] > np.log(generator.rand(7))
            now[own] = np.where(accepted[:, None], to, now[own])
            known[own] = np.where(accepted, new, known[own])
        expected.append(now.copy())
    got = list(blocks(case.graph(start), case.log_probability, random.Random(2), workers=9))
    positions = np.concatenate([block.positions for block in got], axis=1)
    assert np.array_equal(positions, np.stack(expected, axis=1))
    assert 0.1 < got[-1].state.accepted.mean() / case.iterations < 0.6


def test_partners_of_differential_evolution_are_two_different_walkers_and_all_pairs_alike() -> None:
    generator, pairs, times = np.random.RandomState(1), np.zeros((3, 3)), 5000
    for _ in range(times):
        for one, other in DifferentialEvolution().draw(generator, (3, 1)).partners:
            pairs[one, other] += 1
    expected = 3 * times / 6
    assert np.all(np.diag(pairs) == 0)
    assert np.all(np.abs(pairs[~np.eye(3, dtype=bool)] - expected) < 4 * np.sqrt(expected))


def test_move_with_too_few_walkers_is_refused() -> None:
    assert least_walkers(DifferentialEvolution()) == 4
    Graph(state(np.eye(4), 1), 1, move=DifferentialEvolution())
    with pytest.raises(ValueError, match="de needs at least 4 walkers, not 2"):
        Graph(state(np.eye(2), 1), 1, move=DifferentialEvolution())


def test_options_name_every_move() -> None:
    (option,) = (option for option in commands.commands["fit"].params if option.name == "sampler")
    assert isinstance(option.type, click.Choice)
    assert list(option.type.choices) == list(MOVES)
    assert option.default == STRETCH
