"""The command ``espei-hpc``, in a Python that nothing of the user's can disturb.

Only the standard library is imported at first: see ``environment``.
"""

import gc
import os
import resource
import signal
import sys

from espei_hpc.environment import clean_environment

OPEN_FILES = 65536
"""A scheduler needs three per worker; the usual limit of 1024 is for select(), which is not used here."""

COLLECTIONS = (10_000, 10, 10)
"""Python's default looks for garbage 14 times as often; importing ESPEI makes a million objects that stay."""

CORE_FILES = "ESPEI_HPC_CORE_FILES"
"""Variable that leaves the limit of core files as it is; a core file of a fit has hundreds of MB."""


def main() -> int:
    """Run the command line, in a new process image if the environment is not clean yet."""
    # Until a fit installs its signal handlers, an interrupt ends the process without a traceback.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    _allow_open_files()
    if not os.environ.get(CORE_FILES):
        # The script does this too, but on other hosts the site's own limit holds.
        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    environment = clean_environment(os.environ)
    if environment != dict(os.environ):
        os.execve(sys.executable, [sys.executable, "-m", "espei_hpc", *sys.argv[1:]], environment)  # noqa: S606 (no shell wanted)
    gc.set_threshold(*COLLECTIONS)
    from espei_hpc.cli import main as run_command_line

    try:
        return run_command_line()
    finally:
        # Python looks for garbage twice more before it ends, in all that was imported.
        gc.freeze()


def _allow_open_files() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, OPEN_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


if __name__ == "__main__":
    sys.exit(main())
