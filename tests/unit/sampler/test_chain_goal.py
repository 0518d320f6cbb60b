"""When a chain is worth as many samples as were asked for, and when nobody can tell yet."""

import math

import click
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from espei_hpc.cli import commands
from espei_hpc.sampler import FloatArray
from espei_hpc.sampler.goal import FIRST, Goal, Judgement, judge, last_due, next_due, smallest_ess
from espei_hpc.sampler.moves import AFTER_THE_WAY, FROM_SAMPLES, Part

WALKERS = 10


def chain(iterations: int, *phis: float) -> FloatArray:
    """Make autoregressive chains, a parameter for each phi, with tau = (1 + phi) / (1 - phi)."""
    random = np.random.default_rng(1)
    positions = np.empty((WALKERS, iterations, len(phis)))
    for parameter, phi in enumerate(phis):
        value = random.normal(size=WALKERS) / math.sqrt(1 - phi**2)
        for iteration in range(iterations):
            positions[:, iteration, parameter] = value
            value = phi * value + random.normal(size=WALKERS)
    return positions


def judged_at_its_end(goal: Goal, positions: FloatArray, part: Part = AFTER_THE_WAY) -> Judgement:
    due = last_due(positions.shape[1])
    assert due is not None
    judged = judge(goal, positions[:, -due:], part)
    assert judged is not None
    return judged


@pytest.mark.parametrize("part", [AFTER_THE_WAY, FROM_SAMPLES])
def test_the_slowest_parameter_counts_over_the_part_that_is_no_burn_in(part: Part) -> None:
    positions = chain(4000, 0.0, 0.9, 0.5)
    judged = judged_at_its_end(Goal(500), positions, part)
    assert judged.tau == pytest.approx(19, rel=0.2)
    counted = judged.iterations - judged.iterations // part.burn_in
    assert judged.size == pytest.approx(WALKERS * counted / judged.tau)


@pytest.mark.parametrize("part", [AFTER_THE_WAY, FROM_SAMPLES])
def test_way_from_the_start_does_not_count(part: Part) -> None:
    positions = chain(4000, 0.9)
    due = last_due(4000)
    assert due is not None
    positions[:, : due // part.burn_in] += 100.0
    there = judge(Goal(500), positions, part)
    assert there is not None
    assert there.reached
    positions[:, due // part.burn_in :][:, :200] += 100.0
    further = judge(Goal(500), positions, part)
    assert further is not None
    assert further.tau > 5 * there.tau


def test_chain_that_begins_as_a_sample_is_long_enough_earlier() -> None:
    positions = chain(400, 0.85)
    late, early = (judged_at_its_end(Goal(100), positions, part) for part in (AFTER_THE_WAY, FROM_SAMPLES))
    assert not late.reached
    assert early.reached


def test_chain_that_is_long_enough_and_large_enough_has_reached_it() -> None:
    positions = chain(4000, 0.9)
    judged = judge(Goal(500), positions, AFTER_THE_WAY)
    assert judged is not None
    assert judged.reached
    assert f"effective sample size {judged.size:.0f} of 500 requested" in str(judged)


def test_more_than_it_has_is_not_reached() -> None:
    judged = judge(Goal(5000), chain(4000, 0.9), AFTER_THE_WAY)
    assert judged is not None
    assert not judged.reached


def test_chain_that_is_short_beside_its_time_does_not_count_however_large_its_size_seems() -> None:
    judged = judge(Goal(10), chain(200, 0.9), AFTER_THE_WAY)
    assert judged is not None
    assert judged.size > 10
    assert AFTER_THE_WAY.least * judged.tau > 100
    assert not judged.reached
    assert "chain too short" in str(judged)


def test_parameter_that_never_moved_keeps_it_from_being_reached() -> None:
    positions = chain(4000, 0.0, 0.0)
    positions[:, :, 1] = 3.0
    judged = judge(Goal(1), positions, AFTER_THE_WAY)
    assert judged is not None
    assert not judged.reached


def test_few_iterations_are_not_judged() -> None:
    assert judge(Goal(1), chain(FIRST - 1, 0.0), AFTER_THE_WAY) is None


def test_it_is_judged_at_fixed_iterations_whatever_has_come_since() -> None:
    positions = chain(1000, 0.5)
    due = last_due(1000)
    assert due is not None
    assert due < 1000
    whole, then = (judge(Goal(100), one, AFTER_THE_WAY) for one in (positions, positions[:, :due]))
    assert whole == then


@given(st.integers(0, 10**6))
def test_it_is_judged_each_time_the_chain_has_grown_by_a_tenth(done: int) -> None:
    following = next_due(done)
    assert following > done
    assert last_due(following) == following
    assert last_due(following - 1) == last_due(done)
    if (before := last_due(done)) is not None:
        assert before <= done
        assert 11 * before <= 10 * following < 11 * before + 10


def test_goal_is_read_from_its_word() -> None:
    assert Goal.parse("ess=400") == Goal(400)


@pytest.mark.parametrize("word", ["ess=0", "foo", "", "ess", "ess=", "ess=-1", "ess=1.5", "ess=1e3"])
@pytest.mark.parametrize("command", ["fit", "prepare"])
def test_other_words_are_refused_by_the_command_line(command: str, word: str) -> None:
    with pytest.raises(click.BadParameter, match="ess=400"):
        commands.main([command, "--in", "x.yaml", "--until", word], standalone_mode=False)


@pytest.mark.parametrize("command", ["fit", "prepare"])
def test_espeis_own_loop_has_no_goal(command: str) -> None:
    words = [command, "--in", "x.yaml", "--until", "ess=4", "--engine", "espei"]
    with pytest.raises(click.UsageError, match="leave out --until"):
        commands.main(words, standalone_mode=False)


def test_combination_that_is_slower_than_every_parameter_counts() -> None:
    slow, fast = np.moveaxis(chain(8000, 0.95, 0.0), 2, 0)
    noise = 3 * np.random.default_rng(2).normal(size=fast.shape)
    ridge = np.stack((slow / 3.2 + noise, slow / 3.2 - noise), axis=2)
    _, single = smallest_ess(ridge[:, :, :1])
    _, tau = smallest_ess(ridge)
    assert single < 10
    assert tau == pytest.approx(39, rel=0.3)
