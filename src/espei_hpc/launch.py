"""The console script: run the command line in a Python that nothing of the user's can disturb.

Only the standard library is imported here: what a PYTHONPATH shadows must not
be loaded before it is dropped.
"""

import os
import resource
import signal
import sys
from collections.abc import Mapping

SETTINGS = {
    # The last digits of a log-probability depend on the order of sets of
    # strings, so every process of a fit needs the same hash seed.
    "PYTHONHASHSEED": "0",
    "PYTHONNOUSERSITE": "1",
    "PYTHONSAFEPATH": "1",
    # ESPEI imports emcee 2, which imports mpi4py.MPI: that must neither look for
    # a library (there may be none) nor start MPI. Only a rank takes this back.
    "MPI4PY_MPIABI": "none",
    "MPI4PY_RC_INITIALIZE": "0",
    # One evaluation is one thread; more would only fight over the cores.
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}
OPEN_FILES = 65536
"""A scheduler holds three for each worker; the usual limit of 1024 is for select(), not used here."""
DROPPED = ("PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP", "PYTHONINSPECT", "PYTHONWARNINGS")


def clean_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment that every Python process of a run is started with."""
    kept = {name: value for name, value in environment.items() if name not in DROPPED}
    return kept | SETTINGS


def main() -> int:
    """Run the command line, in a new process image if the environment is not clean yet."""
    # Until a fit listens to signals, an interrupt simply ends the process, without a traceback.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    _allow_open_files()
    environment = clean_environment(os.environ)
    if environment != dict(os.environ):
        os.execve(sys.executable, [sys.executable, "-m", "espei_hpc", *sys.argv[1:]], environment)  # noqa: S606 (no shell wanted)
    from espei_hpc.cli import main as run_command_line

    return run_command_line()


def _allow_open_files() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, OPEN_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
