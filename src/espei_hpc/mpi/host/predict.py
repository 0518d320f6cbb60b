"""Predict the outcome of a launcher and a library before anything is started.

A wrong pair rarely fails: each rank starts in a world of its own, and all exit
normally. So the outcomes were measured, and are tabulated here.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from espei_hpc.mpi.host.family import Family, major
from espei_hpc.mpi.host.launcher import Launcher


class Outcome(StrEnum):
    """Outcome of a start."""

    ONE_WORLD = "one world"
    SINGLETONS = "singletons"
    CRASH = "crash"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Library:
    """The MPI library in a rank.

    Attributes:
        family: its family.
        version: its version; None if not known.
        pmi: kinds of PMI it supports, if more than its family's.
    """

    family: Family
    version: str | None
    pmi: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Family and version, shown to users."""
        return f"{self.family.name} {self.version}" if self.version else self.family.name


@dataclass(frozen=True)
class Prediction:
    """Predicted outcome of a launcher and a library.

    Attributes:
        outcome: the outcome.
        why: the reason, and its source.
        variables: variables that must be set in the ranks.
    """

    outcome: Outcome
    why: str
    variables: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


_ONE = Outcome.ONE_WORLD
_ALONE = Outcome.SINGLETONS
_CRASH = Outcome.CRASH
_COLUMNS = ("openmpi 4", "openmpi 5", "mpich 4", "mpich 5", "intel 2021")
_ROWS: dict[str, tuple[Outcome, ...]] = {
    "openmpi 4": (_ONE, _ONE, _ALONE, _CRASH, _ONE),
    "openmpi 5": (_CRASH, _ONE, _ALONE, _CRASH, _ONE),
    "mpich 4": (_ALONE, _ALONE, _ONE, _ONE, _ONE),
    "mpich 5": (_ALONE, _ALONE, _ONE, _ONE, _ONE),
    "intel 2021": (_ALONE, _ALONE, _ONE, _ONE, _ONE),
    "srun none": (_ALONE, _ALONE, _ALONE, _ALONE, _ALONE),
    "srun pmi2": (_CRASH, _CRASH, _ONE, _ONE),
    "srun pmix": (_ONE, _ONE, _ALONE, _CRASH),
}
TABLE = {row: dict(zip(_COLUMNS, cells, strict=False)) for row, cells in _ROWS.items()}
"""Measured, by launcher and library with their first version number or the kind of PMI."""
MEASURED = {
    "openmpi": "Open MPI 4.1.4 and 5.0.11",
    "mpich": "MPICH 4.0.2 and 5.0.2",
    "intel": "Intel MPI 2021.18",
    "srun": "Slurm",
}

_PMIX_FOR_INTEL = MappingProxyType({"I_MPI_PMI": "pmix", "I_MPI_PMI_LIBRARY": "libpmix.so.2"})
# From documentation, where nothing was measured, by kind and PMI of the launcher and family of the library.
_READ: dict[tuple[str, str, str], tuple[Outcome, str]] = {
    ("pals", "cray", "cray"): (_ONE, "PALS serves Cray MPICH (read in HPE's documentation, not run here)"),
    ("srun", "cray_shasta", "cray"): (
        _ONE,
        "srun --mpi=cray_shasta serves Cray MPICH (read in HPE's documentation, not run here)",
    ),
    ("pals", "cray", "mpich"): (
        Outcome.UNKNOWN,
        "PALS has Cray's own PMI, which MPICH may not support (read, not run here)",
    ),
    ("pals", "pmix", "openmpi"): (Outcome.UNKNOWN, "PALS can serve PMIx (read, not run here)"),
    ("srun", "pmi2", "intel"): (
        Outcome.UNKNOWN,
        "Intel MPI needs I_MPI_PMI_LIBRARY to name Slurm's libpmi2.so (read, not run here)",
    ),
    ("flux", "pmi1", "mpich"): (Outcome.UNKNOWN, "Flux serves PMI 1 (read, not run here)"),
    ("flux", "pmi1", "openmpi"): (
        Outcome.UNKNOWN,
        "Flux serves PMIx only with its plugin, flux run -o pmi=pmix (read, not run here)",
    ),
    ("jsrun", "", "openmpi"): (
        Outcome.UNKNOWN,
        "jsrun serves PMIx to IBM's Spectrum MPI, an Open MPI (read, not run here)",
    ),
}


