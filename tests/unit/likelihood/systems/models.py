"""A model class as a user would write one."""

from typing import Any

from pycalphad import Model
from pycalphad import variables as v


class Stiffened(Model):  # type: ignore[misc]
    """Adds a contribution that depends on composition, temperature and pressure."""

    # pycalphad wants the ordering last.
    contributions = (*Model.contributions[:-1], ("stiff", "stiffness"), Model.contributions[-1])

    def stiffness(self, dbe: Any) -> Any:
        """Return an energy per mole of atoms."""
        return 1e-4 * (v.T - 300.0) ** 2 * self.moles("CR") * self.moles("FE") + 1e-9 * v.P
