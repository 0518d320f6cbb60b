"""Descriptions of the fitted symbols: the database parameters that use each symbol, and its term in them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pycalphad import Database
from tinydb import where

from espei_hpc.inputs.quiet import quiet
from espei_hpc.report.terms import factors, resolved, term

MOST_USES = 3
"""Maximum number of uses of a symbol that are listed; the others are counted."""
ENERGIES = ("G", "L")
"""TDB parameter types of the Gibbs energy; pycalphad treats them alike."""


@dataclass(frozen=True)
class Use:
    """A parameter of the database that uses a symbol.

    Attributes:
        phase: name of the phase.
        kind: TDB type of the parameter: G, L, TC, BMAGN and so on.
        constituents: constituents of each sublattice, as in a TDB file: ``CU,MG:VA``.
        order: order of the parameter.
        interaction: whether constituents mix on a sublattice.
        term: the term of the parameter that the symbol scales.
        unit: the symbol's unit; empty if unknown.
        through: the functions between symbol and parameter, the parameter's own first.
    """

    phase: str
    kind: str
    constituents: str
    order: int
    interaction: bool
    term: str
    unit: str
    through: tuple[str, ...] = ()

    @property
    def short(self) -> str:
        """The parameter as written in a TDB file."""
        return f"{self.kind}({self.phase},{self.constituents};{self.order})"

    def __str__(self) -> str:
        if self.kind not in ENERGIES:
            what = f"{self.kind} of {self.constituents}, order {self.order}"
        elif self.interaction:
            what = f"interaction L{self.order} of {self.constituents}"
        else:
            what = f"endmember {self.constituents}"
        within = f", within function {' of '.join(reversed(self.through))}" if self.through else ""
        return f"{self.phase}, {what}: {self.term}{within}"


@dataclass(frozen=True)
class SymbolDescription:
    """SymbolDescription of a symbol.

    Attributes:
        name: the symbol.
        uses: the parameters that use it, in the database's order.
    """

    name: str
    uses: tuple[Use, ...]

    @property
    def unit(self) -> str:
        """Its unit; empty if it is unknown, or differs between uses."""
        units = {use.unit for use in self.uses}
        return units.pop() if len(units) == 1 else ""

    @property
    def short(self) -> str:
        """One line for a plot: the first parameter as written in a TDB file, and the number of others."""
        if not self.uses:
            return "not used"
        term = self.uses[0].term
        more = f" + {len(self.uses) - 1} more" if len(self.uses) > 1 else ""
        return f"{self.uses[0].short}{'' if term == 'constant term' else f', {term}'}{more}"

    def __str__(self) -> str:
        unit = f" ({self.unit})" if self.unit else ""
        if not self.uses:
            return "not used by any parameter of the database"
        if len(self.uses) == 1:
            return f"{self.uses[0]}{unit}"
        more = [f"{len(self.uses) - MOST_USES} more"] if len(self.uses) > MOST_USES else []
        return f"used {len(self.uses)} times{unit}: " + "; ".join([*map(str, self.uses[:MOST_USES]), *more])


def describe(database: Database, names: Iterable[str]) -> dict[str, SymbolDescription]:
    """Describe symbols of a database.

    Args:
        database: a pycalphad database.
        names: the symbols.

    Returns:
        A description of each symbol, in the order given.
    """
    uses: dict[str, list[Use]] = {name: [] for name in names}
    for parameter in database.search(where("phase_name").exists()):
        for name, factor, through in factors(parameter["parameter"], database, uses, ()):
            named = term(resolved(factor, database, uses), parameter["parameter_type"])
            use = _use(parameter, *named, through)
            if use not in uses[name]:
                uses[name].append(use)
    return {name: SymbolDescription(name, tuple(found)) for name, found in uses.items()}


def describe_file(file: Path | None, names: Iterable[str]) -> dict[str, SymbolDescription]:
    """Describe symbols of a database file.

    Args:
        file: the file; None if there is none.
        names: the symbols.

    Returns:
        A description of each symbol; empty if the file is not readable.
    """
    if file is None:
        return {}
    try:
        with quiet():
            return describe(Database(str(file)), names)
    # pycalphad raises various errors for a bad file; the report works without descriptions.
    except Exception:
        return {}


def _use(parameter: Mapping[str, Any], term: str, unit: str, through: tuple[str, ...]) -> Use:
    sublattices = parameter["constituent_array"]
    return Use(
        phase=parameter["phase_name"],
        kind=parameter["parameter_type"],
        constituents=":".join(",".join(species.name for species in one) for one in sublattices),
        order=int(parameter["parameter_order"]),
        interaction=any(len(one) > 1 for one in sublattices),
        term=term,
        unit=unit,
        through=through,
    )
