"""The active components and phases of the fit."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pycalphad import Database
from pycalphad.core.utils import filter_phases, unpack_species

from espei_hpc.inputs.datasets import Dataset, Datasets
from espei_hpc.inputs.findings import Findings, named
from espei_hpc.inputs.phase_models import PhaseModels

ELECTRON_GAS = "/-"


@dataclass(frozen=True)
class System:
    """The components and phases of the fit: ESPEI silently ignores data with others.

    Attributes:
        components: the components, as spelled in the phase models.
        phases: the active phases, each with the constituents of its sublattices.
    """

    components: frozenset[str]
    phases: Mapping[str, tuple[frozenset[str], ...]]


def describe_system(components: Sequence[str], database: Database, findings: Findings) -> System | None:
    """Find the active phases with the filter that ESPEI's residual functions use."""
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


NEAR = 0.9
"""Similarity (difflib's ratio) from which a name is taken for a misspelling: LIQUD, not BCC_B2 for BCC_A2."""


def check_phases(
    models: PhaseModels,
    file: Path,
    database: Database,
    system: System,
    datasets: Iterable[Dataset],
    findings: Findings,
) -> None:
    """Check that the database has the phases of the phase models; ESPEI does not check this.

    A phase that it lacks is a fault if data need it, or if its name is nearly that of another; it does
    not hinder ESPEI otherwise.
    """
    lacking: dict[str, set[str]] = {}
    needed = set().union(*map(_phases, datasets))
    absent: list[str] = []
    for name, phase in models["phases"].items():
        sublattices = [set(sublattice) for sublattice in phase["sublattice_model"]]
        beyond = set().union(*sublattices) - system.components
        can_take_part = all(system.components & sublattice for sublattice in sublattices)
        if name not in database.phases and can_take_part:
            others = [other for other in database.phases if other not in models["phases"]]
            close = difflib.get_close_matches(name.upper(), others, n=1, cutoff=NEAR)
            if not close and name not in needed:
                absent.append(name)
                continue
            findings.fault(
                "system.phase_models",
                f"the starting database has no phase {name}, which {file} names: it has "
                f"{named(database.phases)}",
                f"did you mean {close[0]}?" if close else "add it, or remove it from the phase models",
            )
        elif name not in system.phases and beyond:
            lacking[name] = beyond
    if absent:
        findings.note(f"system.phase_models: not active: {named(absent)}: not in the starting database")
    if lacking:
        findings.note(
            f"system.phase_models: not active: {named(lacking)}: the components in {file} "
            f"do not include {named(set().union(*lacking.values()))}"
        )


def _phases(dataset: Dataset) -> set[str]:
    phases = dataset["phases"]
    return {phase for phase in phases if isinstance(phase, str)} if isinstance(phases, list) else set()


def check_generates(datasets: Datasets, system: System, findings: Findings) -> None:
    """Refuse a parameter generation that gives MCMC no symbol to fit."""
    single_phase = [
        data
        for data in datasets.by_file.values()
        if "solver" in data and set(data["phases"]) <= set(system.phases)
    ]
    if datasets.complete and not single_phase:
        findings.fault(
            "generate_parameters",
            f"{datasets.directory} has no single-phase data for {named(system.phases)}: ESPEI would generate "
            "no parameter, and MCMC would have nothing to fit",
            "add formation or mixing data, or start from an input_db with symbols",
        )
