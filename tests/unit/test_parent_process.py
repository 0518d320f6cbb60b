"""What a process does whose parent, Apptainer, was killed."""

import mmap
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from espei_hpc import parent_process
from espei_hpc.parent_process import Apptainer
from support import PATIENCE

PAGES = 10_000
NOBODY = str(2**22 + 1)
"""No process has this number, which is above the highest of Linux."""
CLEAN_UP = """
import sys
from espei_hpc.parent_process import Apptainer
Apptainer(int(sys.argv[1]), (int(sys.argv[2]),)).clean_up()
"""


@pytest.fixture
def mounting() -> Iterator["subprocess.Popen[bytes]"]:
    """A process that stands for one that mounts an image."""
    with subprocess.Popen(["sleep", "1000"]) as process:
        yield process
        process.kill()


def test_what_mounts_its_image_is_ended_after_it(mounting: "subprocess.Popen[bytes]") -> None:
    subprocess.run([sys.executable, "-c", CLEAN_UP, NOBODY, str(mounting.pid)], check=True)
    mounting.wait(PATIENCE)


def test_while_apptainer_lives_the_image_stays(mounting: "subprocess.Popen[bytes]") -> None:
    apptainer = str(os.getpid())
    subprocess.run([sys.executable, "-c", CLEAN_UP, apptainer, str(mounting.pid)], check=True)
    with pytest.raises(subprocess.TimeoutExpired):
        mounting.wait(3)


def test_all_that_is_mapped_is_kept_in_memory(tmp_path: Path) -> None:
    file = tmp_path / "library"
    file.write_bytes(bytes(PAGES * mmap.PAGESIZE))
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, prot=mmap.PROT_READ) as mapped:
        Apptainer(os.getppid(), ()).keep_image()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        assert mapped[:: mmap.PAGESIZE] == bytes(PAGES)
        # The kernel maps 16 pages at a time that are asked for.
        assert resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before < PAGES / 16 / 4


def test_parent_outside_of_an_image_is_not_apptainer() -> None:
    assert parent_process.apptainer() is None
