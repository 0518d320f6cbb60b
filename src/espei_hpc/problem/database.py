"""The starting database: it parses, has the phases and symbols, and can be written again."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import espei.refdata
from espei.database_utils import initialize_database
from espei.error_functions.context import setup_context
from espei.utils import database_symbols_to_fit, unpack_piecewise
from pycalphad import Database
from pycalphad import variables as v
from pycalphad.core.utils import filter_phases, unpack_species
from tinydb import where

from espei_hpc.faults import Refusal
from espei_hpc.problem.datasets import Dataset, System, as_database
from espei_hpc.problem.findings import Findings, named, reason
from espei_hpc.problem.phase_models import PhaseModels
from espei_hpc.problem.reading import read_text

STATE_VARIABLES = frozenset({"T", "P", "N", "R"})


def read_database(key: str, file: Path, findings: Findings) -> Database | None:
    """Parse a database file; None where it is at fault."""
    try:
        read_text(file)
        database = Database(str(file))
    except Refusal as refusal:
        for fault in refusal.faults:
            findings.fault(key, str(fault))
        return None
    except Exception as error:
        findings.fault(key, f"pycalphad cannot read {file}: {reason(error)}")
        return None
    if not database.phases:
        findings.fault(key, f"{file} holds no phase: it is empty, or not a thermodynamic database")
        return None
    return database


def initial_database(
    generate: Mapping[str, Any], models: PhaseModels, start: Database | None, findings: Findings
) -> Database | None:
    """Make the database that parameter generation starts from, as ESPEI does."""
    key, ref_state = "generate_parameters.ref_state", str(generate.get("ref_state"))
    if not all(hasattr(espei.refdata, name) for name in (ref_state, ref_state + "Stable")):
        known = sorted(n.removesuffix("Stable") for n in vars(espei.refdata) if n.endswith("Stable"))
        findings.fault(key, f"ESPEI has no reference state {ref_state}", f"it has {named(known)}")
        return None
    stable = {element.upper() for element in getattr(espei.refdata, ref_state + "Stable")} | {"VA"}
    unknown = sorted({component.upper() for component in models["components"]} - stable)
    if unknown:
        findings.fault(key, f"{ref_state} has no data for {named(unknown)}", "use elements that it has")
        return None
    with findings.guard(key, "ESPEI cannot build the database to start from"):
        return initialize_database(models, ref_state, start)
    return None


def describe_system(models: PhaseModels, database: Database, findings: Findings) -> System | None:
    """Find the phases that take part, by the filter that ESPEI's residual functions use."""
    components = sorted(models["components"])
    with findings.guard("system.phase_models"):
        species = unpack_species(database, components)
        active = sorted(filter_phases(database, species, database.phases.keys()))
        return System(
            frozenset(components),
            {
                name: tuple(
                    frozenset(constituent.name for constituent in sublattice & species)
                    for sublattice in database.phases[name].constituents
                )
                for name in active
            },
        )
    return None


def check_phases(models: PhaseModels, file: Path, database: Database, findings: Findings) -> None:
    """Check that the database has the phases of the phase models."""
    components, inactive = set(models["components"]), []
    for name, phase in models["phases"].items():
        if not all(components & set(sublattice) for sublattice in phase["sublattice_model"]):
            inactive.append(name)
        elif name not in database.phases:
            close = difflib.get_close_matches(name.upper(), list(database.phases), n=1)
            findings.fault(
                "system.phase_models",
                f"the starting database lacks {name} of {file}: it has {named(database.phases)}",
                f"did you mean {close[0]}?" if close else "add it there, or take it out of the phase models",
            )
    if inactive:
        needed = {
            c for name in inactive for sl in models["phases"][name]["sublattice_model"] for c in sl
        } - components
        findings.note(
            f"system.phase_models: {named(inactive)} cannot take part: the components in {file} "
            f"lack {named(needed)}"
        )


