"""What is asked of a search for the best fit, and the settings that it makes of an input."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FEWEST_ITERATIONS = 2
"""With fewer, ESPEI finds no best parameters."""


@dataclass(frozen=True)
class Search:
    """What is asked of a search for the best fit.

    Attributes:
        starts: number of starting points: the database's values, then ESPEI's starting walkers.
        database: the database to fit, in place of the input's; None for the input's.
    """

    starts: int = 1
    database: Path | None = None

    def settings(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        """Return an input's settings for the search: it needs no section ``mcmc`` and writes no arrays."""
        settings = copy.deepcopy(dict(raw))
        mcmc = settings.setdefault("mcmc", {})
        output = settings.setdefault("output", {})
        if isinstance(mcmc, dict):
            mcmc["iterations"] = FEWEST_ITERATIONS
            if self.database is not None:
                mcmc["input_db"] = str(self.database)
                mcmc.pop("restart_trace", None)
                settings.pop("generate_parameters", None)
        if isinstance(output, dict):
            database = Path(str(output.get("output_db", "out.tdb")))
            output["output_db"] = str(database.with_name(f"{database.stem}-optimum{database.suffix}"))
            output |= {"tracefile": "None", "probfile": "None"}
        return settings
