"""Read an ELF file: its name, machine, dependencies and their versions.

Only the file is read, as by the dynamic loader; no code in it is run.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import BinaryIO

from elftools.common.exceptions import ELFError
from elftools.elf.dynamic import DynamicSegment
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerDefSection, GNUVerNeedSection

from espei_hpc.mpi.host.root import Root

_MACHINES = {"EM_X86_64": "x86_64", "EM_AARCH64": "aarch64", "EM_386": "i386", "EM_PPC64": "ppc64"}
_KINDS = re.compile(r"(GLIBC|GLIBCXX|CXXABI|GCC)_(\d+(?:\.\d+)*)")
# Flags of version entries: the file's own name among its definitions; an optional requirement.
_BASE, _WEAK = 1, 2
_EXECUTE = 1
# Exceptions of pyelftools for a truncated or invalid file.
_UNREADABLE = (ELFError, OSError, ValueError, TypeError, AttributeError, LookupError, AssertionError)


class NotAnObject(Exception):
    """A file is not an ELF shared object or program, or cannot be read."""


@dataclass(frozen=True)
class Object:
    """One ELF shared object or dynamically linked program.

    Attributes:
        path: path on its host, links not followed.
        soname: its soname; None if it has none.
        machine: the architecture as reported by ``uname -m``, such as ``x86_64``.
        needed: the names of the libraries it needs, in the loader's order.
        rpath: directories searched first, for its direct and indirect dependencies.
        runpath: directories searched for its direct dependencies; ``rpath`` is empty if this is not.
        requires: the version names it requires, by library.
        defines: the version names it defines.
        executable_stack: whether it needs an executable stack.
    """

    path: PurePosixPath
    soname: str | None
    machine: str
    needed: tuple[str, ...]
    rpath: tuple[str, ...]
    runpath: tuple[str, ...]
    requires: Mapping[str, frozenset[str]] = field(hash=False)
    defines: frozenset[str]
    executable_stack: bool

    @property
    def name(self) -> str:
        """The file name, under which others find it."""
        return self.path.name

    def __str__(self) -> str:
        """Its name and path."""
        return f"{self.name} ({self.path})"

    @property
    def search(self) -> tuple[str, ...]:
        """The directories in which its dependencies are searched."""
        return self.rpath + self.runpath

    @property
    def wants(self) -> Mapping[str, tuple[int, ...]]:
        """The newest version it requires of each kind, such as ``{"GLIBC": (2, 34)}``."""
        return newest(version for versions in self.requires.values() for version in versions)


def newest(versions: Iterable[str]) -> dict[str, tuple[int, ...]]:
    """Return the newest version of each kind among names such as ``GLIBC_2.34``, ``GLIBCXX_3.4.30``."""
    found: dict[str, tuple[int, ...]] = {}
    for version in versions:
        if match := _KINDS.fullmatch(version):
            number = tuple(int(part) for part in match[2].split("."))
            found[match[1]] = max(number, found.get(match[1], ()))
    return found


def read(root: Root, path: str | PurePosixPath) -> Object:
    """Read an ELF file of the tree.

    Raises:
        NotAnObject: if it does not exist, cannot be read, or is not an ELF object.
    """
    if not root.is_file(path):
        raise NotAnObject(f"{path} is not a file")
    try:
        with root.local(path).open("rb") as file:
            return _read(file, PurePosixPath(path))
    except _UNREADABLE as error:
        raise NotAnObject(f"{path} is not a readable ELF shared object: {error}") from error


def _read(file: BinaryIO, path: PurePosixPath) -> Object:
    elf = ELFFile(file)
    if elf["e_type"] not in ("ET_DYN", "ET_EXEC"):
        raise ELFError(f"its type is {elf['e_type']}")
    if elf.num_sections() == 0:
        raise ELFError("it has no section headers, which list the versions it requires")
    machine = _machine(elf)
    texts = _dynamic(elf)
    runpath = _directories(texts["DT_RUNPATH"], path.parent, machine)
    return Object(
        path=path,
        soname=next(iter(texts["DT_SONAME"]), None),
        machine=machine,
        needed=tuple(texts["DT_NEEDED"]),
        # As in the loader: RPATH is ignored if there is a RUNPATH.
        rpath=() if texts["DT_RUNPATH"] else _directories(texts["DT_RPATH"], path.parent, machine),
        runpath=runpath,
        requires=_requires(elf),
        defines=_defines(elf),
        executable_stack=_executable_stack(elf, machine),
    )


def _machine(elf: ELFFile) -> str:
    machine = _MACHINES.get(elf["e_machine"], str(elf["e_machine"]).removeprefix("EM_").lower())
    if machine == "ppc64" and elf.little_endian:
        return "ppc64le"
    return "x32" if machine == "x86_64" and elf.elfclass == 32 else machine


def _dynamic(elf: ELFFile) -> dict[str, list[str]]:
    texts: dict[str, list[str]] = {"DT_NEEDED": [], "DT_SONAME": [], "DT_RPATH": [], "DT_RUNPATH": []}
    fields = {"DT_NEEDED": "needed", "DT_SONAME": "soname", "DT_RPATH": "rpath", "DT_RUNPATH": "runpath"}
    for segment in elf.iter_segments():
        if isinstance(segment, DynamicSegment):
            for tag in segment.iter_tags():
                if tag.entry.d_tag in fields:
                    texts[tag.entry.d_tag].append(getattr(tag, fields[tag.entry.d_tag]))
    return texts


def _directories(texts: list[str], origin: PurePosixPath, machine: str) -> tuple[str, ...]:
    """Expand search paths; drop entries relative to the working directory."""
    entries = [_expand(entry, str(origin), machine) for text in texts for entry in text.split(":")]
    return tuple(path for expanded in entries for path in expanded if path.startswith("/"))


def _expand(entry: str, origin: str, machine: str) -> list[str]:
    entry = re.sub(r"\$(ORIGIN\b|\{ORIGIN\})", lambda _: origin, entry)
    entry = re.sub(r"\$(PLATFORM\b|\{PLATFORM\})", machine, entry)
    # $LIB depends on the distribution's loader: try all its values.
    token = re.compile(r"\$(LIB\b|\{LIB\})")
    values = (f"lib/{machine}-linux-gnu", "lib64", "lib") if token.search(entry) else ("",)
    return [token.sub(value, entry) for value in values]


def _requires(elf: ELFFile) -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for section in elf.iter_sections():
        if isinstance(section, GNUVerNeedSection):
            for need, versions in section.iter_versions():
                names = {version.name for version in versions if not version["vna_flags"] & _WEAK}
                found[str(need.name)] = found.get(str(need.name), frozenset()) | names
    return found


def _defines(elf: ELFFile) -> frozenset[str]:
    return frozenset(
        next(names).name
        for section in elf.iter_sections()
        if isinstance(section, GNUVerDefSection)
        for definition, names in section.iter_versions()
        if not definition["vd_flags"] & _BASE
    )


def _executable_stack(elf: ELFFile, machine: str) -> bool:
    for segment in elf.iter_segments():
        if segment["p_type"] == "PT_GNU_STACK":
            return bool(segment["p_flags"] & _EXECUTE)
    # Old objects have no PT_GNU_STACK and get the default of their architecture.
    return machine == "x86_64"
