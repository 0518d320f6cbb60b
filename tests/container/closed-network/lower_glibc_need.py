"""Let programs linked against glibc 2.38 run on glibc 2.36: ``lower_glibc_need.py FILE...``, in place.

Debian's package of Apptainer is built on a newer glibc than Debian 12 has, but of the newer one it only asks
for the C23 twins of old functions (``__isoc23_strtol`` for ``strtol``). The old name is the end of the new
one, so a symbol is renamed by moving where its name starts, and its version is made an old one. A file that
needs anything else of a newer glibc is refused and left as it is.
"""

import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

NEWEST_HERE = (2, 36)
EVERYWHERE = "GLIBC_2.2.5"
C23_PREFIX = "__isoc23_"

# From the ELF specification, for 64 bits: the kinds of section, and their records.
DYNSYM, VERNEED, VERSYM = 11, 0x6FFFFFFE, 0x6FFFFFFF
SECTION = struct.Struct("<IIQQQQIIQQ")  # name, kind, flags, address, offset, size, link, info, align, entry
LIBRARY = struct.Struct("<HHIII")  # version, count, file name, first version's offset, next library's
VERSION = struct.Struct("<IHHII")  # hash, flags, index, name, next version's offset
SYMBOL = struct.Struct("<IBBHQQ")  # name, info, other, section, value, size


@dataclass(frozen=True)
class Needed:
    """A version of glibc that a file asks for.

    Attributes:
        name: such as ``GLIBC_2.38``.
        index: what symbols refer to it by.
        record: where its record stands in the file.
        name_offset: where its name stands among the file's strings.
    """

    name: str
    index: int
    record: int
    name_offset: int

    def is_newer(self) -> bool:
        """Tell whether this glibc version does not exist here."""
        family, _, number = self.name.partition("_")
        return family == "GLIBC" and tuple(int(part) for part in number.split(".")) > NEWEST_HERE


class DynamicProgram:
    """The bytes of a 64-bit little-endian ELF file, and what it asks of glibc."""

    def __init__(self, content: bytes) -> None:
        if content[:6] != b"\x7fELF\x02\x01":
            raise SystemExit("not a 64-bit little-endian ELF file")
        self.content = bytearray(content)
        (first,) = struct.unpack_from("<Q", content, 0x28)
        size, count = struct.unpack_from("<HH", content, 0x3A)
        sections = [SECTION.unpack_from(content, first + number * size) for number in range(count)]
        by_kind = {section[1]: section for section in sections}
        self.symbols = range(by_kind[DYNSYM][4], by_kind[DYNSYM][4] + by_kind[DYNSYM][5], SYMBOL.size)
        self.symbol_versions = by_kind[VERSYM][4]
        self.first_library = by_kind[VERNEED][4]
        self.strings = sections[by_kind[DYNSYM][6]][4]

    def text(self, offset: int) -> str:
        """Return the string at an offset of the string table."""
        start = self.strings + offset
        return self.content[start : self.content.index(0, start)].decode()

    def needed(self) -> Iterator[Needed]:
        """Yield the versions asked of libc."""
        library, step = self.first_library, 1
        while step:
            _, count, file_name, first, step = LIBRARY.unpack_from(self.content, library)
            record = library + first
            for _ in range(count):
                _, _, index, name, following = VERSION.unpack_from(self.content, record)
                if self.text(file_name) == "libc.so.6":
                    yield Needed(self.text(name), index & 0x7FFF, record, name)
                record += following
            library += step

    def lower(self) -> list[str]:
        """Ask for old names and versions only; return the names that were changed."""
        needed = list(self.needed())
        newer = {version.index: version for version in needed if version.is_newer()}
        old = next(version for version in needed if version.name == EVERYWHERE)
        changed = []
        for number, symbol in enumerate(self.symbols):
            version_at = self.symbol_versions + 2 * number
            (index,) = struct.unpack_from("<H", self.content, version_at)
            if index & 0x7FFF in newer:
                changed.append(self._rename(symbol, newer[index & 0x7FFF]))
                struct.pack_into("<H", self.content, version_at, old.index)
        for version in newer.values():
            struct.pack_into("<I", self.content, version.record, elf_hash(old.name))
            struct.pack_into("<I", self.content, version.record + 8, old.name_offset)
        return changed

    def _rename(self, symbol: int, version: Needed) -> str:
        (name_offset,) = struct.unpack_from("<I", self.content, symbol)
        name = self.text(name_offset)
        if not name.startswith(C23_PREFIX):
            raise SystemExit(f"{name} of {version.name} has no older twin: this program cannot run here")
        struct.pack_into("<I", self.content, symbol, name_offset + len(C23_PREFIX))
        return name


def elf_hash(name: str) -> int:
    """Return the hash that the ELF specification wants beside a version's name."""
    value = 0
    for byte in name.encode():
        value = (value << 4) + byte
        high = value & 0xF0000000
        value = (value ^ high >> 24) & ~high
    return value


def main(paths: list[str]) -> None:
    """Lower what each file needs."""
    for path in map(Path, paths):
        program = DynamicProgram(path.read_bytes())
        changed = program.lower()
        path.write_bytes(program.content)
        print(f"{path.name}: {', '.join(changed) or 'needs nothing newer'}")


if __name__ == "__main__":
    main(sys.argv[1:])