def predict(launcher: Launcher, library: Library) -> Prediction:
    """Predict the outcome of ranks started by a launcher, each with a library.

    Args:
        launcher: the launcher.
        library: the library that each rank loads.

    Returns:
        The outcome; ``UNKNOWN`` if it was not measured, or the launcher is not known well enough.
    """
    if launcher.kind == "srun" and not launcher.chosen:
        why = "srun's default PMI is not known here; choose it with --mpi=pmix or --mpi=pmi2"
        return Prediction(Outcome.UNKNOWN, why)
    if launcher.kind == "srun" and not launcher.pmi:
        # Without a PMI the library does not matter.
        why = f"{launcher.name} offers no PMI: each rank would form a world of its own"
        return Prediction(_ALONE, f"{why} (measured with {MEASURED['openmpi']}, {MEASURED['mpich']})")
    read = _READ.get((launcher.kind, _pmi(launcher), library.family.key))
    if read:
        return Prediction(*read)
    outcomes = set(_cells(launcher, library))
    outcome = outcomes.pop()
    if outcomes or outcome is Outcome.UNKNOWN:
        return Prediction(Outcome.UNKNOWN, f"{launcher.name} with {library.name} was not measured")
    if library.family.key == "mpich" and "pmix" in library.pmi and _pmi(launcher) == "pmix":
        why = f"{library.name} is built with PMIx, which was not measured"
        return Prediction(Outcome.UNKNOWN, why)
    if _short_of_slots(launcher, library):
        return Prediction(_CRASH, _SHORT_OF_SLOTS)
    needs_pmix = library.family.key == "intel" and launcher.kind == "openmpi"
    variables = _PMIX_FOR_INTEL if needs_pmix else MappingProxyType({})
    return Prediction(outcome, _why(launcher, library, outcome), variables)


# With fewer slots than ranks, as outside of an allocation, MPICH 4's Hydra sends a map of hosts for the
# first ranks only, which is meant to be repeated. Intel MPI leaves the rest of its own map uninitialised
# and mostly crashes.
_SHORT_OF_SLOTS = (
    "if MPICH 4's mpiexec does not know the number of ranks per host, it reports the hosts of some ranks "
    "only, and Intel MPI mostly crashes; set the number with -ppn"
)


def _short_of_slots(launcher: Launcher, library: Library) -> bool:
    fourth = launcher.kind == "mpich" and major(launcher.version) == 4
    return fourth and library.family.key == "intel" and not launcher.slots_known


def _pmi(launcher: Launcher) -> str:
    """Return the kind of PMI it offers; Slurm's PMIx plugins have numbers: pmix_v4."""
    kind = launcher.pmi[0] if launcher.pmi else ""
    return "pmix" if kind.startswith("pmix") else kind


def _cells(launcher: Launcher, library: Library) -> Iterator[Outcome]:
    """Look up every matching cell; an unknown version matches all versions of its family."""
    if launcher.kind == "srun":
        rows = [f"srun {_pmi(launcher) or 'none'}"]
    else:
        rows = _keys(TABLE, launcher.kind, launcher.version)
    for row in rows:
        for column in _keys(_COLUMNS, library.family.key, library.version):
            yield TABLE.get(row, {}).get(column, Outcome.UNKNOWN)


def _keys(known: Iterable[str], make: str, version: str | None) -> list[str]:
    """Return the table's keys for a family; a key that is not in the table if nothing was measured."""
    first = major(version)
    if first is not None:
        return [f"{make} {first}"]
    return [key for key in known if key.split()[0] == make] or [make]


def _why(launcher: Launcher, library: Library, outcome: Outcome) -> str:
    measured = ", ".join(
        dict.fromkeys(MEASURED[key] for key in (launcher.kind, library.family.key) if key in MEASURED)
    )
    said = {
        _ONE: "offers a PMI that",
        _ALONE: "offers a PMI that",
        _CRASH: "offers a PMI with which",
    }[outcome]
    then = {
        _ONE: f"{library.name} supports",
        _ALONE: f"{library.name} does not support: each rank would form a world of its own",
        _CRASH: f"{library.name} fails",
    }[outcome]
    return f"{launcher.name} {said} {then} (measured with {measured})"
