"""What an ELF file says of itself is read as the real loader reads it."""

import platform
import random
import re
import sys
from pathlib import Path, PurePosixPath

import pytest

from elf_support import (
    IGNORED,
    MPIS,
    OPEN_MPI,
    RPATH,
    RUNPATH,
    ask_for_executable_stack,
    copy,
    ldd,
    patch,
    retag,
    stack_header,
    write_at,
)
from espei_hpc.mpi.host.elf import NotAnObject, Object, newest, read
from espei_hpc.mpi.host.root import Root

HERE = Root(Path("/"))
LIBC = "/lib/" + platform.machine() + "-linux-gnu/libc.so.6"


def object_at(path: Path) -> Object:
    return read(HERE, path.as_posix())


@pytest.mark.parametrize("library", MPIS, ids=str)
def test_versions_needed_are_those_the_real_loader_checks(library: Path) -> None:
    section = ldd(library, "-v").split(f"\t{library}:\n")[1]
    lines = re.split(r"\n\t\S", section)[0]
    checked = set(re.findall(r"^\t\t(\S+) \((\S+)\) =>", lines, re.MULTILINE))
    found = object_at(library)
    assert checked == {(name, version) for name, asked in found.requires.items() for version in asked}
    assert found.wants["GLIBC"] == max(
        tuple(map(int, version[6:].split("."))) for _, version in checked if re.match(r"GLIBC_\d", version)
    )


@pytest.mark.parametrize("library", MPIS, ids=str)
def test_name_and_machine_are_those_of_the_file(library: Path) -> None:
    found = object_at(library)
    assert found.soname == library.name
    assert found.machine == platform.machine()
    assert found.path == PurePosixPath(library)
    assert "libc.so.6" in found.needed


def test_c_library_defines_the_version_it_says_it_is() -> None:
    number = tuple(map(int, platform.libc_ver()[1].split(".")))
    assert newest(read(HERE, LIBC).defines) == {"GLIBC": number}


def test_own_name_among_the_definitions_is_no_version() -> None:
    assert "libc.so.6" not in read(HERE, LIBC).defines


def test_versions_are_compared_as_numbers_and_by_kind() -> None:
    versions = ["GLIBC_2.9", "GLIBC_2.34", "GLIBC_2.4.1", "GLIBCXX_3.4.9", "GCC_4.2.0", "CXXABI_1.3"]
    others = ["GLIBC_PRIVATE", "GLIBC_ABI_DT_RELR", "FABRIC_1.9", "CXXABI_FLOAT128"]
    assert newest(versions + others) == {
        "GLIBC": (2, 34),
        "GLIBCXX": (3, 4, 9),
        "GCC": (4, 2, 0),
        "CXXABI": (1, 3),
    }


def test_program_is_read_too() -> None:
    assert object_at(Path(sys.executable).resolve()).needed


def test_origin_is_the_directory_of_the_path_asked_for_not_of_a_links_target(tmp_path: Path) -> None:
    # As the real loader, which also does not follow links for it.
    link = tmp_path / "libmpi.so.40"
    link.symlink_to(OPEN_MPI)
    assert object_at(OPEN_MPI).search == (str(OPEN_MPI.parent), f"{OPEN_MPI.parent}/openmpi")
    assert object_at(link).search == (str(tmp_path), f"{tmp_path}/openmpi")


@pytest.mark.parametrize(
    ("written", "expanded"),
    [
        ("/a:/b/", ("/a", "/b/")),
        ("${ORIGIN}/../x", ("/tree/../x",)),
        ("$ORIGINAL/x", ()),
        ("/a/$LIB", ("/a/lib/MACHINE-linux-gnu", "/a/lib64", "/a/lib")),
        ("/a/${LIB}/b", ("/a/lib/MACHINE-linux-gnu/b", "/a/lib64/b", "/a/lib/b")),
        ("/a/$PLATFORM", ("/a/MACHINE",)),
        (":./x::lib:/a", ("/a",)),
        ("", ()),
    ],
)
def test_search_path_is_expanded_and_kept_only_where_absolute(
    written: str, expanded: tuple[str, ...], tmp_path: Path
) -> None:
    library = copy(OPEN_MPI, tmp_path / "tree/libmpi.so.40")
    patch(library, "$ORIGIN:$ORIGIN/openmpi", written)
    found = read(Root(tmp_path), "/tree/libmpi.so.40")
    assert found.runpath == tuple(path.replace("MACHINE", platform.machine()) for path in expanded)


