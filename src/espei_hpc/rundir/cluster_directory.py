"""The directory of one start of a cluster: ``NAME.run/cluster/ID``.

It is the only thing that launcher, ranks and fit share: no environment needs to
travel through mpirun. It is private (0700), because it holds the keys of the
cluster, and it lies on the file system that all ranks see.
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

from espei_hpc.errors import Fault, Refusal
from espei_hpc.exit_codes import ExitCode
from espei_hpc.rundir.files import pass_json, read_json

CLUSTER = "cluster"
SETTINGS = "settings.json"
DASK = "dask.yaml"
SCHEDULER = "scheduler.json"
KEY = "key.pem"
CERTIFICATE = "certificate.pem"


@dataclass(frozen=True)
class Settings:
    """What the ranks of this start must know.

    Attributes:
        ranks: ranks asked for (scheduler and workers); None to take what the launcher gives.
        scheduler_file: file in which the scheduler tells its address.
        interface: network interface to use; None to choose.
        encrypted: whether all connections use the certificates of this start.
    """

    ranks: int | None
    scheduler_file: str
    interface: str | None
    encrypted: bool


@dataclass(frozen=True)
class ClusterDirectory:
    """Paths and content of ``RUN_DIRECTORY/cluster/ID``.

    Attributes:
        run_directory: absolute path of the run directory.
        id: name of this start, unique in the run directory.
    """

    run_directory: Path
    id: str

    @property
    def path(self) -> Path:
        """The directory itself."""
        return self.run_directory / CLUSTER / self.id

    @property
    def scheduler_file(self) -> Path:
        """Where the scheduler tells its address."""
        return Path(self.settings().scheduler_file)

    @property
    def dask_config(self) -> Path:
        """Dask's configuration for all processes of this cluster."""
        return self.path / DASK

    @property
    def launcher_log(self) -> Path:
        """What the launcher and the ranks print."""
        return self.path / "launcher.log"

    @property
    def launcher_exit(self) -> Path:
        """Written when the launcher has ended: its exit code."""
        return self.path / "launcher.exit"

    @property
    def lost_file(self) -> Path:
        """Written when the cluster was there and is gone."""
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
        """Where Dask's workers have their directories."""
        return self.path / "scratch"

    def rank_file(self, rank: int) -> Path:
        """Where a rank tells where it runs, once MPI is up."""
        return self.path / f"rank-{rank}.json"

    def fault_file(self, process: str) -> Path:
        """Where a rank tells why it ends."""
        return self.path / f"fault-{process}.json"

    def settings(self) -> Settings:
        """Read the settings of this start."""
        return Settings(**json.loads((self.path / SETTINGS).read_text()))

    def ranks(self) -> dict[int, dict[str, Any]]:
        """Return what each rank that came up has told, by rank."""
        told = (read_json(path) for path in self.path.glob("rank-*.json"))
        return {content["rank"]: content for content in told if content}

    def faults(self) -> Refusal | None:
        """Return why ranks have ended, as one refusal; None if none has told a fault."""
        told = [content for path in sorted(self.path.glob("fault-*.json")) if (content := read_json(path))]
        if not told:
            return None
        # Usually every rank says the same.
        faults = dict.fromkeys(Fault(**fault) for content in told for fault in content["faults"])
        return Refusal(ExitCode(told[0]["code"]), faults)

    def report(self, process: str, refusal: Refusal) -> None:
        """Keep a rank's refusal for whoever waits for the cluster."""
        content = {"code": int(refusal.code), "faults": [asdict(fault) for fault in refusal.faults]}
        pass_json(self.fault_file(process), content)

    def launcher_ended(self) -> str | None:
        """Return the launcher's exit code as text once it has ended."""
        try:
            return self.launcher_exit.read_text().strip()
        except OSError:
            return None

    def end(self) -> None:
        """Tell the ranks that nobody needs them any more, whether they can be reached or not."""
        with contextlib.suppress(OSError):
            (self.path / "over").touch()

    def lost(self, silent: Sequence[str]) -> None:
        """Tell the script that a cluster which was there is gone, so that it may start another.

        Args:
            silent: hosts that do not answer any more.
        """
        with contextlib.suppress(OSError):
            pass_json(self.lost_file, {"silent": list(silent)})

    def ended(self) -> bool:
        """Whether nobody needs this start any more: told so, its launcher gone, or the directory removed."""
        return self.launcher_ended() is not None or (self.path / "over").exists() or not self.path.exists()

    def remove_keys(self) -> None:
        """Remove what would let somebody into the cluster."""
        for name in (KEY, CERTIFICATE, SCHEDULER):
            (self.path / name).unlink(missing_ok=True)

    def remove(self) -> None:
        """Remove this start and, if nothing else is left in it, the run directory."""
        shutil.rmtree(self.path, ignore_errors=True)
        for parent in (self.path.parent, self.run_directory):
            with contextlib.suppress(OSError):
                parent.rmdir()

    def log_tail(self, lines: int = 12) -> tuple[str, ...]:
        """Return the last lines that the launcher and the ranks printed."""
        try:
            text = self.launcher_log.read_text(errors="replace")
        except OSError:
            return ()
        # Open MPI ends some of its lines with a zero byte.
        printable = text.replace("\0", "").splitlines()
        return tuple(line for line in printable if line.strip())[-lines:]


def new_id() -> str:
    """Return a name for a start of the cluster: sortable by time, never used before."""
    return time.strftime("%Y%m%d-%H%M%S-") + secrets.token_hex(3)


def create(run_directory: Path, settings: Settings, cluster_id: str) -> ClusterDirectory:
    """Make the directory of a new start.

    Raises:
        Refusal: (CANNOT_CREATE) if it cannot be written.
    """
    directory = ClusterDirectory(run_directory.resolve(), cluster_id)
    try:
        run_directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        directory.path.parent.mkdir(mode=0o700, exist_ok=True)
        directory.path.mkdir(mode=0o700)
        pass_json(directory.path / SETTINGS, asdict(settings))
    except OSError as error:
        raise cannot_create(run_directory, error) from error
    return directory


def cannot_create(run_directory: Path, error: OSError) -> Refusal:
    """Say that the run directory cannot be written."""
    fault = Fault(
        str(run_directory),
        f"the run directory cannot be written ({error.strerror or error})",
        "make its parent writable or name another place with --run-dir",
    )
    return Refusal(ExitCode.CANNOT_CREATE, [fault])
