"""Part g: part b's workers and spread, sleeping the recorded times of the prepared likelihood; ours alone."""

from typing import Any

from scale import forecast, together
from sleeping import PREPARED, recorded

SPREAD = 0.05
WORKERS = (4, 19, 39, 127)
"""Each is measured alone: evaluations are so short that the calls of several would take all of two cores."""
SECONDS = 30.0


def measure() -> dict[str, Any]:
    """Measure all numbers of workers, and add plan's forecasts; stock's seconds are those of part b."""
    rows = [row for workers in WORKERS for row in together([(workers, SPREAD, SECONDS)], PREPARED)]
    for row in rows:
        row["forecast"] = forecast(row, PREPARED)
    whole = recorded(PREPARED)
    return {"walkers": whole.walkers, "evaluation": whole.evaluation, "rows": rows}
