"""The problem to solve: an ESPEI input file, read and checked together with all files it names.

Nothing here starts, writes or changes anything. The checks call ESPEI and
pycalphad rather than copy their rules, so they accept what ESPEI accepts.
"""

from espei_hpc.inputs.checking import Problem, check
from espei_hpc.inputs.reading import read_input

__all__ = ["Problem", "check", "read_input"]
