"""espei-hpc: run ESPEI fits on a cluster."""

from importlib.metadata import version

__version__ = version("espei-hpc")
