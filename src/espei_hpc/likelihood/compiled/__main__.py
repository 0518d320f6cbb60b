"""Prints whether the kernel is in use, and why not: python -m espei_hpc.likelihood.compiled."""

from espei_hpc.likelihood.compiled import missing

print(missing() or "used")
