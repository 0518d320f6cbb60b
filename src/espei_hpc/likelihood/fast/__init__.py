"""Units of the likelihood, prepared once and evaluated again and again, with the bits of ESPEI's own.

Each plan is built by upstream's own code at some parameters, which are nothing special: only
what does not depend on parameters is kept.
"""

from espei_hpc.likelihood.fast.activities import ActivityPlan
from espei_hpc.likelihood.fast.boundaries import BoundaryPlan
from espei_hpc.likelihood.fast.configurations import ConfigurationsPlan
from espei_hpc.likelihood.fast.properties import PropertiesPlan
from espei_hpc.likelihood.fast.shared import Shared

__all__ = ["ActivityPlan", "BoundaryPlan", "ConfigurationsPlan", "PropertiesPlan", "Shared"]
