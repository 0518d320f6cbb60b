"""What a fitted symbol is: the parameters of the database that use it, and its term in each."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pycalphad import Database
from tinydb import where

from espei_hpc.inputs.quiet import quiet
from espei_hpc.report.terms import factors, resolved, term

MOST_USES = 3
"""Uses of a symbol that are written out; of more, the number."""
ENERGIES = ("G", "L")
"""TDB parameter types of the Gibbs energy; pycalphad makes no difference between them."""


@dataclass(frozen=True)
class Use:
    """One parameter of the database that a symbol enters.

    Attributes:
        phase: name of the phase.
        kind: TDB type of the parameter: G, L, TC, BMAGN and so on.
        constituents: constituents of each sublattice, as in a TDB file: ``CU,MG:VA``.
        order: order of the parameter.
        interaction: whether constituents mix on a sublattice.
        term: the term of the parameter that the symbol scales.
        unit: the symbol's unit; empty where it is not known.
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
        """The parameter as a TDB file has it."""
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
    """What a symbol is.

    Attributes:
        name: the symbol.
        uses: the parameters that use it, in the database's order.
    """

    name: str
    uses: tuple[Use, ...]

    @property
    def unit(self) -> str:
        """Its unit; empty where it is not known, or not the same in all uses."""
        units = {use.unit for use in self.uses}
        return units.pop() if len(units) == 1 else ""

    @property
    def short(self) -> str:
        """One line for a plot: the parameter as a TDB file has it, and how many more there are."""
        if not self.uses:
            return "in no parameter"
        term = self.uses[0].term
        more = f" + {len(self.uses) - 1} more" if len(self.uses) > 1 else ""
        return f"{self.uses[0].short}{'' if term == 'constant term' else f', {term}'}{more}"

    def __str__(self) -> str:
        unit = f" ({self.unit})" if self.unit else ""
        if not self.uses:
            return "used in no parameter of the database"
        if len(self.uses) == 1:
            return f"{self.uses[0]}{unit}"
        more = [f"{len(self.uses) - MOST_USES} more"] if len(self.uses) > MOST_USES else []
        return f"used {len(self.uses)} times{unit}: " + "; ".join([*map(str, self.uses[:MOST_USES]), *more])


def describe(database: Database, names: Iterable[str]) -> dict[str, SymbolDescription]:
    """Describe symbols of a database.

    Args:
        database: pycalphad's.
        names: the symbols.

    Returns:
        A description for each name, in the order given.
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
        A description for each name; nothing where the file cannot be read.
    """
    if file is None:
        return {}
    try:
        with quiet():
            return describe(Database(str(file)), names)
    # pycalphad raises anything at a file that is not a database; the chain needs none to be reported.
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
