"""Check a login node, a job or a container before a fit is started there: ``espei-hpc doctor``.

Each check is a small function that returns lines; ``examination`` runs them, and
``probe`` runs in the ranks of a trial.
"""

from espei_hpc.doctor.examination import examine, obstacles
from espei_hpc.doctor.finding import Line, Severity
from espei_hpc.doctor.options import Launched, Options
from espei_hpc.doctor.output import as_json, as_text, exit_code

__all__ = [
    "Launched",
    "Line",
    "Options",
    "Severity",
    "as_json",
    "as_text",
    "examine",
    "exit_code",
    "obstacles",
]
