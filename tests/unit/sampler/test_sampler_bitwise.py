"""Whatever the problem and the order of the answers, the chain is that of emcee, to the last bit."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import cast

import emcee
import numpy as np
import pytest
from hypothesis import strategies as st

from amounts import few_and_many, try_examples
from espei_hpc.sampler import Block, FloatArray, Graph, RandomState, State, Task

pytestmark = pytest.mark.filterwarnings("error")

LogProbability = Callable[[FloatArray], float]

# From easy to awkward: accepted now and then, walls, accepted nearly always, hardly ever, and
# values so large that differences between them are infinite or NaN.
PROBLEMS: dict[str, LogProbability] = {
    "gaussian": lambda x: float(-0.5 * np.sum((x / np.arange(1, len(x) + 1)) ** 2)),
    "walls": lambda x: -np.inf if x[0] < 0 or x[-1] > 1 else float(-0.5 * np.sum(x**2)),
    "nowhere possible": lambda _: -np.inf,
    "constant": lambda _: 0.0,
    # So far from 0 that the order of the additions decides what is accepted.
    "constant and far": lambda _: -1e17,
    "peaked": lambda x: float(-1e12 * np.sum(np.sin(1e4 * x) ** 2)),
    "rough": lambda x: float(np.sum(np.sin(1e4 * x)) + np.cos(x[0])),
    "huge": lambda x: float(np.sum(np.sin(x))) * 1.5e308,
    "infinite": lambda x: np.inf if x[0] > 0.5 else float(-np.sum(x**2)),
}


@dataclass(frozen=True)
class Case:
    problem: str
    walkers: int
    parameters: int
    iterations: int
    a: float
    seed: int
    log_probabilities_known: bool

    @property
    def log_probability(self) -> LogProbability:
        return PROBLEMS[self.problem]

    def start(self) -> State:
        generator = np.random.RandomState(self.seed)
        positions = generator.normal(size=(self.walkers, self.parameters))
        known = np.array([self.log_probability(x) for x in positions])
        return State(
            iteration=0,
            positions=positions,
            log_probabilities=known if self.log_probabilities_known else None,
            accepted=np.zeros(self.walkers, dtype=np.int64),
            random=cast(RandomState, generator.get_state()),
        )

    def stock(self) -> "Stock":
        start = self.start()
        sampler = emcee.EnsembleSampler(
            self.walkers, self.parameters, self.log_probability, a=self.a, live_dangerously=True
        )
        known = None if start.log_probabilities is None else start.log_probabilities.copy()
        accepted, states = [], []
        with np.errstate(all="ignore"):
            for _ in sampler.sample(start.positions, known, start.random, iterations=self.iterations):
                accepted.append(sampler.naccepted.copy())
                states.append(sampler.random_state)
        return Stock(sampler.chain, sampler.lnprobability, accepted, states)


@dataclass(frozen=True)
class Stock:
    """What emcee itself makes of a case; of each iteration, what it counted and its random numbers' state."""

    chain: FloatArray
    lnprobability: FloatArray
    accepted: list[FloatArray]
    random: list[RandomState]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    parameters = draw(st.integers(1, 7))
    return Case(
        problem=draw(st.sampled_from(sorted(PROBLEMS))),
        # From 2 walkers on, as emcee itself can, to more than twice the parameters.
        walkers=2 * draw(st.integers(1, 2 * parameters + 3)),
        parameters=parameters,
        iterations=draw(st.integers(1, 25)),
        a=draw(st.sampled_from([2.0, 1.1, 3.7])),
        seed=draw(st.integers(0, 2**32 - 1)),
        log_probabilities_known=draw(st.booleans()),
    )


def blocks(
    graph: Graph, log_probability: LogProbability, order: random.Random, workers: int
) -> Iterator[Block]:
    """Answer up to so many open tasks at a time, in any order, and take at any time."""
    open_tasks: list[Task] = []
    while not graph.finished:
        while len(open_tasks) < workers and (task := graph.pop()) is not None:
            open_tasks.append(task)
        assert open_tasks, "nothing is open, nothing ready and the chain is not finished"
        task = open_tasks.pop(order.randrange(len(open_tasks)))
        graph.put(task, log_probability(graph.parameters(task)))
        if order.random() < 0.2 and (block := graph.take()) is not None:
            yield block
    assert not open_tasks
    assert graph.pop() is None
    if (block := graph.take()) is not None:
        yield block
    assert graph.take() is None


