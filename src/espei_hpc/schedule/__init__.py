"""How fast a chain can be: the engine replayed in simulated time, and the cut that follows from it."""

from espei_hpc.schedule.barrier import barrier
from espei_hpc.schedule.costs import Costs
from espei_hpc.schedule.cut import best_cut
from espei_hpc.schedule.replay import Replayed, replay

__all__ = ["Costs", "Replayed", "barrier", "best_cut", "replay"]
