"""A plan as text for a terminal."""

from collections.abc import Sequence

from espei_hpc.forecast.effective import ENOUGH
from espei_hpc.forecast.measure import Measured
from espei_hpc.forecast.tables import WORTH, Plan, RankRow
from espei_hpc.sampler.moves import STRETCH
from espei_hpc.text import counted

BUSY = 1.3
"""Wall seconds per CPU second above which the machine is reported as busy."""


def lines(plan: Plan) -> list[str]:
    """Return the measurement, a table by number of ranks, and the recommendation."""
    sampler = "" if plan.sampler == STRETCH else f", sampler {plan.sampler}"
    return [
        f"{counted(plan.symbols, 'symbol')}, {counted(plan.walkers, 'walker')}, "
        f"{counted(plan.iterations, 'iteration')}{sampler}",
        *_measured(plan.measured, plan.stock_evaluation),
        "",
        *_table(plan),
        "",
        _recommendation(plan),
        *_within(plan),
        "",
        *_effective(plan),
        "",
        "Not included: starting the cluster. Assumed: each rank has a core of its own, as fast as one here.",
    ]


def duration(hours: float) -> str:
    """Format hours in a suitable unit."""
    seconds = hours * 3600
    if seconds < 120:
        return f"{seconds:.3g} s"
    if seconds < 120 * 60:
        return f"{seconds / 60:.3g} min"
    return f"{hours:.1f} h"


def _measured(measured: Measured, stock: float) -> list[str]:
    shown = [
        f"one evaluation: {measured.evaluation:.3g} s of CPU, {measured.spread:.0%} spread over "
        f"{measured.walkers} starting walkers; {counted(len(measured.units), 'unit')}, the longest "
        f"{max(measured.units.values()):.2g} s",
        f"with ESPEI's own functions: {stock:.3g} s",
    ]
    if measured.waited > BUSY:
        shown.append(
            f"this machine is busy: an evaluation took {measured.waited:.1f} times its CPU time; "
            "the figures below are for cores without other load"
        )
    return shown


def _table(plan: Plan) -> list[str]:
    head = [
        "ranks",
        "pieces",
        "s/iteration",
        "efficiency",
        "walltime",
        "core-hours",
        "espei s/it.",
        "walltime",
    ]
    rows = [_cells(row) for row in plan.rows]
    if plan.cores_per_node is not None:
        head.insert(0, "nodes")
        rows = [[str(row.nodes), *cells] for row, cells in zip(plan.rows, rows, strict=True)]
    return _aligned([head, *rows])


def _cells(row: RankRow) -> list[str]:
    return [
        str(row.ranks),
        str(row.pieces),
        f"{row.seconds_per_iteration:.3g}",
        f"{row.efficiency:.0%}",
        duration(row.hours),
        f"{row.core_hours:.3g}" if row.core_hours < 1000 else f"{row.core_hours:.0f}",
        f"{row.stock_seconds_per_iteration:.3g}",
        duration(row.stock_hours),
    ]


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]


def _ranks(row: RankRow) -> str:
    if row.nodes is None:
        return f"{counted(row.ranks, 'rank')}"
    each = row.ranks // row.nodes
    return f"{counted(row.nodes, 'node')} of {counted(each, 'rank')}"


def _recommendation(plan: Plan) -> str:
    row = plan.recommended
    beyond = next((other for other in plan.rows if other.ranks > row.ranks), None)
    if row.efficiency < WORTH:
        why = f"the workers are busy {row.efficiency:.0%} of the time at most"
    elif beyond is None:
        why = f"the workers are busy {row.efficiency:.0%} of the time; more ranks were not examined"
    else:
        why = (
            f"the workers are busy {row.efficiency:.0%} of the time, with {_ranks(beyond)} only "
            f"{beyond.efficiency:.0%}"
        )
    return f"Recommended: {_ranks(row)}, {duration(row.hours)}: {why}."


def _within(plan: Plan) -> list[str]:
    if plan.hours is None:
        return []
    row = plan.within
    if row is None:
        quickest = min(plan.rows, key=lambda other: other.hours)
        return [
            f"Within {duration(plan.hours)}: not possible with the ranks examined; fastest: "
            f"{_ranks(quickest)}, {duration(quickest.hours)}."
        ]
    return [f"Within {duration(plan.hours)}: at least {_ranks(row)}, {duration(row.hours)}."]


def _effective(plan: Plan) -> list[str]:
    """Return what an effective sample size costs, a row for each sampler."""
    head = ["sampler", "evaluations", "core-hours", f"on {_ranks(plan.recommended)}"]
    rows = [
        [
            cost.sampler,
            " to ".join(f"{float(f'{number:.2g}'):.0f}" for number in cost.evaluations),
            "{:.2g} to {:.2g}".format(*cost.core_hours),
            " to ".join(map(duration, cost.hours)),
        ]
        for cost in plan.costs
    ]
    return [
        f"For an effective sample size of {ENOUGH}, from a Gaussian to the slowest fit that was measured:",
        *_aligned([head, *rows]),
        "laplace finds out first whether a Gaussian describes the fit, and is refused if none does.",
    ]
