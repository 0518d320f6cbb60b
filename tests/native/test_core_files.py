"""A crash leaves no core file of hundreds of MB in the user's directory, unless it is asked for."""

import subprocess
from pathlib import Path

import psutil
import pytest

from support import Commands, wait_until

pytestmark = pytest.mark.quick
MOST = subprocess.run(["bash", "-c", "ulimit -H -c"], capture_output=True, text=True).stdout


@pytest.mark.parametrize(("variables", "limit"), [({}, "0\n"), ({"ESPEI_HPC_CORE_FILES": "yes"}, MOST)])
def test_launcher_has_no_core_files_unless_they_are_asked_for(
    variables: dict[str, str], limit: str, commands: Commands, endless_fit: Path
) -> None:
    # A launcher that only tells its limit.
    launcher = endless_fit.parent / "mpirun"
    launcher.write_text("#!/bin/bash\nulimit -c; exit 1\n")
    launcher.chmod(0o755)
    line = 'ulimit -c hard; exec espei-mpi --in "$1" --launcher "$0"'
    result = commands.run("bash", "-c", line, launcher, endless_fit, env=variables)
    assert result.code == 69, result.output
    (log,) = endless_fit.with_suffix(".run").glob("cluster/*/launcher.log")
    assert log.read_text() == limit


def test_python_on_any_host_has_no_core_files(commands: Commands) -> None:
    line = "ulimit -c hard; exec espei-hpc wait --scheduler-file missing.json"
    waiting = commands.start("bash", "-c", line)
    process = psutil.Process(waiting.process.pid)
    wait_until(lambda: process.rlimit(psutil.RLIMIT_CORE)[0] == 0, "a limit of zero", seconds=60)
    waiting.process.kill()
    waiting.finish()
