"""Thermochemical properties: names, units, and differences between calculated and measured values."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import groupby

import numpy as np

from espei_hpc.report.measured import Compared
from espei_hpc.report.samples import FloatArray

PER_ATOM = "J/mol-atom"
PER_ATOM_KELVIN = "J/K-mol-atom"
"""As in ESPEI's own plots: data are per mole of atoms, parameters per mole of formula units."""
ENDINGS = {"_MIX": " of mixing", "_FORM": " of formation", "R": " from reference states", "": ""}
"""The reference state of a property, by the ending of its name in a dataset."""


class PropertyFamily(Enum):
    """Properties that are shown together: name of the plot, heading, name of the property, unit."""

    ENTHALPY = ("enthalpies", "Enthalpies", "enthalpy", PER_ATOM)
    ENTROPY = ("entropies", "Entropies", "entropy", PER_ATOM_KELVIN)
    HEAT_CAPACITY = ("heat-capacities", "Heat capacities", "heat capacity", PER_ATOM_KELVIN)
    GIBBS_ENERGY = ("gibbs-energies", "Gibbs energies", "Gibbs energy", PER_ATOM)
    ACTIVITY = ("activities", "Activities", "activity", "")
    OTHER = ("other-properties", "Other properties", "", "")

    def __init__(self, picture: str, heading: str, noun: str, unit: str) -> None:
        self.picture = picture
        self.heading = heading
        self.noun = noun
        self.unit = unit


BASES = {
    "HM": PropertyFamily.ENTHALPY,
    "SM": PropertyFamily.ENTROPY,
    "CPM": PropertyFamily.HEAT_CAPACITY,
    "GM": PropertyFamily.GIBBS_ENERGY,
    "ACR": PropertyFamily.ACTIVITY,
}


@dataclass(frozen=True)
class Property:
    """A property of a dataset.

    Attributes:
        family: its family.
        name: its name in words, with the name in the dataset.
        unit: unit of its values; empty for dimensionless values, or if unknown.
        residual_unit: unit of ESPEI's residual.
    """

    family: PropertyFamily
    name: str
    unit: str
    residual_unit: str


def known(output: str, excluded: Sequence[str] = ()) -> Property:
    """Return the description of a property.

    Args:
        output: its name in a dataset.
        excluded: model contributions that are excluded from it.
    """
    without = f" without {', '.join(excluded)}" if excluded else ""
    for base, family in BASES.items():
        ending = output.removeprefix(base)
        if family is PropertyFamily.ACTIVITY and ending.startswith("_"):
            return Property(family, f"activity of {ending[1:]} ({output})", "", "J/mol")
        if ending != output and ending in ENDINGS:
            name = f"{family.noun}{ENDINGS[ending]} ({output}{without})"
            return Property(family, name, family.unit, family.unit)
    return Property(PropertyFamily.OTHER, f"{output}{without}", "", "")


@dataclass(frozen=True)
class PropertyRow:
    """Differences between calculated and measured values of a property.

    Attributes:
        name: the property.
        phase: the phase; empty for all of them.
        number: number of data.
        before: root mean square of ESPEI's residuals with the starting database.
        after: the same with the best parameters.
        unit: unit of both.
        before_scaled: root mean square of the residuals, each divided by ESPEI's standard deviation.
        after_scaled: the same after.
        failed: number of data that could not be calculated, before or after.
    """

    name: str
    phase: str
    number: int
    before: float
    after: float
    unit: str
    before_scaled: float
    after_scaled: float
    failed: int


def rows(compared: Iterable[Compared]) -> list[PropertyRow]:
    """Return a row for each property and phase, and one for all phases if there are several."""
    found = []
    for (output, excluded), group in groupby(sorted(compared, key=_order), key=_property):
        of_property = list(group)
        by_phase = [(phase, list(some)) for phase, some in groupby(of_property, key=lambda one: one.phase)]
        if len(by_phase) > 1:
            found.append(_row(known(output, excluded), "", of_property))
        found += [_row(known(output, excluded), phase, some) for phase, some in by_phase]
    return found


def _property(one: Compared) -> tuple[str, tuple[str, ...]]:
    return one.output, one.excluded


def _order(one: Compared) -> tuple[str, tuple[str, ...], str]:
    return one.output, one.excluded, one.phase


def _row(what: Property, phase: str, compared: Sequence[Compared]) -> PropertyRow:
    before = np.array([one.difference_before for one in compared])
    after = np.array([one.difference_after for one in compared])
    deviations = np.array([one.deviation for one in compared])
    return PropertyRow(
        name=what.name,
        phase=phase,
        number=len(compared),
        before=rms(before),
        after=rms(after),
        unit=what.residual_unit,
        before_scaled=rms(before / deviations),
        after_scaled=rms(after / deviations),
        failed=int(np.sum(~np.isfinite(before) | ~np.isfinite(after))),
    )


def rms(differences: FloatArray) -> float:
    """Return the root mean square of those that are finite; NaN if none is."""
    finite = differences[np.isfinite(differences)]
    return float(np.sqrt(np.mean(finite**2))) if len(finite) else float("nan")
