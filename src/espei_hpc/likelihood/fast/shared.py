"""What plans share in one process."""

from typing import Any

from espei_hpc.likelihood.upstream.espei import Workspaces
from espei_hpc.likelihood.upstream.pycalphad import Factory, Grids


class Shared:
    """What the plans of a likelihood share.

    Attributes:
        grids: sampled points.
        workspaces: makes those that ESPEI does not keep.
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
