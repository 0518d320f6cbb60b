"""Connecting a fit to the cluster described by a scheduler file."""

import resource
from pathlib import Path

import distributed

from espei_hpc.errors import Fault, Refusal
from espei_hpc.exit_codes import ExitCode
from espei_hpc.rundir.files import read_json

CONNECT_SECONDS = 60
CONNECTIONS = 65536
"""Maximum number of open connections to workers: each may have a call in progress."""


def connected(scheduler_file: Path | None) -> distributed.Client:
    """Return a client of the cluster.

    Args:
        scheduler_file: the file with the scheduler's address.

    Raises:
        Refusal: (UNAVAILABLE) if the file is missing or the scheduler does not answer.
    """
    scheduler = read_json(scheduler_file) if scheduler_file else None
    if not scheduler:
        fault = Fault(str(scheduler_file), "is missing or incomplete; it was a valid scheduler file before")
        raise Refusal(ExitCode.UNAVAILABLE, [fault])
    # Each worker needs two connections, and the soft limit of open files is often 1,024.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    try:
        # By address: given a scheduler file, a Client would wait for it forever.
        return distributed.Client(
            scheduler["address"],
            timeout=CONNECT_SECONDS,
            set_as_default=False,
            direct_to_workers=True,
            connection_limit=CONNECTIONS,
        )
    except (OSError, TimeoutError) as error:
        fault = Fault("cluster", f"the scheduler at {scheduler['address']} does not answer ({error})")
        raise Refusal(ExitCode.UNAVAILABLE, [fault]) from error
