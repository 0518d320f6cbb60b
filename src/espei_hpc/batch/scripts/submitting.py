"""Write a job script to a file and submit it."""

import os
import shutil
import subprocess
from pathlib import Path

from espei_hpc.batch.scripts.job import JobScript
from espei_hpc.batch.systems import job_name
from espei_hpc.errors import Fault, Refusal
from espei_hpc.exit_codes import ExitCode


def write(job: JobScript, text: str) -> Path:
    """Write a script to its file, accessible only to its owner, and return the path.

    Raises:
        Refusal: (CANNOT_CREATE) if the file exists already or cannot be written.
    """
    path = Path(job.script)
    try:
        # Never follow a link or overwrite a file.
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "w") as file:
            file.write(text)
    except FileExistsError:
        cure = f"submit it unchanged ({job.submit}), or move it away"
        raise Refusal(ExitCode.CANNOT_CREATE, [Fault(str(path), "already exists", cure)]) from None
    except OSError as error:
        fault = Fault(str(path), f"cannot be written: {error.strerror}")
        raise Refusal(ExitCode.CANNOT_CREATE, [fault]) from error
    return path


def submit(job: JobScript, path: Path) -> str:
    """Submit a script from the working directory and return the output of the batch system: the job ID.

    Raises:
        Refusal: (UNAVAILABLE) if the batch system has no command here, or refuses the job; then the
            script is removed again.
    """
    command = job.submission.command
    if shutil.which(command) is None:
        what = "is not found (an image has no commands of the batch system)"
        fault = Fault(command, what, f"{path} is written; on the host, in this directory, run: {job.submit}")
        raise Refusal(ExitCode.UNAVAILABLE, [fault])
    reads = job.submission.reads_input and not job.of_kind.starts_itself
    words = ["bash", str(path)] if job.of_kind.starts_itself else job.submission.words(str(path))
    done = subprocess.run(words, capture_output=True, text=True, input=path.read_text() if reads else "")
    if done.returncode:
        path.unlink()
        inside = job_name(os.environ)
        cure = f"you are in {inside}: if its nodes may not submit, do so on a login node" if inside else ""
        fault = Fault(command, f"refused the job, with exit code {done.returncode}", cure)
        raise Refusal(ExitCode.UNAVAILABLE, [fault], (done.stdout + done.stderr).splitlines())
    return done.stdout.strip()