def test_rpath_and_runpath_are_told_apart(tmp_path: Path) -> None:
    library = copy(OPEN_MPI, tmp_path / "libmpi.so.40")
    assert not object_at(library).rpath
    retag(library, RUNPATH, RPATH)
    found = object_at(library)
    assert found.rpath == (str(tmp_path), f"{tmp_path}/openmpi")
    assert not found.runpath
    retag(library, RPATH, IGNORED)
    assert not object_at(library).search


def test_other_architecture_is_told(tmp_path: Path) -> None:
    library = copy(OPEN_MPI, tmp_path / "libmpi.so.40")
    machines = {b"\xb7\x00": "aarch64", b"\x3e\x00": "x86_64", b"\x15\x00": "ppc64le", b"\xf3\x00": "riscv"}
    for number, machine in machines.items():
        write_at(library, 18, number)
        assert object_at(library).machine == machine


def test_executable_stack_is_told(tmp_path: Path) -> None:
    library = copy(OPEN_MPI, tmp_path / "libmpi.so.40")
    assert not object_at(library).executable_stack
    ask_for_executable_stack(library)
    assert object_at(library).executable_stack


def test_object_that_says_nothing_of_its_stack_gets_an_executable_one_on_x86(tmp_path: Path) -> None:
    library = copy(OPEN_MPI, tmp_path / "libmpi.so.40")
    write_at(library, stack_header(library), bytes(4))
    assert object_at(library).executable_stack == (platform.machine() == "x86_64")


@pytest.mark.parametrize("content", [b"", b"INPUT(libmpi.so.40)\n", b"\x7fELF", b"\x7fELF" + bytes(100)])
def test_what_is_no_elf_file_is_refused_by_its_path(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "libmpi.so").write_bytes(content)
    with pytest.raises(NotAnObject, match=r"^/libmpi\.so is not a readable ELF"):
        read(Root(tmp_path), "/libmpi.so")


@pytest.mark.parametrize("path", ["/none", "/directory", "/loop"])
def test_what_is_no_file_is_refused_by_its_path(path: str, tmp_path: Path) -> None:
    (tmp_path / "directory").mkdir()
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(NotAnObject, match=rf"^{path} is not a file"):
        read(Root(tmp_path), path)


def test_core_file_is_no_shared_object(tmp_path: Path) -> None:
    library = copy(OPEN_MPI, tmp_path / "libmpi.so.40")
    write_at(library, 16, b"\x04\x00")
    with pytest.raises(NotAnObject, match="ET_CORE"):
        object_at(library)


def test_file_without_section_headers_is_refused_for_its_versions_are_unknown(tmp_path: Path) -> None:
    library = copy(OPEN_MPI, tmp_path / "libmpi.so.40")
    write_at(library, 40, bytes(8))
    write_at(library, 60, bytes(4))
    with pytest.raises(NotAnObject, match="section headers"):
        object_at(library)


def test_damaged_file_is_read_or_refused_and_nothing_else(tmp_path: Path) -> None:
    whole = OPEN_MPI.with_name("libopen-pal.so.80").read_bytes()
    chance = random.Random(4)
    damaged = tmp_path / "libopen-pal.so.80"
    refused = 0
    for _ in range(60):
        content = bytearray(whole[: chance.randrange(len(whole))])
        for _ in range(20):
            content[chance.randrange(min(len(content), 4096))] ^= 1 << chance.randrange(8)
        damaged.write_bytes(content)
        try:
            object_at(damaged)
        except NotAnObject:
            refused += 1
    assert refused > 30
