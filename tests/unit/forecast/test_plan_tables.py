"""The table's figures follow from one another, and the choice from the table."""

import json
from dataclasses import replace

import pytest

from espei_hpc.forecast.measure import Measured
from espei_hpc.forecast.tables import WORTH, Plan, plan, rank_numbers
from espei_hpc.forecast.words import lines

CU_MG = Measured(2.4, 0.05, dict.fromkeys(range(240), 0.01), walkers=8, waited=1.0)


@pytest.fixture(scope="module")
def planned() -> Plan:
    return plan(15, 30, 1000, CU_MG, 2.4, hours=3.0)


@pytest.fixture(scope="module")
def on_nodes() -> Plan:
    return plan(15, 30, 1000, CU_MG, 2.4, cores_per_node=16, hours=0.5)


def test_figures_of_a_row_follow_from_its_seconds_per_iteration(planned: Plan) -> None:
    for row in planned.rows:
        limit = 30 * 2.4 / (row.ranks - 1)
        assert row.efficiency == pytest.approx(limit / row.seconds_per_iteration)
        # The starting walkers are one iteration more.
        assert row.hours == pytest.approx(1001 * row.seconds_per_iteration / 3600)
        assert row.core_hours == pytest.approx(row.ranks * row.hours)
        assert row.stock_hours == pytest.approx(1001 * row.stock_seconds_per_iteration / 3600)
        assert row.seconds_per_iteration < row.stock_seconds_per_iteration


def test_two_ranks_are_one_worker_that_does_everything(planned: Plan) -> None:
    row = planned.rows[0]
    assert row.ranks == 2
    assert row.seconds_per_iteration == pytest.approx(30 * 2.4, rel=0.01)


def test_ranks_reach_from_one_worker_to_four_for_each_walker() -> None:
    assert rank_numbers(30, None) == [2, 4, 8, 16, 31, 61, 91, 121]
    assert rank_numbers(2, None) == [2, 3, 5, 7, 9]


def test_ranks_fill_whole_nodes() -> None:
    assert rank_numbers(30, 16) == [16, 32, 48, 64, 96]
    assert rank_numbers(30, 128) == [128]
    assert rank_numbers(30, 1)[:4] == [2, 3, 4, 6]


def test_whole_nodes_are_paid_for(on_nodes: Plan) -> None:
    for row in on_nodes.rows:
        assert row.nodes is not None
        assert row.nodes * 16 == row.ranks
        assert row.core_hours == pytest.approx(row.nodes * 16 * row.hours)


def test_the_most_ranks_that_are_worth_it_are_recommended(planned: Plan) -> None:
    # Of units of 10 ms, pieces can be made that keep four workers for each walker busy.
    assert planned.recommended.ranks == 121
    assert planned.recommended.efficiency >= WORTH


def test_ranks_that_would_idle_are_not_recommended() -> None:
    one_unit = replace(CU_MG, units={0: 2.4})
    told = plan(15, 30, 1000, one_unit, 2.4)
    assert all(row.pieces == 1 for row in told.rows)
    assert told.recommended.ranks == 16
    assert any("Recommended: 16 ranks" in line and "with 31 ranks only 5" in line for line in lines(told))


def test_hours_ask_for_the_fewest_ranks_that_end_in_time(planned: Plan) -> None:
    assert planned.within is not None
    assert planned.within.hours <= 3.0
    # All workers busy all the time: 1001 x 30 x 2.4 s in 3 h are 6.7 workers, that is 7 and the scheduler.
    assert planned.within.ranks == 8


def test_hours_ask_for_the_fewest_whole_nodes(on_nodes: Plan) -> None:
    # 41 workers and the scheduler would do: two nodes of 16 are too few, three enough.
    assert on_nodes.within is not None
    assert on_nodes.within.nodes == 3
    assert on_nodes.within.hours <= 0.5


def test_hours_that_no_ranks_can_keep_are_said_to_be_too_few() -> None:
    told = plan(15, 4, 1000, CU_MG, 2.4, hours=0.01)
    assert told.within is None
    assert any(
        "Within 36 s: not possible with the ranks examined; fastest: 17 ranks," in line
        for line in lines(told)
    )


def test_a_single_rank_more_than_needed_is_not_asked_for() -> None:
    told = plan(15, 4, 100, CU_MG, 2.4, hours=1000.0)
    assert told.within is not None
    assert told.within.ranks == 2


def test_lines_are_a_table_and_what_to_ask_for(planned: Plan) -> None:
    told = lines(planned)
    assert told[0] == "15 symbols, 30 walkers, 1000 iterations"
    assert "2.4 s" in told[1]
    assert told[2] == "with ESPEI's own functions: 2.4 s"
    table = told[4 : 5 + len(planned.rows)]
    assert len({len(line) for line in table}) == 1
    assert [line.split()[0] for line in table[1:]] == [str(row.ranks) for row in planned.rows]
    assert any(line.startswith("Recommended: 121 ranks") for line in told)
    assert any(line.startswith("Within 3.0 h: at least 8 ranks") for line in told)


def test_a_busy_machine_is_mentioned(planned: Plan) -> None:
    busy = replace(planned, measured=replace(CU_MG, waited=2.0))
    assert not any("busy:" in line for line in lines(planned))
    assert any("this machine is busy: an evaluation took 2.0 times" in line for line in lines(busy))


def test_a_plan_is_plain_data(on_nodes: Plan) -> None:
    data = json.loads(json.dumps(on_nodes.as_dict()))
    assert data["rows"][0]["nodes"] == 1
    assert data["recommended"] in data["rows"]
    assert data["measured"]["evaluation"] == 2.4
