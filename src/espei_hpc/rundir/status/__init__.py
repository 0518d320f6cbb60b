"""``espei-hpc status``: progress of fits, the processes that run them, the addresses of Dask's dashboards.

It only reads the files of a run directory and changes none: it works on a login node, while the fit
is writing, and when the host that runs the fit is not reachable.
"""

from espei_hpc.rundir.status.run import FitState, Status, look
from espei_hpc.rundir.status.runs import Run, find
from espei_hpc.rundir.status.table import table
from espei_hpc.rundir.status.words import lines

__all__ = ["FitState", "Run", "Status", "find", "lines", "look", "table"]
