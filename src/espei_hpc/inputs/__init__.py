"""The problem to solve: an ESPEI input file, read and checked with everything it names.

Nothing here starts, writes or changes anything; ESPEI and pycalphad are asked,
never repeated, so what passes here is what they accept.
"""

from espei_hpc.inputs.checking import Problem, check
from espei_hpc.inputs.reading import read_input

__all__ = ["Problem", "check", "read_input"]
