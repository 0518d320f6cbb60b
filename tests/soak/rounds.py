"""A fit that is struck again and again until it is finished; after each blow its promises are looked at."""

import random
import subprocess
import time
from pathlib import Path

import yaml

from fits import Chain, write_fit
from soak.faults import FAULTS, OK, Fault
from soak.report import Figures
from support import Command, Commands, wait_until

ITERATIONS = 120
HANGS_AFTER = 600.0
"""Seconds; every wait of a run has a deadline below, and on a busy machine a fit takes eight times longer."""
GONE_AFTER = 30.0
MOST_BYTES = 20e6
"""Of a run directory; the samples of this fit are 0.2 MB."""


def one_fit(directory: Path, stock: Chain, figures: Figures) -> None:
    """Fit in a new directory to the end, however many starts it takes."""
    directory.mkdir()
    path = write_fit(directory, ITERATIONS)
    settings = yaml.safe_load(path.read_text())
    settings["mcmc"]["save_interval"] = 1
    path.write_text(yaml.safe_dump(settings))
    commands = Commands(directory)
    try:
        safe = 0
        while _start(commands, path, stock, safe, figures) != OK:
            # What was saved behind a damaged segment is lost with it.
            damaged = random.random() < 0.2 and _damage(path, figures)
            safe = 0 if damaged else saved(path)
    finally:
        commands.end_all()
    assert Chain.load(directory).equals(stock), f"another chain than stock's in {directory}"
    assert not _keys(path)
    figures.fits += 1


def _start(commands: Commands, path: Path, stock: Chain, safe: int, figures: Figures) -> int:
    began, old_keys = time.monotonic(), _keys(path)
    run = commands.start("espei-mpi", "--in", path, "-n", "3", "--restarts", str(random.choice((0, 1, 3))))
    fault = random.choice(FAULTS)
    _wait_for_the_moment(run)
    struck = time.monotonic()
    fault.strike(run)
    code = _end(commands, run, fault)
    figures.started(fault, code, time.monotonic() - (began if code == OK else struck))
    _look(commands, path, stock, safe, run, fault, code)
    # Whoever is killed cannot tidy up; the next fit does.
    assert code < 0 or not _keys(path) - old_keys, f"{fault.name}, exit code {code}:\n{run.output}"
    return code


def _end(commands: Commands, run: Command, fault: Fault) -> int:
    try:
        return run.finish(HANGS_AFTER).code
    except subprocess.TimeoutExpired:
        left = "\n".join(commands.left())
        raise AssertionError(f"hangs after {fault.name}:\n{run.output}\n{left}") from None


def _wait_for_the_moment(run: Command) -> None:
    """Half of them wherever the start may be, half while it samples."""
    if random.random() < 0.5:
        ready = time.monotonic() + 60
        while "iteration " not in run.output and run.process.poll() is None and time.monotonic() < ready:
            time.sleep(0.05)
    time.sleep(random.uniform(0, 6))


def _look(
    commands: Commands, path: Path, stock: Chain, safe: int, run: Command, fault: Fault, code: int
) -> None:
    told = f"{fault.name}, exit code {code}:\n{run.output}"
    assert code in fault.codes, told
    assert "Traceback" not in run.output, told
    wait_until(lambda: not commands.left(), f"the end of all processes after {told}", GONE_AFTER)
    assert saved(path) >= safe, f"samples were lost by: {told}"
    if (path.parent / "trace.npy").exists() and (path.parent / "lnprob.npy").exists():
        assert Chain.load(path.parent).begins_like(stock), told
    files = [file for file in path.with_suffix(".run").rglob("*") if file.is_file()]
    assert sum(file.stat().st_size for file in files) < MOST_BYTES, told


def _keys(path: Path) -> set[Path]:
    found = path.with_suffix(".run").rglob("*.pem")
    return {file for file in found if file.name in ("key.pem", "certificate.pem")}


def _damage(path: Path, figures: Figures) -> bool:
    """Flip a bit of the newest segment, as a file server may after a crash; False if there are too few."""
    segments = list(path.with_suffix(".run").glob("checkpoint/*.npz"))
    if len(segments) < 3:
        return False
    newest = max(segments, key=lambda file: file.stat().st_mtime)
    content = bytearray(newest.read_bytes())
    bit = random.randrange(8 * len(content))
    content[bit // 8] ^= 1 << bit % 8
    newest.write_bytes(content)
    figures.damages += 1
    return True


def saved(path: Path) -> int:
    """Iterations in the checkpoint, as the names of its segments tell."""
    names = [file.name for file in path.with_suffix(".run").glob("checkpoint/*.npz")]
    return max((int(name.split("_")[1].split("-")[1]) for name in names), default=0)
