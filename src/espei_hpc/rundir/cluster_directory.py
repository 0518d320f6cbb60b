"""The directory of one cluster start: ``NAME.run/cluster/ID``.

Launcher, ranks and fit share nothing else: no environment variables have to pass
through mpirun. It is private (0700), because it holds the keys of the cluster, and
it is on a file system that all ranks share.
"""

import contextlib
import json
import secrets
import shutil
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from espei_hpc import own_files
from espei_hpc.errors import Fault, Refusal
from espei_hpc.exit_codes import ExitCode
from espei_hpc.rundir.files import PRIVATE_DIRECTORY, pass_json, read_json

CLUSTER = own_files.CLUSTER
SETTINGS = own_files.SETTINGS
DASK = "dask.yaml"
SCHEDULER = "scheduler.json"
KEY = "key.pem"
CERTIFICATE = "certificate.pem"


@dataclass(frozen=True)
class Settings:
    """Settings of a cluster start that its ranks read.

    Attributes:
        ranks: requested ranks (scheduler and workers); None to use as many as the launcher starts.
        scheduler_file: file to which the scheduler writes its address.
        interface: network interface to use; None to choose.
        encrypted: whether all connections use the certificates of this start.
        user_code: directory of the user's Python modules; None for none.
        worker_interface: network interface of the workers if another.
        scheduler_port: port of the scheduler; None for any.
        worker_ports: range of the workers' ports, FIRST:LAST; None for any.
    """

    ranks: int | None
    scheduler_file: str
    interface: str | None
    encrypted: bool
    user_code: str | None = None
    worker_interface: str | None = None
    scheduler_port: int | None = None
    worker_ports: str | None = None


@dataclass(frozen=True)
class ClusterDirectory:
    """Paths and content of ``RUN_DIRECTORY/cluster/ID``.

    Attributes:
        run_directory: absolute path of the run directory.
        id: ID of this start, unique in the run directory.
    """

    run_directory: Path
    id: str

    @property
    def path(self) -> Path:
        """Path of the directory."""
        return self.run_directory / CLUSTER / self.id

    @property
    def scheduler_file(self) -> Path:
        """File to which the scheduler writes its address."""
        return Path(self.settings().scheduler_file)

    @property
    def dask_config(self) -> Path:
        """Dask's configuration for all processes of this cluster."""
        return self.path / DASK

    @property
    def launcher_log(self) -> Path:
        """Output of the launcher and the ranks."""
        return self.path / "launcher.log"

    @property
    def launcher_exit(self) -> Path:
        """The launcher's exit code, written when it has ended."""
        return self.path / "launcher.exit"

    @property
    def lost_file(self) -> Path:
        """Written when a cluster that was ready is lost."""
        return self.path / "lost"

    @property
    def world_file(self) -> Path:
        """Written by rank 0 where ranks start without MPI: the world, once every rank has come."""
        return self.path / "world.json"

    @property
    def traceback_file(self) -> Path:
        """Written when ESPEI raised an error: its traceback."""
        return self.path / "traceback.log"

    @property
    def scratch(self) -> Path:
        """Local directories of Dask's workers."""
        return self.path / "scratch"

    def rank_file(self, rank: int) -> Path:
        """File to which a rank writes where it runs, once MPI is up."""
        return self.path / f"rank-{rank}.json"

    def fault_file(self, process: str) -> Path:
        """File to which a rank writes why it ends."""
        return self.path / f"fault-{process}.json"

    def settings(self) -> Settings:
        """Read the settings of this start."""
        return Settings(**json.loads((self.path / SETTINGS).read_text()))

    def ranks(self) -> dict[int, dict[str, Any]]:
        """Return the content of the rank files written so far, by rank."""
        contents = (read_json(path) for path in self.path.glob("rank-*.json"))
        return {content["rank"]: content for content in contents if content}

    def faults(self) -> Refusal | None:
        """Return why ranks have ended, as one refusal; None if no rank has reported a fault."""
        contents = [
            content for path in sorted(self.path.glob("fault-*.json")) if (content := read_json(path))
        ]
        if not contents:
            return None
        # Usually all ranks report the same fault.
        faults = dict.fromkeys(Fault(**fault) for content in contents for fault in content["faults"])
        return Refusal(ExitCode(contents[0]["code"]), faults)

    def report(self, process: str, refusal: Refusal) -> None:
        """Store a rank's refusal for the process that waits for the cluster."""
        content = {"code": int(refusal.code), "faults": [asdict(fault) for fault in refusal.faults]}
        pass_json(self.fault_file(process), content)

    def launcher_ended(self) -> str | None:
        """Return the launcher's exit code as text once it has ended."""
        try:
            return self.launcher_exit.read_text().strip()
        except OSError:
            return None

    def end(self) -> None:
        """Ask the ranks to end through a file, which works even if the network does not."""
        with contextlib.suppress(OSError):
            (self.path / "over").touch()

    def lost(self, silent: Sequence[str]) -> None:
        """Report to the script that a ready cluster is lost, so that it can restart it.

        Args:
            silent: hosts that no longer answer.
        """
        with contextlib.suppress(OSError):
            pass_json(self.lost_file, {"silent": list(silent)})

    def ended(self) -> bool:
        """Whether this start is over: ``end`` was called, its launcher ended, or its directory is removed."""
        return self.launcher_ended() is not None or (self.path / "over").exists() or not self.path.exists()

    def remove_keys(self) -> None:
        """Remove the files that give access to the cluster."""
        for name in (KEY, CERTIFICATE, SCHEDULER):
            (self.path / name).unlink(missing_ok=True)

    def remove(self) -> None:
        """Remove this start and, if it is empty then, the run directory."""
        shutil.rmtree(self.path, ignore_errors=True)
        for parent in (self.path.parent, self.run_directory):
            with contextlib.suppress(OSError):
                parent.rmdir()

    def log_lines(self) -> tuple[str, ...]:
        """Return the output of the launcher and the ranks, without empty lines."""
        try:
            text = self.launcher_log.read_text(errors="replace")
        except OSError:
            return ()
        # Open MPI ends some of its lines with a zero byte.
        printable = text.replace("\0", "").splitlines()
        return tuple(line for line in printable if line.strip())

    def log_tail(self, lines: int = 12) -> tuple[str, ...]:
        """Return the last of these lines."""
        return self.log_lines()[-lines:]


def new_id() -> str:
    """Return a unique ID for a cluster start, sortable by time."""
    return time.strftime("%Y%m%d-%H%M%S-") + secrets.token_hex(3)


def create(run_directory: Path, settings: Settings, cluster_id: str) -> ClusterDirectory:
    """Create the directory of a new start.

    Raises:
        Refusal: (CANNOT_CREATE) if it cannot be created.
    """
    directory = ClusterDirectory(run_directory.resolve(), cluster_id)
    try:
        run_directory.mkdir(mode=PRIVATE_DIRECTORY, parents=True, exist_ok=True)
        directory.path.parent.mkdir(mode=PRIVATE_DIRECTORY, exist_ok=True)
        directory.path.mkdir(mode=PRIVATE_DIRECTORY)
        pass_json(directory.path / SETTINGS, asdict(settings))
    except OSError as error:
        raise cannot_create(run_directory, error) from error
    return directory


def cannot_create(run_directory: Path, error: OSError) -> Refusal:
    """Return the refusal for a run directory that cannot be written."""
    fault = Fault(
        str(run_directory),
        f"the run directory cannot be written ({error.strerror or error})",
        "make its parent writable or name another directory with --run-dir",
    )
    return Refusal(ExitCode.CANNOT_CREATE, [fault])
