"""``espei-hpc plan``: how long a fit takes with so many ranks, and how many are worth asking for."""

from espei_hpc.plan.measure import FEWEST, Measured, measure
from espei_hpc.plan.starting import Starting, starting
from espei_hpc.plan.tables import Plan, Row, plan
from espei_hpc.plan.words import lines

__all__ = ["FEWEST", "Measured", "Plan", "Row", "Starting", "lines", "measure", "plan", "starting"]
