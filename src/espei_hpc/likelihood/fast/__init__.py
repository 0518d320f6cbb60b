"""Plans: units of the likelihood that are prepared once and evaluated many times, bit for bit as in ESPEI.

Each plan is built by upstream's own code at arbitrary parameters: it keeps only what does not
depend on them.
"""

from espei_hpc.likelihood.fast.activities import ActivityPlan
from espei_hpc.likelihood.fast.boundaries import BoundaryPlan
from espei_hpc.likelihood.fast.configurations import ConfigurationsPlan
from espei_hpc.likelihood.fast.properties import PropertiesPlan
from espei_hpc.likelihood.fast.shared import Shared

__all__ = ["ActivityPlan", "BoundaryPlan", "ConfigurationsPlan", "PropertiesPlan", "Shared"]
