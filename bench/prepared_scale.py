"""Part g: part b's workers and spread, sleeping the recorded times of the prepared likelihood; ours alone."""

from typing import Any

from scale import together
from sleeping import PREPARED, recorded

SPREAD = 0.05
GROUPS = ((4, 19, 39), (127,))
"""Numbers of workers that are measured at the same time."""
SECONDS = 30.0


def measure() -> dict[str, Any]:
    """Measure all numbers of workers; stock's seconds beside them are those of part b."""
    rows = [
        row
        for group in GROUPS
        for row in together([(workers, SPREAD, SECONDS) for workers in group], PREPARED)
    ]
    whole = recorded(PREPARED)
    return {"walkers": whole.walkers, "evaluation": whole.evaluation, "rows": rows}
