"""Check ESPEI's inputs before a job is queued, and read what its script needs from them."""

from collections.abc import Callable, Sequence
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from espei_hpc.errors import Fault, Refusal
from espei_hpc.exit_codes import ExitCode


@dataclass(frozen=True)
class JobInputs:
    """What is known about a job's inputs.

    Attributes:
        walkers: smallest number of walkers of the fits; None if not known.
        scheduler_file: scheduler file that the input names; None if it names none.
    """

    walkers: int | None = None
    scheduler_file: str | None = None


def examine(kind: str, files: Sequence[Path], user_code: Path | None = None) -> JobInputs:
    """Check a job's inputs.

    Args:
        kind: kind of the job.
        files: its inputs.
        user_code: directory of the user's Python modules, in use already; None for none.

    Raises:
        Refusal: (BAD_INPUT) with every fault found.
    """
    if kind == "array":
        return _array(files)
    if kind == "chain":
        return _chain(*files)
    return _one(files[0], kind == "two-steps", user_code)


def _one(file: Path, two_steps: bool, user_code: Path | None) -> JobInputs:
    problem = _checked(file, user_code)
    scheduler = (problem.settings.get("mcmc") or {}).get("scheduler")
    if two_steps and (not isinstance(scheduler, str) or scheduler == "dask"):
        what = "names no file, but stock espei needs one to find the cluster"
        fault = Fault(f"{file}: mcmc.scheduler", what, "write scheduler: my_scheduler.json")
        raise Refusal(ExitCode.BAD_INPUT, [fault])
    return JobInputs(problem.walkers, scheduler)


def _array(files: Sequence[Path]) -> JobInputs:
    faults: list[Fault] = []
    walkers = []
    directories = [file.resolve().parent for file in files]
    for file, directory in zip(files, directories, strict=True):
        if directories.count(directory) > 1:
            what = f"another input is also in {file.parent}, so their output files could be the same"
            faults.append(Fault(str(file), what, "put each input into its own directory"))
            continue
        try:
            # As in the job: names in an input are relative to the directory in which ESPEI runs.
            with chdir(directory):
                walkers.append(_checked(Path(file.name)).walkers)
        except Refusal as refusal:
            faults += [
                Fault(f"{file.parent}: {fault.where}", fault.what, fault.cure) for fault in refusal.faults
            ]
        except OSError as error:
            faults.append(Fault(str(file), f"cannot be read: {error.strerror}"))
    if faults:
        raise Refusal(ExitCode.BAD_INPUT, faults)
    return JobInputs(min((number for number in walkers if number), default=None))


def _chain(first: Path, second: Path) -> JobInputs:
    from espei_hpc.inputs.reading import read_input

    faults: list[Fault] = []
    problem = _tried(lambda: _checked(first), faults)
    if problem and not problem.generates:
        faults.append(Fault(f"{first}: generate_parameters", "is missing: it is the first of the chain"))
    # The second input's database does not exist yet; the rest is checked when its job starts.
    settings = _tried(lambda: read_input(second), faults)
    if settings is not None and not settings.get("mcmc"):
        faults.append(Fault(f"{second}: mcmc", "is missing: it is the second of the chain"))
    if faults:
        raise Refusal(ExitCode.BAD_INPUT, faults)
    return JobInputs()


def _checked(file: Path, user_code: Path | None = None) -> Any:
    from espei_hpc.inputs import check

    # Nothing is written here, so files of an earlier start are no conflict.
    return check(file, lambda _: True, user_code=user_code)


def _tried(read: Callable[[], Any], faults: list[Fault]) -> Any:
    try:
        return read()
    except Refusal as refusal:
        faults += refusal.faults
        return None
