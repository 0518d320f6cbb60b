"""What launchers print if ranks do not start, and the cause that it shows."""

import pytest

from espei_hpc.mpi.launchers import known_cause

# Printed by Open MPI 4.1 and 5.0, and by MPICH 5.0; by srun as its source has them.
PRINTED = {
    "There are not enough slots available in the system to satisfy the 3": "fewer slots",
    "mpirun was unable to launch the specified application as it could not access": "have the command",
    "prterun was unable to launch the specified application as it could not": "have the command",
    "ssh: Could not resolve hostname nosuchhost: Name or service not known": "log in on another host",
    "ada@n2: Permission denied (publickey,password).": "log in on another host",
    "Host key verification failed.": "log in on another host",
    "ORTE was unable to reliably start one or more daemons.": "its daemon",
    "A daemon failed to report back after being spawned. This could": "its daemon",
    'The value of the MCA parameter "plm_rsh_agent" was set to a path': "remote shell",
    'The application appears to have been direct launched using "srun",': "offers no PMI",
    "check_MPIR_CVAR_PMI_VERSION(167):  Runtime environment uses unsupported PMI version PMIx.": "an MPICH",
    "[proxy:0@vm] HYDU_create_process (launch.c:73): execvp error on file /none/such": "have the command",
    "srun: error: Unable to create step for job 7: More processors requested than permitted": "fewer slots",
    "srun: error: Invalid MPI type 'pmi3', --mpi=list for acceptable types": "the PMI that --mpi names",
    "srun: Job 12 step creation temporarily disabled, retrying (Requested nodes are busy)": "another step",
}


@pytest.mark.parametrize(("line", "what"), PRINTED.items())
def test_message_shows_its_cause(line: str, what: str) -> None:
    found = known_cause(["---", line, "Per user-direction, the job has been aborted."])
    assert found is not None
    assert found.line == line
    assert what in found.cause.what


def test_first_cause_is_shown() -> None:
    found = known_cause(PRINTED)
    assert found is not None
    assert found.line == next(iter(PRINTED))


def test_other_output_shows_none() -> None:
    assert known_cause(["espei-hpc: the ranks use eth0", "prterun detected that a process exited"]) is None
