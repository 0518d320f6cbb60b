"""The terms of a parameter: the symbols it uses, through which functions, and what each one multiplies."""

from collections.abc import Iterator, Mapping
from typing import Any

import symengine
from pycalphad import Database

UNITS = {"G": "J/mol", "L": "J/mol", "TC": "K", "NT": "K"}
"""Unit of a parameter by its TDB type; J/mol is per mole of formula units of the phase."""
MOST_STEPS = 20
"""Maximum depth of nested functions."""
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


def factors(
    expression: Any, database: Database, names: Mapping[str, Any], through: tuple[str, ...]
) -> Iterator[tuple[str, Any, tuple[str, ...]]]:
    """Find symbols in an expression, and in the functions that it uses.

    Args:
        expression: a parameter of the database, or a function.
        database: a pycalphad database with the functions.
        names: the symbols to look for.
        through: functions between the parameter and this expression, outermost first.

    Yields:
        The symbol, the derivative of the expression with respect to it, and the functions in between.
    """
    for piece in _pieces(expression):
        for symbol in sorted(getattr(piece, "free_symbols", ()), key=str):
            name = str(symbol)
            if name in names:
                yield name, piece.diff(symbol), through
            # A database with circular functions cannot be evaluated, but it can be read.
            elif name in database.symbols and name not in through:
                outer = piece.diff(symbol)
                for found, inner, way in factors(database.symbols[name], database, names, (*through, name)):
                    yield found, outer * inner, way


def resolved(factor: Any, database: Database, names: Mapping[str, Any]) -> Any:
    """Replace functions by their definition, if it is the same at all temperatures."""
    for _ in range(MOST_STEPS):
        found: dict[Any, Any] = {}
        for symbol in factor.free_symbols:
            name = str(symbol)
            if name in database.symbols and name not in names:
                # The last piece is for temperatures outside all ranges.
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


def term(factor: Any, kind: str) -> tuple[str, str]:
    """Return the name of a term, and the unit of the symbol in it.

    Args:
        factor: derivative of a parameter with respect to a symbol.
        kind: TDB type of the parameter.
    """
    base = UNITS.get(kind, "")
    # pycalphad's T has its own class, which symengine does not always treat as equal to its own T.
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
