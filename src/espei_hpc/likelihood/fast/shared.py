"""Data shared by the plans of a process."""

from typing import Any

from espei_hpc.likelihood.upstream.espei import Workspaces
from espei_hpc.likelihood.upstream.pycalphad import Factory, Grids


class Shared:
    """Data shared by the plans of a likelihood.

    Attributes:
        grids: sampled points.
        workspaces: creates the workspaces that ESPEI does not keep.
    """

    def __init__(self) -> None:
        self.grids = Grids()
        self.workspaces = Workspaces()
        self._factories: dict[int, Factory] = {}

    def factory(self, factory: Any, symbols: tuple[str, ...]) -> Factory:
        """Return the one wrapper of a factory."""
        if id(factory) not in self._factories:
            self._factories[id(factory)] = Factory(factory, symbols)
        return self._factories[id(factory)]
