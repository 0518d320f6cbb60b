"""Writing a job script to a file, and handing it to the batch system."""

import os
import shlex
import shutil
import subprocess
from pathlib import Path

from espei_hpc.batch.scripts.job import JobScript
from espei_hpc.errors import Fault, Refusal
from espei_hpc.exit_codes import ExitCode

COMMANDS = {"slurm": "sbatch", "pbs": "qsub"}


def write(job: JobScript, text: str) -> Path:
    """Write a script to its file, for its owner alone, and return that.

    Raises:
        Refusal: (CANNOT_CREATE) if there is such a file already, or it cannot be written.
    """
    path = Path(job.script)
    try:
        # Never through a link, and never over anything.
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "w") as file:
            file.write(text)
    except FileExistsError:
        cure = f"submit it as it is ({_typed(job)}), or move it away"
        raise Refusal(ExitCode.CANNOT_CREATE, [Fault(str(path), "is there already", cure)]) from None
    except OSError as error:
        fault = Fault(str(path), f"cannot be written: {error.strerror}")
        raise Refusal(ExitCode.CANNOT_CREATE, [fault]) from error
    return path


def submit(job: JobScript, path: Path) -> str:
    """Hand a script to the batch system, from the working directory, and return what that says: the job's id.

    Raises:
        Refusal: (UNAVAILABLE) if the batch system has no command here, or refuses; then the script, which
            was written for this, is removed again.
    """
    command = COMMANDS[job.system]
    if shutil.which(command) is None:
        what = "is not found here (an image has no command of the batch system)"
        fault = Fault(
            command, what, f"{path} is written; on the host, in this directory, type: {_typed(job)}"
        )
        raise Refusal(ExitCode.UNAVAILABLE, [fault])
    done = subprocess.run([*job.submit, path], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode:
        path.unlink()
        fault = Fault(command, f"refused the job, with exit code {done.returncode}")
        raise Refusal(ExitCode.UNAVAILABLE, [fault], (done.stdout + done.stderr).splitlines())
    return done.stdout.strip()


def _typed(job: JobScript) -> str:
    return shlex.join([*job.submit, job.script])
