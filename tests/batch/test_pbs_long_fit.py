"""A fit of several short jobs of PBS, on a machine that is busy with other things."""

import os
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from batch.pbs.job import Job, example_script
from fits import Chain, write_fit
from support import Command, Commands, let_anybody_write

pytestmark = [pytest.mark.needs("Apptainer", "Debian's MPIs"), pytest.mark.long]
JOBS = 3
WALLTIME = 60
"""About twice what a start takes here while all cores are busy, s: of the rest half is kept for the end."""
# What OpenPBS 23.06 answers for a job that has just begun.
QSTAT = f"""#!/bin/bash
echo "Job Id: $2
    job_state = R
    Resource_List.walltime = 00:{WALLTIME // 60:02}:{WALLTIME % 60:02}
    stime = $(<stime)"
"""
QSUB = """#!/bin/bash
echo "$*" >>submitted
"""


@pytest.fixture
def busy_cores(commands: Commands) -> Iterator[None]:
    """A process on each core that does nothing else than compute."""
    cores = len(os.sched_getaffinity(0))
    loops: list[Command] = [commands.start(sys.executable, "-c", "while True: pass") for _ in range(cores)]
    yield
    for loop in loops:
        loop.process.kill()
        loop.process.wait()


@pytest.mark.usefixtures("busy_cores")
def test_each_of_three_short_jobs_on_busy_cores_ends_by_itself_and_submits_the_next(
    commands: Commands, open_place: Path, sif: Path, stock_chain: Chain
) -> None:
    commands.directory = directory = Path(tempfile.mkdtemp(dir=open_place))
    write_fit(directory, 20_000)
    script = directory / "long-fit.pbs"
    script.write_text(example_script("long-fit", sif))
    (directory / "bin").mkdir()
    for name, what in {"qstat": QSTAT, "qsub": QSUB}.items():
        (directory / "bin" / name).write_text(what)
    let_anybody_write(directory)
    saved = [0]
    for number in range(1, JOBS + 1):
        (directory / "stime").write_text(time.ctime())
        job = Job(commands, script, 2, f"{directory}/bin:/usr/bin:/bin")
        result = job.command.finish(WALLTIME)
        assert result.code == 75, result.output
        assert (directory / "submitted").read_text() == "long-fit.pbs\n" * number
        saved.append(int(re.findall(r"after (\d+) of 20000 iterations, all saved", result.output)[-1]))
    assert saved == sorted(set(saved))
    assert Chain.load(directory).begins_like(stock_chain)
