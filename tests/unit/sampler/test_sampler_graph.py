"""Which task is ready, what is refused and what is held."""

import random
from collections.abc import Callable
from typing import cast

import emcee
import numpy as np
import pytest

from espei_hpc.sampler import FloatArray, Graph, NotANumber, RandomState, State, Task

pytestmark = pytest.mark.filterwarnings("error")


NONE = Task(-1, 0)


def gaussian(x: FloatArray) -> float:
    return float(-0.5 * np.sum(x**2))


def state(walkers: int, parameters: int = 3, *, known: bool = True, seed: int = 11) -> State:
    generator = np.random.RandomState(seed)
    positions = generator.normal(size=(walkers, parameters))
    return State(
        iteration=0,
        positions=positions,
        log_probabilities=np.array([gaussian(x) for x in positions]) if known else None,
        accepted=np.zeros(walkers, dtype=np.int64),
        random=cast(RandomState, generator.get_state()),
    )


def same(one: FloatArray | None, other: FloatArray | None) -> bool:
    """Whether both are there and equal, bit for bit."""
    return one is not None and other is not None and np.array_equal(one, other)


def drain(graph: Graph) -> list[Task]:
    """Pop all that is ready."""
    tasks = []
    while (task := graph.pop()) is not None:
        tasks.append(task)
    return tasks


def answer(graph: Graph, task: Task) -> None:
    graph.put(task, gaussian(graph.parameters(task)))


def run_but_for(graph: Graph, late: Task) -> list[Task]:
    """Answer all that can be answered without one task; return what was."""
    answered, waiting = [], drain(graph)
    while waiting := [task for task in waiting if task != late]:
        for task in waiting:
            answer(graph, task)
        answered += waiting
        waiting = drain(graph)
    return answered


def message_of_emcee(start: State, log_probability: Callable[[FloatArray], float], iterations: int) -> str:
    walkers, parameters = start.positions.shape
    sampler = emcee.EnsembleSampler(walkers, parameters, log_probability)
    with pytest.raises(ValueError, match=r"NaN|infinite") as raised, np.errstate(all="ignore"):
        list(sampler.sample(start.positions, start.log_probabilities, start.random, iterations=iterations))
    return str(raised.value)


def test_starting_log_probabilities_are_the_first_tasks() -> None:
    start = state(8, known=False)
    graph = Graph(start, 1)
    tasks = drain(graph)
    assert tasks == [Task(half_step, walker) for half_step in (0, 1) for walker in range(4)]
    assert np.array_equal([graph.parameters(task) for task in tasks], start.positions)
    known = []
    for task in tasks:
        known.append(graph.starting)
        answer(graph, task)
    assert known == [None] * 8
    starting = graph.starting
    assert starting is not None
    assert np.array_equal(starting, [gaussian(x) for x in start.positions])


def test_starting_log_probabilities_that_are_known_are_not_asked_for() -> None:
    start = state(8)
    graph = Graph(start, 1)
    assert same(graph.starting, start.log_probabilities)
    assert {task.half_step for task in drain(graph)} == {2}


def test_no_iterations_need_the_starting_log_probabilities_alone() -> None:
    graph = Graph(state(8, known=False), 0)
    for task in drain(graph):
        assert not graph.finished
        answer(graph, task)
    assert graph.finished
    assert graph.take() is None
    assert Graph(state(8), 0).finished


def test_each_task_is_handed_out_once_and_the_earliest_half_step_first() -> None:
    graph, order, waiting, seen = Graph(state(20), 30), random.Random(4), [], []
    while not graph.finished:
        ready = drain(graph)
        assert [task.half_step for task in ready] == sorted(task.half_step for task in ready)
        seen += ready
        waiting += ready
        order.shuffle(waiting)
        for _ in range(order.randint(1, len(waiting))):
            answer(graph, waiting.pop())
    assert sorted(seen) == [Task(half_step, walker) for half_step in range(2, 62) for walker in range(10)]


