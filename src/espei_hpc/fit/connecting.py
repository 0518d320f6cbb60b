"""Connecting a fit to the cluster that a scheduler file tells of."""

import resource
from pathlib import Path

import distributed

from espei_hpc.errors import Fault, Refusal
from espei_hpc.exit_codes import ExitCode
from espei_hpc.rundir.files import read_json

CONNECT_SECONDS = 60
CONNECTIONS = 65536
"""Limit of open connections to workers: each may have a call under way."""


def connected(scheduler_file: Path | None) -> distributed.Client:
    """Return a client of the cluster.

    Args:
        scheduler_file: where its scheduler tells its address.

    Raises:
        Refusal: (UNAVAILABLE) if the file is gone, or nobody answers.
    """
    told = read_json(scheduler_file) if scheduler_file else None
    if not told:
        fault = Fault(str(scheduler_file), "is no longer a whole scheduler file")
        raise Refusal(ExitCode.UNAVAILABLE, [fault])
    # Each worker takes two connections, and many systems allow 1,024 open files until asked for more.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    try:
        # By address: a Client waits for its scheduler file without end.
        return distributed.Client(
            told["address"],
            timeout=CONNECT_SECONDS,
            set_as_default=False,
            direct_to_workers=True,
            connection_limit=CONNECTIONS,
        )
    except (OSError, TimeoutError) as error:
        fault = Fault("cluster", f"the scheduler at {told['address']} does not answer ({error})")
        raise Refusal(ExitCode.UNAVAILABLE, [fault]) from error
