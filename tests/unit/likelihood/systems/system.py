"""What a system is, and how its input for ESPEI is written."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from pycalphad import Database

from unit.likelihood.likelihood_cases import write

OF_A_PHASE = re.compile(r"(?:(?:PHASE|CONSTITUENT) |PARA(?:METER)? \w+\(|TYPE_DEFINITION \S+ GES \S+ )(\w+)")


@dataclass(frozen=True, eq=False)
class System:
    """A small fit: a database of pycalphad's with parts of it to fit, and made-up data.

    Attributes:
        name: what tests call it.
        purpose: what it is here for.
        database: name of the file in pycalphad's wheel.
        components: what ESPEI's phase models name.
        phases: those left of the database; fewer of them evaluate in less time.
        changes: pieces of the database's text, each there just once, and what replaces them.
        additions: what is added to the text, above all the fitted symbols.
        datasets: content of each file by its name.
        tags: ESPEI's section ``system.tags``.
        models: dotted names of models of our own, by phase.
        sampling: settings of the section ``mcmc``.
        units: how many each kind of residual has; activities without data are evaluated whole.
    """

    name: str
    purpose: str
    database: str
    components: tuple[str, ...]
    phases: tuple[str, ...]
    changes: Mapping[str, str]
    additions: str
    datasets: Mapping[str, Any]
    units: Mapping[str, int]
    tags: Mapping[str, Any] = field(default_factory=dict)
    models: Mapping[str, str] = field(default_factory=dict)
    sampling: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name

    def text(self) -> str:
        """Return the database."""
        whole = (resources.files("pycalphad") / "tests" / "databases" / self.database).read_text()
        text = _normalized(whole, self.phases)
        for old, new in self.changes.items():
            assert text.count(old) == 1, f"{old!r} is {text.count(old)} times in {self.database}"
            text = text.replace(old, new)
        return text + self.additions

    def write(self, directory: Path) -> dict[str, Any]:
        """Write the input and return ESPEI's settings."""
        directory.mkdir(parents=True, exist_ok=True)
        database = directory / "start.tdb"
        database.write_text(self.text())
        models = directory / "phase_models.json"
        models.write_text(json.dumps(self._phase_models()))
        settings = write(directory, dict(self.datasets), input_db=str(database), **self.sampling)
        settings["system"] |= {"phase_models": str(models), "tags": dict(self.tags)}
        return settings

    def _phase_models(self) -> dict[str, Any]:
        phases = Database.from_string(self.text(), fmt="tdb").phases
        return {
            "components": list(self.components),
            "phases": {
                name: {
                    "sublattice_model": [sorted(map(str, subl)) for subl in phase.constituents],
                    "sublattice_site_ratios": list(phase.sublattices),
                }
                | ({"model": self.models[name]} if name in self.models else {})
                for name, phase in phases.items()
            },
        }


def _normalized(text: str, phases: tuple[str, ...]) -> str:
    """Return a command a line, without comments and without the other phases."""
    bare = " ".join(line.split("$")[0] for line in text.splitlines())
    commands = [" ".join(command.split()) for command in bare.split("!")]
    return "".join(f"{command} !\n" for command in commands if command and _of(command, phases))


def _of(command: str, phases: tuple[str, ...]) -> bool:
    found = OF_A_PHASE.match(command)
    return found.group(1) in phases if found else not command.startswith("LIST_OF_REFERENCES")
