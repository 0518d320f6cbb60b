"""The environment of every Python process of ours, whatever a user's own holds.

Only the standard library is imported here: modules on the user's PYTHONPATH must
not be loaded before it is dropped.
"""

from collections.abc import Mapping

SETTINGS = {
    # The last digits of a log-probability depend on the order of sets of
    # strings, so every process of a fit needs the same hash seed.
    "PYTHONHASHSEED": "0",
    "PYTHONNOUSERSITE": "1",
    "PYTHONSAFEPATH": "1",
    # ESPEI imports emcee 2, which imports mpi4py.MPI: that must neither look for
    # a library (there may be none) nor start MPI. Only a rank unsets this.
    "MPI4PY_MPIABI": "none",
    "MPI4PY_RC_INITIALIZE": "0",
    # One thread per evaluation; more would only compete for cores.
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}
DROPPED = (
    "PYTHONHOME",
    "PYTHONPATH",
    "PYTHONSTARTUP",
    "PYTHONINSPECT",
    "PYTHONWARNINGS",
    "PYTHONPLATLIBDIR",
    # Without docstrings and assertions, of which some packages make use.
    "PYTHONOPTIMIZE",
    # Lines that would mix with ours.
    "PYTHONVERBOSE",
    "PYTHONPROFILEIMPORTTIME",
    "PYTHONDEVMODE",
    # With these, importing scikit-learn binds the process to one core: then one core is counted, and all
    # workers on a machine share it. With one thread there is nothing to bind.
    "OMP_PROC_BIND",
    "OMP_PLACES",
    "GOMP_CPU_AFFINITY",
    "KMP_AFFINITY",
    "KMP_HW_SUBSET",
)


def clean_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment with which every Python process of a run is started."""
    kept = {name: value for name, value in environment.items() if name not in DROPPED}
    return kept | SETTINGS


def first_number(environment: Mapping[str, str], *variables: str) -> int | None:
    """Return the first of the variables that is a whole number; None if there is none."""
    found = (environment.get(variable, "") for variable in variables)
    return next((int(text) for text in found if text.isascii() and text.isdecimal()), None)
