"""ESPEI's phase models, generated from the phases of a database."""

import json

from pycalphad import Database

ELECTRON_GAS = "/-"


def text(database: Database) -> str:
    """Return a phase models file (JSON) for all elements and phases of a database.

    The site ratios are those of the database (number of sites per formula unit).
    """
    components = sorted(set(database.elements) - {ELECTRON_GAS})
    phases = ",\n".join(_phase(database, name) for name in sorted(database.phases))
    return f'{{\n  "components": {json.dumps(components)},\n  "phases": {{\n{phases}\n  }}\n}}\n'


def _phase(database: Database, name: str) -> str:
    phase = database.phases[name]
    model = [sorted(species.name for species in sublattice) for sublattice in phase.constituents]
    ratios = [_number(sites) for sites in phase.sublattices]
    return (
        f"    {json.dumps(name)}: {{\n"
        f'      "sublattice_model": {json.dumps(model)},\n'
        f'      "sublattice_site_ratios": {json.dumps(ratios)}\n'
        "    }"
    )


def _number(sites: float) -> float:
    return int(sites) if float(sites).is_integer() else float(sites)
