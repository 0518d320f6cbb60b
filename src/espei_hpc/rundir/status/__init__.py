"""``espei-hpc status``: how far fits are, who runs them, where their clusters' pages are.

Read from the files of a run directory alone, and nothing in it is changed: it works on a login
node, while the fit writes into them, and while the host that runs it is away.
"""

from espei_hpc.rundir.status.run import FitState, Status, look
from espei_hpc.rundir.status.runs import Run, find
from espei_hpc.rundir.status.table import table
from espei_hpc.rundir.status.words import lines

__all__ = ["FitState", "Run", "Status", "find", "lines", "look", "table"]
