"""Checking the outputs: each can be written, overwrites no input and has enough disk space."""

import os
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from espei_hpc.inputs.findings import Findings
from espei_hpc.inputs.settings import Settings
from espei_hpc.parsing import unexpanded
from espei_hpc.text import counted

TRACE, LNPROB = "output.tracefile", "output.probfile"
BYTES_PER_NUMBER = 8
NPY_HEADER_BYTES = 128
COPIES = 3


@dataclass(frozen=True)
class Outputs:
    """The files that a fit writes; None for those that the input does not request."""

    output_db: Path | None
    trace: Path | None
    lnprob: Path | None
    logfile: Path | None

    def by_key(self) -> dict[str, Path]:
        """Return the files to write, by their key in the input."""
        planned = {
            "output.output_db": self.output_db,
            TRACE: self.trace,
            LNPROB: self.lnprob,
            "output.logfile": self.logfile,
        }
        return {key: path for key, path in planned.items() if path is not None}


def planned_outputs(settings: Settings) -> Outputs:
    """Return the files that a run with these settings writes."""
    output = settings.get("output", {})

    def named(key: str) -> Path | None:
        # In ESPEI the word None means not to write the array.
        return Path(output[key]) if output.get(key) not in (None, "None") else None

    samples = "mcmc" in settings
    logfile = output.get("logfile")
    return Outputs(
        output_db=Path(output["output_db"]) if "output_db" in output else None,
        trace=named("tracefile") if samples else None,
        lnprob=named("probfile") if samples else None,
        logfile=Path(logfile) if logfile is not None else None,
    )


def check_outputs(
    outputs: Outputs, inputs: Mapping[str, Iterable[Path]], own: Callable[[Path], bool], findings: Findings
) -> None:
    """Check that every output can be written.

    Args:
        outputs: the files to write.
        inputs: the files to read, by the key that names them.
        own: whether a file has only data that an earlier start of this fit wrote.
        findings: collects the faults.
    """
    for key, path in outputs.by_key().items():
        with findings.guard(key, f"cannot use {path}"):
            _check_writable(key, path, own, findings)
    with findings.guard("output"):
        _check_distinct(outputs, inputs, findings)


def _check_writable(key: str, path: Path, own: Callable[[Path], bool], findings: Findings) -> None:
    if key in (TRACE, LNPROB) and os.path.lexists(path) and not own(path):
        findings.cannot_create(
            key,
            f"{path} exists and was not written by this fit; not overwritten",
            "move it away, or use another name",
        )
    elif os.path.isdir(path):
        findings.cannot_create(key, f"{path} is a directory", "use the name of a file")
    elif not os.path.isdir(path.parent):
        findings.cannot_create(
            key,
            f"{path}: no such directory: {path.parent}",
            unexpanded(path) or "create it, or use another path",
        )
    elif refused := _refused_by_system(path):
        findings.cannot_create(
            key, f"cannot write {path}: {refused}", "use a directory that you may write to"
        )


def _refused_by_system(path: Path) -> str:
    """Try to write: permission bits do not apply to root, or on a read-only mount.

    Returns:
        The system's error message; empty if the file can be written.
    """
    try:
        if os.path.exists(path):
            with path.open("ab"):  # opened for writing, not changed
                return ""
        if len(os.fsencode(path.name)) > os.pathconf(path.parent, "PC_NAME_MAX"):
            return "the name is too long"
        with tempfile.TemporaryFile(dir=path.parent):
            return ""
    except OSError as error:
        return error.strerror or str(error)


def _check_distinct(outputs: Outputs, inputs: Mapping[str, Iterable[Path]], findings: Findings) -> None:
    taken = {path.resolve(): key for key, paths in inputs.items() for path in paths}
    for key, path in outputs.by_key().items():
        other = taken.setdefault(path.resolve(), key)
        if other != key:
            written_or_read = "written" if other.startswith("output.") else "read"
            findings.fault(
                key,
                f"{path} is also {written_or_read} as {other}",
                "one would overwrite the other: use another name",
            )


def check_room(outputs: Outputs, walkers: int, iterations: int, parameters: int, findings: Findings) -> None:
    """Check the disk space for three copies of the samples: the file, its replacement and the checkpoint."""
    numbers = {TRACE: parameters, LNPROB: 1}
    needs: dict[int, int] = defaultdict(int)
    places: dict[int, tuple[str, Path]] = {}
    for key, path in outputs.by_key().items():
        if key in numbers and os.path.isdir(path.parent):
            device = path.parent.stat().st_dev
            samples = walkers * iterations * numbers[key] * BYTES_PER_NUMBER + NPY_HEADER_BYTES
            needs[device] += COPIES * samples
            places.setdefault(device, (key, path.parent))
    for device, (key, directory) in places.items():
        disk = shutil.disk_usage(directory)
        if disk.total and needs[device] > disk.free:  # no total: a file system without blocks
            findings.cannot_create(
                key,
                f"the samples need {_readable(needs[device])} ({walkers} walkers x "
                f"{counted(iterations, 'iteration')} x {counted(parameters, 'parameter')}), "
                f"but {directory.resolve()} has {_readable(disk.free)} free",
                "free disk space, or reduce mcmc.iterations",
            )


def _readable(size: int) -> str:
    number = float(size)
    for unit in ("B", "kB", "MB", "GB"):
        if number < 1000:
            return f"{number:.3g} {unit}"
        number /= 1000
    return f"{number:.3g} TB"