def test_task_is_ready_as_soon_as_its_two_parents_are_known() -> None:
    """One late walker holds up only its descendants; a barrier would hold up all."""
    start, late = state(40), Task(2, 7)
    graph = Graph(start, 100)
    answered = set(run_but_for(graph, late))
    # Who descends from the late task, by emcee's own draws.
    generator = np.random.RandomState()
    generator.set_state(start.random)
    held_up, half_steps = {2: {7}, 1: set[int]()}, 100
    for half_step in range(2, half_steps):
        generator.rand(20)
        partners = generator.randint(20, size=(20,))
        generator.rand(20)
        if half_step > 2:
            held_up[half_step] = held_up[half_step - 2] | {
                walker for walker in range(20) if partners[walker] in held_up[half_step - 1]
            }
    expected = {
        Task(half_step, walker)
        for half_step in range(2, half_steps)
        for walker in set(range(20)) - held_up[half_step]
    }
    assert answered == expected
    assert max(answered).half_step > 4


def test_a_very_late_task_bounds_what_is_held() -> None:
    graph = Graph(state(400, 2), 10_000)
    late = Task(2, 0)
    run_but_for(graph, late)
    assert graph.pop() is None
    # Its descendants about double with each half-step: 200 walkers after some 8 of them.
    assert graph.held < 30
    answer(graph, late)
    assert graph.pop() is not None


def test_held_half_steps_stay_few_in_a_long_chain() -> None:
    graph, order, waiting, most = Graph(state(20), 2000), random.Random(8), [], 0
    while not graph.finished:
        waiting += drain(graph)
        answer(graph, waiting.pop(order.randrange(len(waiting))))
        most = max(most, graph.held)
        graph.take()
    # The window: from the latest of twenty walkers in random order to the furthest.
    assert most < 60
    assert graph.held == 2


def test_pause_hands_out_the_chain_so_far_and_its_state_though_more_is_known() -> None:
    whole, graph, until = Graph(state(8), 9), Graph(state(8), 9), Graph(state(8), 4)
    graph.pause_at = 4
    for each in (whole, graph, until):
        run_but_for(each, NONE)
    expected, first, exactly = whole.take(), graph.take(), until.take()
    assert expected is not None
    assert first is not None
    assert exactly is not None
    assert same(first.positions, expected.positions[:, :4])
    assert first.state.iteration == 4
    assert same(first.state.positions, exactly.state.positions)
    assert np.array_equal(first.state.accepted, exactly.state.accepted)
    assert first.state.random[2:] == exactly.state.random[2:]
    assert np.array_equal(first.state.random[1], exactly.state.random[1])
    assert graph.take() is None
    graph.pause_at = 9
    rest = graph.take()
    assert rest is not None
    assert (rest.first, rest.state.iteration) == (4, 9)
    assert same(rest.positions, expected.positions[:, 4:])


@pytest.mark.parametrize("task", [Task(3, 0), Task(2, 99), Task(0, 0), Task(-1, 0)])
def test_answer_to_a_task_that_was_not_handed_out_is_an_error(task: Task) -> None:
    graph = Graph(state(8), 1)
    graph.pop()
    with pytest.raises(ValueError, match="not popped or is already answered"):
        graph.put(task, 0.0)
    with pytest.raises(ValueError, match="not popped or is already answered"):
        graph.parameters(task)


def test_second_answer_is_an_error_and_changes_nothing() -> None:
    graph, reference = Graph(state(8), 1), Graph(state(8), 1)
    (first, *others), _ = drain(graph), drain(reference)
    for each in (graph, reference):
        answer(each, first)
    with pytest.raises(ValueError, match="already answered"):
        graph.put(first, 1e9)
    for each in (graph, reference):
        for task in others:
            answer(each, task)
        for task in drain(each):
            answer(each, task)
    ours, expected = graph.take(), reference.take()
    assert ours is not None
    assert expected is not None
    assert same(ours.positions, expected.positions)
    assert same(ours.log_probabilities, expected.log_probabilities)


def test_parameters_are_a_copy() -> None:
    graph = Graph(state(8), 1)
    task = graph.pop()
    assert task is not None
    before = graph.parameters(task).tolist()
    graph.parameters(task)[:] = 0.0
    assert graph.parameters(task).tolist() == before


def test_start_is_left_as_it_was() -> None:
    start, untouched = state(8), state(8)
    graph = Graph(start, 5)
    run_but_for(graph, NONE)
    block = graph.take()
    assert block is not None
    assert block.state.accepted.any()
    assert same(start.positions, untouched.positions)
    assert same(start.log_probabilities, untouched.log_probabilities)
    assert not start.accepted.any()


