"""A long undisturbed run: its memory and its open files must not grow."""

import time
from contextlib import suppress
from pathlib import Path
from statistics import median

import psutil

from fits import Chain, write_fit
from soak.faults import the_fit, the_scheduler, the_script
from soak.report import Figures, Growth
from support import Command, Commands

WATCHED = {"supervisor": the_script, "client": the_fit, "scheduler": the_scheduler}
MOST_GROWTH = 1.10
MORE_FILES = 8
EVERY = 1.0


def steady(directory: Path, stock: Chain, seconds: float, figures: Figures) -> None:
    """Run a fit for so long, stop it, and compare the second quarter of the time with the last."""
    directory.mkdir()
    path = write_fit(directory, 200_000)
    commands = Commands(directory)
    run = commands.start("espei-mpi", "--in", path, "-n", "3")
    seen = {name: _Seen() for name in WATCHED}
    try:
        run.wait_for_output("iteration ")
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            assert run.process.poll() is None, run.output
            _sample(run, seen)
            time.sleep(EVERY)
        run.process.terminate()
        assert run.finish().code == 75, run.output
        assert not commands.left()
    finally:
        commands.end_all()
    assert Chain.load(directory).begins_like(stock)
    figures.iterations = Chain.load(directory).trace.shape[1]
    for name, samples in seen.items():
        growth = samples.growth()
        figures.growth[name] = growth
        assert growth.memory_after <= MOST_GROWTH * growth.memory_before, (name, growth)
        assert growth.files_after <= growth.files_before + MORE_FILES, (name, growth)


class _Seen:
    def __init__(self) -> None:
        self.memory: list[float] = []
        self.files: list[int] = []

    def growth(self) -> Growth:
        quarter = len(self.memory) // 4
        early, late = slice(quarter, 2 * quarter), slice(-quarter, None)
        return Growth(
            median(self.memory[early]),
            median(self.memory[late]),
            int(median(self.files[early])),
            int(median(self.files[late])),
        )


def _sample(run: Command, seen: dict[str, _Seen]) -> None:
    for name, find in WATCHED.items():
        for process in find(run):
            with suppress(psutil.NoSuchProcess):
                memory, files = process.memory_info().rss / 1e6, process.num_fds()
                seen[name].memory.append(memory)
                seen[name].files.append(files)