def assert_same_chain(stock: Stock, got: list[Block]) -> None:
    done = 0
    for block in got:
        assert block.first == done
        done += block.positions.shape[1]
        assert np.array_equal(block.positions, stock.chain[:, block.first : done])
        assert np.array_equal(block.log_probabilities, stock.lnprobability[:, block.first : done])
        assert_same_state(stock, block.state, done)
    assert done == stock.chain.shape[1]


def assert_same_state(stock: Stock, state: State, iteration: int) -> None:
    last = iteration - 1
    assert state.iteration == iteration
    assert np.array_equal(state.positions, stock.chain[:, last])
    assert state.log_probabilities is not None
    assert np.array_equal(state.log_probabilities, stock.lnprobability[:, last])
    assert np.array_equal(state.accepted, stock.accepted[last])
    ours, theirs = state.random, stock.random[last]
    assert np.array_equal(ours[1], theirs[1])
    assert (ours[0], *ours[2:]) == (theirs[0], *theirs[2:])


ORDERS = st.randoms(use_true_random=False)
WORKERS = st.integers(1, 60)


@few_and_many("examples", 50, 5000)
def test_chain_is_that_of_emcee_in_whatever_order_answers_come(examples: int) -> None:
    def holds(case: Case, order: random.Random, workers: int) -> None:
        got = list(blocks(Graph(case.start(), case.iterations, case.a), case.log_probability, order, workers))
        assert_same_chain(case.stock(), got)

    try_examples(examples, holds, case=cases(), order=ORDERS, workers=WORKERS)


@few_and_many("examples", 30, 3000)
def test_chain_goes_on_exactly_from_the_state_of_any_block(examples: int) -> None:
    def holds(case: Case, order: random.Random, workers: int) -> None:
        state = case.start()
        got: list[Block] = []
        while state.iteration < case.iterations:
            # What the graph had under way beyond the block is lost, as when a job is killed.
            for block in blocks(Graph(state, case.iterations, case.a), case.log_probability, order, workers):
                got.append(block)
                state = block.state
                if order.random() < 0.5:
                    break
        assert_same_chain(case.stock(), got)

    try_examples(examples, holds, case=cases(), order=ORDERS, workers=WORKERS)


@few_and_many("examples", 20, 2000)
def test_iterations_raised_later_continue_the_same_chain(examples: int) -> None:
    def holds(case: Case, order: random.Random, data: st.DataObject) -> None:
        state = case.start()
        got: list[Block] = []
        ends = sorted(data.draw(st.sets(st.integers(1, case.iterations))) | {case.iterations})
        for end in ends:
            got.extend(blocks(Graph(state, end, case.a), case.log_probability, order, workers=10))
            state = got[-1].state
        assert_same_chain(case.stock(), got)

    try_examples(examples, holds, case=cases(), order=ORDERS, data=st.data())


@pytest.mark.parametrize(("walkers", "parameters"), [(400, 100), (30, 15)])
def test_chain_of_a_large_ensemble_is_that_of_emcee(walkers: int, parameters: int) -> None:
    case = Case("gaussian", walkers, parameters, 20, 2.0, 5, log_probabilities_known=False)
    graph = Graph(case.start(), case.iterations)
    assert_same_chain(case.stock(), list(blocks(graph, case.log_probability, random.Random(1), 300)))


@pytest.mark.parametrize(("problem", "low", "high"), [("constant", 0.9, 1.0), ("peaked", 0.0, 0.15)])
def test_the_problems_cover_frequent_and_rare_acceptance(problem: str, low: float, high: float) -> None:
    stock = Case(problem, 20, 1 if problem == "constant" else 7, 50, 2.0, 3, False).stock()
    assert low <= stock.accepted[-1].mean() / 50 <= high