def test_start_may_change_afterwards() -> None:
    start = state(8)
    graph, reference = Graph(start, 5), Graph(state(8), 5)
    start.positions[:] = 0.0
    start.accepted[:] = 99
    for each in (graph, reference):
        run_but_for(each, NONE)
    ours, expected = graph.take(), reference.take()
    assert ours is not None
    assert expected is not None
    assert same(ours.positions, expected.positions)
    assert np.array_equal(ours.state.accepted, expected.state.accepted)


@pytest.mark.parametrize("known", [True, False], ids=["in a move", "at the start"])
def test_log_probability_that_is_nan_is_refused_as_by_emcee(known: bool) -> None:
    start = state(8, known=known)
    graph = Graph(start, 1)
    task = graph.pop()
    assert task is not None
    parameters = graph.parameters(task)
    with pytest.raises(NotANumber) as raised:
        graph.put(task, float("nan"))
    assert str(raised.value) == message_of_emcee(start, lambda _: float("nan"), 1)
    assert np.array_equal(raised.value.parameters, parameters)


def test_after_a_nan_all_that_does_not_depend_on_it_can_be_finished() -> None:
    graph = Graph(state(8), 4)
    nan = Task(6, 1)
    for _ in range(1000):
        task = graph.pop()
        if task is None:
            break
        if task != nan:
            answer(graph, task)
            continue
        with pytest.raises(NotANumber):
            graph.put(task, float("nan"))
    block = graph.take()
    assert block is not None
    assert block.state.iteration == 2  # the iterations before the one of half-steps 6 and 7


def test_starting_log_probability_that_is_nan_is_refused_as_by_emcee() -> None:
    start = state(8)
    assert start.log_probabilities is not None
    start.log_probabilities[5] = np.nan
    with pytest.raises(NotANumber) as raised:
        Graph(start, 1)
    assert str(raised.value) == message_of_emcee(start, gaussian, 1)
    assert np.array_equal(raised.value.parameters, start.positions[5])


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
def test_starting_position_that_is_not_finite_is_refused_as_by_emcee(value: float) -> None:
    start = state(8, known=False)
    start.positions[3, 1] = value
    with pytest.raises(NotANumber) as raised:
        Graph(start, 1)
    assert str(raised.value) == message_of_emcee(start, gaussian, 1)
    assert np.array_equal(raised.value.parameters, start.positions[3], equal_nan=True)


def test_proposal_that_is_infinite_is_refused_as_by_emcee() -> None:
    start = state(8)
    start.positions[:] *= 1e308 / np.abs(start.positions).max()
    graph = Graph(start, 50)

    def run() -> None:
        while (task := graph.pop()) is not None:
            graph.put(task, 0.0)

    with pytest.raises(NotANumber) as raised:
        run()
    assert str(raised.value) == message_of_emcee(start, lambda _: 0.0, 50)
    assert np.isinf(raised.value.parameters).any()
    with pytest.raises(NotANumber):  # not handed out later, as if nothing were wrong
        run()


def test_fewer_iterations_than_are_done_are_refused() -> None:
    graph = Graph(state(8), 3)
    run_but_for(graph, NONE)
    block = graph.take()
    assert block is not None
    with pytest.raises(ValueError, match="iterations done: 3, but only 2 requested"):
        Graph(block.state, 2)


@pytest.mark.parametrize("walkers", [0, 1, 7])
def test_walkers_that_have_no_two_halves_are_refused(walkers: int) -> None:
    with pytest.raises(ValueError, match="must be even"):
        state(walkers)


def test_shapes_that_do_not_fit_are_refused() -> None:
    good = state(8)
    with pytest.raises(ValueError, match="log_probabilities must be one number for each of 8 walkers"):
        State(0, good.positions, np.zeros(7), good.accepted, good.random)
    with pytest.raises(ValueError, match="accepted must be one number for each of 8 walkers"):
        State(0, good.positions, None, np.zeros((8, 1), dtype=np.int64), good.random)
    with pytest.raises(ValueError, match="positions must be"):
        State(0, good.positions[0], None, good.accepted, good.random)
