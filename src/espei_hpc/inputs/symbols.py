"""Checking the symbols to fit: defined in the database, plain numbers, used by a phase."""

import difflib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from espei.utils import database_symbols_to_fit, unpack_piecewise
from pycalphad import Database
from pycalphad.core.utils import unpack_species
from tinydb import where

from espei_hpc.inputs.findings import Findings, named
from espei_hpc.inputs.system import System

STATE_VARIABLES = frozenset({"T", "P", "N", "R"})
"""Symbols that a database may use without defining them."""
KEY = "mcmc.symbols"


def symbols_to_fit(
    asked: Sequence[Any] | None, file: Path, database: Database | None, findings: Findings
) -> list[str]:
    """Check the names of the symbols to fit.

    Args:
        asked: the symbols listed in the input, or None to fit those named V or VV and a number.
        file: the database file, for messages.
        database: its content; None if it is not readable.
        findings: collects the faults.

    Returns:
        The symbols in ESPEI's order; empty if they are faulty or unknown.
    """
    if asked is not None:
        return _check_asked(asked, file, database, findings)
    symbols: list[str] = [] if database is None else database_symbols_to_fit(database)
    if database is not None and not symbols:
        findings.fault(
            "mcmc.input_db",
            f"{file} has nothing to fit: no symbol is named V or VV and a number",
            "list the symbols to fit in mcmc.symbols",
        )
    return symbols


def _check_asked(
    asked: Sequence[Any], file: Path, database: Database | None, findings: Findings
) -> list[str]:
    """Check the symbols listed in the input."""
    before = len(findings.faults)
    if not asked:
        findings.fault(KEY, "is empty, so there is nothing to fit", "list symbols, or remove the key")
    for symbol in dict.fromkeys(map(str, asked)):
        if list(map(str, asked)).count(symbol) > 1:
            findings.fault(KEY, f"{symbol} is listed twice", "list it once")
        if database is not None and symbol not in database.symbols:
            close = difflib.get_close_matches(symbol.upper(), list(database.symbols), n=1)
            findings.fault(
                KEY,
                f"{file} has no symbol {symbol}",
                f"did you mean {close[0]}?" if close else "list symbols that it has",
            )
    return sorted(map(str, asked)) if len(findings.faults) == before else []


def starting_values(
    symbols: Sequence[str], file: Path, database: Database, findings: Findings
) -> dict[str, float]:
    """Return the starting value of each symbol; empty if one is not a number."""
    values: dict[str, float] = {}
    for symbol in symbols:
        with findings.guard(KEY, f"{symbol} in {file} is not a plain number"):
            values[symbol] = unpack_piecewise(database.symbols[symbol])
    zeros = [symbol for symbol, value in values.items() if value == 0]
    if zeros:
        findings.note(
            f"{KEY}: {named(zeros)} will stay 0: walkers start within a fraction of the starting value, and "
            "move only along their differences"
        )
    return values if len(values) == len(symbols) else {}


def _used_symbols(database: Database, system: System) -> set[str]:
    """Return all symbols that the parameters of the active phases use, directly or through functions."""
    hints = [database.phases[name].model_hints for name in system.phases]
    # The disordered part of a phase is not active itself, but counts in the ordered one.
    phases = {*system.phases, *(hint["disordered_phase"] for hint in hints if "disordered_phase" in hint)}
    active = {"*", *(species.name for species in unpack_species(database, sorted(system.components)))}
    waiting = [
        parameter["parameter"]
        for parameter in database.search(where("phase_name").one_of(list(phases)))
        if all(
            species.name in active for sublattice in parameter["constituent_array"] for species in sublattice
        )
    ]
    used: set[str] = set()
    while waiting:
        found = {str(symbol) for symbol in getattr(waiting.pop(), "free_symbols", ())} - used
        used |= found
        waiting += [database.symbols[name] for name in found if name in database.symbols]
    return used - STATE_VARIABLES


def check_used_symbols(
    symbols: Iterable[str], file: Path, database: Database, system: System, findings: Findings
) -> None:
    """Refuse undefined symbols; note symbols to fit that no active phase uses."""
    used = _used_symbols(database, system)
    undefined = sorted(used - set(database.symbols))
    if undefined:
        findings.fault(
            "mcmc.input_db",
            f"{file} uses {named(undefined)} without defining it; pycalphad would take it as 0",
            "add the FUNCTION",
        )
    unused = sorted(set(symbols) - used)
    if unused:
        findings.note(f"{KEY}: no active phase uses {named(unused)}: the data cannot determine it")