def check_symbols(
    asked: Sequence[Any] | None, file: Path, database: Database, findings: Findings
) -> dict[str, float]:
    """Check the symbols to fit.

    Args:
        asked: the symbols the input lists, or None to fit those named V or VV and a number.
        file: the database file, for messages.
        database: what it holds.
        findings: where faults go.

    Returns:
        The starting value of each symbol, in ESPEI's order; empty where they are at fault.
    """
    key = "mcmc.symbols"
    if asked is None:
        symbols = database_symbols_to_fit(database)
        if not symbols:
            findings.fault(
                "mcmc.input_db",
                f"{file} has nothing to fit: no symbol is named V or VV and a number",
                "name the symbols to fit under mcmc.symbols",
            )
    else:
        symbols = _check_asked(asked, file, database, findings)
    values: dict[str, float] = {}
    for symbol in symbols:
        with findings.guard(key, f"{symbol} in {file} is not a plain number"):
            values[symbol] = unpack_piecewise(database.symbols[symbol])
    _check_defined(file, database, findings)
    zeros = [symbol for symbol, value in values.items() if value == 0]
    if zeros:
        findings.note(
            f"{key}: {named(zeros)} will stay 0: walkers start around a value by a fraction of it, and move "
            "only along their differences"
        )
    return values if len(values) == len(symbols) else {}


def _check_asked(asked: Sequence[Any], file: Path, database: Database, findings: Findings) -> list[str]:
    """Check symbols that the input names."""
    key, before = "mcmc.symbols", len(findings.faults)
    if not asked:
        findings.fault(key, "is empty, so there is nothing to fit", "list symbols, or leave the key out")
    for symbol in dict.fromkeys(map(str, asked)):
        if list(map(str, asked)).count(symbol) > 1:
            findings.fault(key, f"{symbol} is listed twice", "list it once")
        if symbol not in database.symbols:
            close = difflib.get_close_matches(symbol.upper(), list(database.symbols), n=1)
            findings.fault(
                key,
                f"{file} has no symbol {symbol}",
                f"did you mean {close[0]}?" if close else "list symbols it has",
            )
    return sorted(map(str, asked)) if len(findings.faults) == before else []


def _check_defined(file: Path, database: Database, findings: Findings) -> None:
    """Refuse parameters with a symbol that nothing defines: pycalphad would go on without them."""
    expressions = [p["parameter"] for p in database.search(where("parameter").exists())]
    expressions += database.symbols.values()
    used = {str(s) for e in expressions for s in getattr(e, "free_symbols", ())}
    undefined = sorted(used - set(database.symbols) - STATE_VARIABLES - {str(v.T), str(v.P), str(v.N)})
    if undefined:
        findings.fault("mcmc.input_db", f"{file} uses {named(undefined)} but does not define it", "define it")


def check_writable_as(output: Path, database: Database | None, findings: Findings) -> None:
    """Check that the fitted database can be written: ESPEI tries only after the whole fit."""
    with findings.guard("output.output_db", f"{output} cannot be written as a database"):
        # As pycalphad: the format is the ending's; without one it has none.
        (Database() if database is None else database).to_string(fmt=output.suffix[1:].lower())


def check_builds(
    database: Database,
    datasets: Mapping[Path, Dataset],
    models: PhaseModels,
    symbols: Sequence[str],
    findings: Findings,
) -> None:
    """Let ESPEI prepare its likelihood; where that fails, find the datasets to blame."""
    if (error := _build_error(database, datasets.values(), models, symbols)) is None:
        return
    alone = {file: _build_error(database, [dataset], models, symbols) for file, dataset in datasets.items()}
    blamed = {file: failure for file, failure in alone.items() if failure is not None}
    if len(blamed) in (0, len(datasets)):  # not a matter of one dataset
        findings.fault("mcmc", f"ESPEI cannot prepare its likelihood: {reason(error)}")
        return
    for file, failure in blamed.items():
        cure = "neither the dataset nor the database has it" if isinstance(failure, KeyError) else ""
        findings.fault_in(file, f"ESPEI cannot prepare its likelihood: {reason(failure)}", cure)


def _build_error(
    database: Database, datasets: Iterable[Dataset], models: PhaseModels, symbols: Sequence[str]
) -> Exception | None:
    try:
        setup_context(database, as_database(datasets), list(symbols), phase_models=models)
    except Exception as error:
        return error
    return None
