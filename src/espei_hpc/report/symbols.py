"""What a fitted symbol is: the parameters of the database that use it, and its term in each."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import symengine
from pycalphad import Database
from tinydb import where

from espei_hpc.problem.quiet import quiet

MOST_USES = 3
"""Uses of a symbol that are written out; of more, the number."""
ENERGIES = ("G", "L")
"""TDB parameter types of the Gibbs energy; pycalphad makes no difference between them."""
UNITS = {"G": "J/mol", "L": "J/mol", "TC": "K", "NT": "K"}
"""Unit of a parameter by its TDB type; J/mol is per mole of formula units of the phase."""
MOST_STEPS = 20
"""Functions within functions that are looked into."""
T = symengine.Symbol("T")
TERMS = (
    (T, "temperature term", 1),
    (T * symengine.log(T), "T ln T term", 1),
    (T**2, "T² term", 2),
    (T**3, "T³ term", 3),
    (T**-1, "1/T term", -1),
)
"""Terms of a parameter: function of the temperature, name, and power of K in the unit."""
SUPERSCRIPTS = {2: "²", 3: "³"}


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
class Description:
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


def describe(database: Database, names: Iterable[str]) -> dict[str, Description]:
    """Describe symbols of a database.

    Args:
        database: pycalphad's.
        names: the symbols.

    Returns:
        A description for each name, in the order given.
    """
    uses: dict[str, list[Use]] = {name: [] for name in names}
    for parameter in database.search(where("phase_name").exists()):
        for name, factor, through in _factors(parameter["parameter"], database, uses, ()):
            term = _term(_resolved(factor, database, uses), parameter["parameter_type"])
            use = _use(parameter, *term, through)
            if use not in uses[name]:
                uses[name].append(use)
    return {name: Description(name, tuple(found)) for name, found in uses.items()}


def describe_file(file: Path | None, names: Iterable[str]) -> dict[str, Description]:
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


def _factors(
    expression: Any, database: Database, names: Mapping[str, Any], through: tuple[str, ...]
) -> Iterator[tuple[str, Any, tuple[str, ...]]]:
    """Find symbols in an expression, and in the functions that it uses.

    Yields:
        The symbol, the expression's derivative to it, and the functions on the way.
    """
    for piece in _pieces(expression):
        for symbol in sorted(getattr(piece, "free_symbols", ()), key=str):
            name = str(symbol)
            if name in names:
                yield name, piece.diff(symbol), through
            # A database whose functions use each other in a circle cannot be evaluated, but read.
            elif name in database.symbols and name not in through:
                outer = piece.diff(symbol)
                for found, inner, way in _factors(database.symbols[name], database, names, (*through, name)):
                    yield found, outer * inner, way


def _resolved(factor: Any, database: Database, names: Mapping[str, Any]) -> Any:
    """Replace functions by what they are, where that is the same at all temperatures."""
    for _ in range(MOST_STEPS):
        found: dict[Any, Any] = {}
        for symbol in factor.free_symbols:
            name = str(symbol)
            if name in database.symbols and name not in names:
                # The last piece is that beyond all ranges.
                pieces = set(_pieces(database.symbols[name])[:-1])
                found |= {symbol: pieces.pop()} if len(pieces) == 1 else {}
        if not found:
            break
        factor = factor.xreplace(found)
    return factor


def _pieces(expression: Any) -> list[Any]:
    """Return the expressions of all temperature ranges."""
    if isinstance(expression, symengine.Piecewise):
        return list(expression.args[::2])
    return [expression]


def _term(factor: Any, kind: str) -> tuple[str, str]:
    """Name the term of which this is the factor, and the unit of what it multiplies."""
    base = UNITS.get(kind, "")
    # pycalphad's temperature is a class of its own, which symengine does not always take for equal.
    factor = symengine.expand(factor).xreplace({one: T for one in factor.free_symbols if str(one) == "T"})
    if not factor.free_symbols:
        return f"constant term{_times(factor)}", base
    if factor.free_symbols != {T}:
        return "multiplies other symbols", ""
    for divisor, name, power in TERMS:
        if not (number := symengine.expand(factor / divisor)).free_symbols:
            return f"{name}{_times(number)}", _per_kelvin(base, power)
    return "multiplies a function of temperature", ""


def _times(number: Any) -> str:
    return "" if float(number) == 1 else f" times {float(number):g}"


def _per_kelvin(base: str, power: int) -> str:
    if base != "J/mol":
        return ""
    return f"{base}/K{SUPERSCRIPTS.get(power, '')}" if power > 0 else "J·K/mol"
