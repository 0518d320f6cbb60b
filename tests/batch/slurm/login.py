"""An ordinary user of the cluster, who submits jobs and looks after them."""

import os
import re
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from batch.hosts import Host
from batch.slurm import HEAD, Slurm
from support import BIN, TAG, Commands, Result, wait_until

UNFINISHED = {"PENDING", "CONFIGURING", "RUNNING", "COMPLETING", "REQUEUED", "SUSPENDED"}


@dataclass
class Login:
    """A user's shell on the head, in a directory that all nodes share."""

    cluster: Slurm
    commands: Commands
    directory: Path

    def run(self, *words: str | Path, host: str = HEAD) -> Result:
        """Run words as the user, on the head or, as no site would let them, on a node."""
        user = self.cluster.user
        environment = user.environment() | {
            "PATH": f"{BIN}:/usr/local/bin:/usr/bin:/bin",
            TAG: self.commands.tag,
            "ESPEI_HPC_VERIFY": os.environ["ESPEI_HPC_VERIFY"],
        }
        there = self.cluster.hosts[host]
        return self.commands.run(
            *there.words(*words, user=user, directory=self.directory, environment=environment)
        )

    def own(self) -> None:
        """Make the user own all that the test has put into the directory."""
        for path in (self.directory, *self.directory.rglob("*")):
            shutil.chown(path, self.cluster.user.uid, self.cluster.user.uid)

    def submit(self, body: str, *options: str) -> str:
        """Submit a bash script of these lines, and return its job id."""
        script = self.directory / "job.sh"
        script.write_text(f"#!/usr/bin/env bash\n{body}\n")
        return self.sbatch(script, *options)

    def sbatch(self, script: Path, *options: str) -> str:
        """Submit a script as it stands, and return its job id."""
        submitted = self.run("sbatch", "--parsable", *options, script)
        assert submitted.code == 0, submitted.output
        return submitted.output.strip()

    def job(self, job: str) -> dict[str, str]:
        """Return what Slurm knows of a job, by Slurm's own names (JobState, ExitCode, NodeList …)."""
        told = self.run("scontrol", "--oneliner", "show", "job", job)
        assert told.code == 0, told.output
        return dict(re.findall(r"(\S+?)=(\S*)", told.output))

    def wait_for(self, job: str, *states: str) -> dict[str, str]:
        """Wait until a job is in one of these states, and return what Slurm knows of it."""

        def there() -> dict[str, str]:
            known = self.job(job)
            ended = known["JobState"] not in UNFINISHED
            if known["JobState"] not in states and ended:
                raise AssertionError(f"job {job} is {known['JobState']}:\n{self.output(job)}")
            return known if known["JobState"] in states else {}

        return wait_until(there, f"job {job} {' or '.join(states)}")

    def finish(self, job: str, seconds: float = 180) -> dict[str, str]:
        """Wait until a job has ended, however, and return what Slurm knows of it."""

        def ended() -> dict[str, str]:
            known = self.job(job)
            return {} if known["JobState"] in UNFINISHED else known

        return wait_until(ended, f"the end of job {job}", seconds)

    def wait_until_told_to_end(self, job: str) -> None:
        """Wait until Slurm has told a running job to end: then its processes have their signal."""
        wait_until(lambda: self.job(job)["JobState"] != "RUNNING", f"the signal to end job {job}")

    def hosts(self, job: str) -> list[str]:
        """Return the hosts that a running job has, the script's first."""
        told = self.run("scontrol", "show", "hostnames", self.job(job)["NodeList"])
        assert told.code == 0, told.output
        return told.output.split()

    def output(self, job: str) -> str:
        """Return what a job has printed so far."""
        path = Path(self.job(job)["StdOut"])
        return path.read_text(errors="replace") if path.exists() else ""

    def wait_for_output(self, job: str, text: str) -> None:
        """Wait until a job has printed ``text``."""

        def printed() -> bool:
            # In this order: what it printed last is not to be missed.
            ended = self.job(job)["JobState"] not in UNFINISHED
            found = text in self.output(job)
            if ended and not found:
                raise AssertionError(f"job {job} ended without printing {text!r}:\n{self.output(job)}")
            return found

        wait_until(printed, f"{text!r} in the output of job {job}")

    def cancel(self, job: str) -> None:
        """Cancel a job."""
        cancelled = self.run("scancel", job)
        assert cancelled.code == 0, cancelled.output

    def processes(self) -> dict[str, list[str]]:
        """Return the command lines that still run of the user's jobs, by host; none for hosts without any."""
        found: dict[str, list[str]] = {}
        for name, host in self.cluster.hosts.items():
            for process in self._processes(host):
                with suppress(psutil.Error):
                    found.setdefault(name, []).append(" ".join(process.cmdline()))
        return found

    def find(self, words: str, host: str) -> list[psutil.Process]:
        """Return the processes of the user's jobs on a host whose command line has these words."""
        found = []
        for process in self._processes(self.cluster.hosts[host]):
            with suppress(psutil.Error):
                if words in " ".join(process.cmdline()):
                    found.append(process)
        return found

    def _processes(self, host: Host) -> list[psutil.Process]:
        found = []
        for process in host.processes():
            with suppress(psutil.Error):
                of_user = process.uids().real == self.cluster.user.uid
                if of_user or process.name().startswith("slurmstepd"):
                    found.append(process)
        return found

    def wait_until_nothing_runs(self, but: str = "") -> None:
        """Wait until no host has anything of the user's jobs; what is there after that will stay.

        `but`: how command lines begin that may stay.
        """

        def left() -> list[str]:
            lines = [f"{name}: {line}" for name, found in self.processes().items() for line in found]
            return [line for line in lines if not but or not line.partition(": ")[2].startswith(but)]

        with suppress(AssertionError):
            wait_until(lambda: not left(), "the end of all processes", seconds=120)
        assert not left(), left()

    def log_out(self) -> None:
        """End all jobs, and repair the cluster for the next."""
        self.cluster.repair()
        self.cluster.hosts[HEAD].run("scancel", f"--user={self.cluster.user.name}")
        self.cluster.wait_until_idle()
        for host in self.cluster.hosts.values():
            for process in self._processes(host):
                process.kill()
