"""Whether the host's libraries load in the image is told beforehand, as the real loader does afterwards."""

import dataclasses
import platform
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from elf_support import (
    MPICH,
    MPIS,
    SYSTEM,
    ask_for_executable_stack,
    copy,
    interpreter,
    loaded,
    make_weak,
    patch,
)
from espei_hpc.mpi.host.closure import closure, plugins
from espei_hpc.mpi.host.elf import read
from espei_hpc.mpi.host.libc import Versions, image_libc, lacking, to_bind
from espei_hpc.mpi.host.root import Root

HERE = Root(Path("/"))
C_LIBRARY = ("libc.so.6", "libm.so.6", "libpthread.so.0", "libdl.so.2", "librt.so.1", "libutil.so.1")


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """Make an image's tree of this machine's own C library and of libraries that images hold."""
    for name in (*C_LIBRARY, "libz.so.1", "libudev.so.1"):
        copy(SYSTEM / name, tmp_path / "image/usr/lib" / name)
    loader = interpreter()
    copy(loader, tmp_path / "image/usr/lib" / loader.name)
    return tmp_path / "image"


@pytest.fixture
def mpi(tmp_path: Path) -> Path:
    """Make a copy of a real MPI with its own libraries beside it."""
    for path in [MPICH, *MPICH.parent.glob("mpich/lib*.so.*")]:
        copy(path, tmp_path / "mpi" / path.name)
    return tmp_path / "mpi/libmpi.so.12"


def offered_by(image: Path) -> Versions:
    return image_libc(Root(image))


def told(library: Path, offered: Versions, extra_search: Sequence[str] = ()) -> list[str]:
    return lacking(closure(HERE, [library.as_posix()], extra_search), offered)


def complaints(library: Path, libraries: Path) -> set[tuple[str, str, str]]:
    """Return for which object the real loader misses which version when it takes a directory's libraries."""
    words = [interpreter(), "--library-path", libraries, "--list", library]
    run = subprocess.run(list(map(str, words)), capture_output=True, text=True, check=False)
    missed = r"((?:weak )?version) `(\S+)' not found \(required by (\S+)\)"
    return set(re.findall(missed, run.stdout + run.stderr))


def loads(library: Path) -> tuple[bool, str]:
    """Load a library for real, in a process of its own."""
    program = "import ctypes, sys; ctypes.CDLL(sys.argv[1])"
    words = [sys.executable, "-c", program, str(library)]
    run = subprocess.run(words, capture_output=True, text=True, check=False)
    return run.returncode == 0, run.stderr


def test_image_offers_what_its_c_library_says_it_is() -> None:
    offered = image_libc()
    assert offered.newest["GLIBC"] == tuple(map(int, platform.libc_ver()[1].split(".")))
    assert offered.machine == platform.machine()
    libc = offered.copy("libc.so.6")
    assert libc
    assert Path(libc.path).samefile(SYSTEM / "libc.so.6")
    assert offered.copy("libnone.so.1") is None


def test_image_without_a_library_offers_nothing_of_its_kind(image: Path) -> None:
    assert set(offered_by(image).newest) == {"GLIBC"}
    copy(Path(str(loaded(SYSTEM / "libstdc++.so.6")["libgcc_s.so.1"])), image / "usr/lib/libgcc_s.so.1")
    assert set(offered_by(image).newest) == {"GLIBC", "GCC"}
    copy(SYSTEM / "libstdc++.so.6", image / "usr/lib/libstdc++.so.6")
    assert set(offered_by(image).newest) == {"GLIBC", "GCC", "GLIBCXX", "CXXABI"}


@pytest.mark.parametrize("library", MPIS, ids=str)
def test_mpi_of_this_machine_lacks_nothing_on_it_and_loads(library: Path) -> None:
    assert told(library, image_libc()) == []
    assert loads(library) == (True, "")


def test_need_of_a_too_new_c_library_is_told_and_the_real_loader_refuses_it(mpi: Path) -> None:
    patch(mpi.with_name("libucs.so.0"), "GLIBC_2.14", "GLIBC_9.99")
    (line,) = told(mpi, image_libc())
    number = platform.libc_ver()[1]
    needs = f"libucs.so.0 ({mpi.parent}/libucs.so.0) needs GLIBC_9.99 of libc.so.6"
    assert line == f"{needs}; the image's has GLIBC_{number}"
    works, error = loads(mpi)
    assert not works
    assert re.search(r"`GLIBC_9\.99' not found \(required by \S+/libucs\.so\.0\)", error)


@pytest.mark.parametrize("library", MPIS, ids=str)
@pytest.mark.parametrize("version", ["GLIBC_2.2.5", "GLIBC_2.14", "GLIBC_2.27", "GLIBC_2.34"])
def test_older_image_lacks_for_an_object_what_the_real_loader_misses(
    version: str, library: Path, image: Path
) -> None:
    # A real C library that has all versions but one.
    for name in C_LIBRARY:
        if b"\0" + version.encode() + b"\0" in (image / "usr/lib" / name).read_bytes():
            patch(image / "usr/lib" / name, version, version.replace("GLIBC_2", "GLIBC_0"))
    missed = complaints(library, image / "usr/lib")
    of = closure(HERE, [library.as_posix()])
    lines = lacking(of, offered_by(image))
    ours = {str(item.path) for item in to_bind(of, offered_by(image))}
    assert {path for _, _, path in missed if path in ours} == {
        path for path in ours if any(f"({path}) needs {version} of " in line for line in lines)
    }
    assert {(word, name) for word, name, path in missed if path in ours} <= {("version", version)}


def test_c_librarys_part_that_the_image_does_not_hold_is_told(mpi: Path, image: Path) -> None:
    (image / "usr/lib/librt.so.1").unlink()
    lines = told(mpi, offered_by(image))
    assert lines
    assert all("needs librt.so.1, which is not in the image" in line for line in lines)
    assert any(line.startswith(f"libmpi.so.12 ({mpi})") for line in lines)


def test_library_missing_on_the_host_is_told_unless_the_image_has_it(mpi: Path, image: Path) -> None:
    patch(mpi, "libuct.so.0", "libnone.1")
    (line,) = told(mpi, offered_by(image))
    assert "needs libnone.1, which is not in the image and cannot be bound from the host" in line
    copy(SYSTEM / "libz.so.1", image / "usr/lib/libnone.1")
    assert told(mpi, offered_by(image)) == []


def test_image_without_the_gnu_c_library_is_told(mpi: Path, tmp_path: Path) -> None:
    offered = offered_by(tmp_path / "empty")
    assert offered.newest == {}
    assert any("needs libc.so.6, which is not in the image" in line for line in told(mpi, offered))


def test_library_for_another_architecture_is_told_with_both(mpi: Path) -> None:
    offered = dataclasses.replace(image_libc(), machine="riscv64")
    for line in told(mpi, offered):
        assert line.endswith(f"is built for {platform.machine()}, the image for riscv64")
    assert told(mpi, offered)


def test_executable_stack_is_told_for_images_that_refuse_it(mpi: Path) -> None:
    ask_for_executable_stack(mpi)
    offered = image_libc()
    before = dataclasses.replace(offered, newest={"GLIBC": (2, 40)})
    since = dataclasses.replace(offered, newest={"GLIBC": (2, 41)})
    assert told(mpi, before) == []
    (line,) = told(mpi, since)
    assert line.startswith(f"libmpi.so.12 ({mpi}) needs an executable stack")


def test_lack_of_what_is_needed_only_weakly_is_none_as_for_the_real_loader(mpi: Path) -> None:
    library = mpi.with_name("libucs.so.0")
    make_weak(library, "GLIBC_2.14")
    patch(library, "GLIBC_2.14", "GLIBC_9.99")
    assert told(mpi, image_libc()) == []
    assert complaints(mpi, mpi.parent) == {("weak version", "GLIBC_9.99", str(library))}


def test_plugin_that_cannot_load_in_the_image_is_told_on_its_own(mpi: Path) -> None:
    there = mpi.parent / "ucx"
    for path in MPICH.parent.glob("mpich/ucx/lib*.so.0"):
        copy(path, there / path.name)
    of = closure(HERE, [mpi.as_posix()])

    def lines() -> dict[str, list[str]]:
        found = plugins(HERE, [str(there)], of)
        return {plugin.libraries[0].name: lacking(plugin, image_libc()) for plugin in found}

    # A machine without InfiniBand has no libibverbs for the plugin that needs it.
    before = lines()
    assert before.pop("libuct_cma.so.0") == []
    patch(there / "libuct_cma.so.0", "GLIBC_2.15", "GLIBC_9.99")
    after = lines()
    (line,) = after.pop("libuct_cma.so.0")
    assert "needs GLIBC_9.99 of libc.so.6" in line
    assert lacking(of, image_libc()) == []
    assert after
    assert after == before


def test_what_a_plugin_reaches_is_bound_for_it(mpi: Path) -> None:
    there = mpi.parent / "ucx"
    copy(MPICH.parent / "mpich/ucx/libuct_cma.so.0", there / "libuct_cma.so.0")
    (plugin,) = plugins(HERE, [str(there)], closure(HERE, [mpi.as_posix()]))
    names = [item.name for item in to_bind(plugin, image_libc())]
    assert names[0] == "libuct_cma.so.0"
    assert "libucs.so.0" in names
    assert "libmpi.so.12" not in names


@pytest.fixture
def runtime(tmp_path: Path, image: Path) -> Path:
    """Make copies of a real library and of one whose versions it needs, the latter in the image, too."""
    gcc = Path(str(loaded(SYSTEM / "libstdc++.so.6")["libgcc_s.so.1"]))
    copy(gcc, image / "usr/lib/libgcc_s.so.1")
    copy(gcc, tmp_path / "host/libgcc_s.so.1")
    return copy(SYSTEM / "libstdc++.so.6", tmp_path / "host/libx.so.1")


def bound(library: Path, image: Path) -> tuple[list[str], list[str]]:
    """Return the names to be bound, with the library's own directory searched, and what is lacking."""
    of = closure(HERE, [library.as_posix()], [str(library.parent)])
    return [item.name for item in to_bind(of, offered_by(image))], lacking(of, offered_by(image))


def test_image_keeps_its_own_copy_where_that_has_all_versions_asked_for(runtime: Path, image: Path) -> None:
    assert "GCC_4.2.0" in read(HERE, runtime.as_posix()).requires["libgcc_s.so.1"]
    assert bound(runtime, image) == (["libx.so.1"], [])


def test_hosts_copy_is_bound_where_the_images_is_too_old(runtime: Path, image: Path) -> None:
    patch(image / "usr/lib/libgcc_s.so.1", "GCC_7.0.0", "GCC_4.2.0")
    patch(runtime, "GCC_4.2.0", "GCC_7.0.0")
    assert bound(runtime, image) == (["libx.so.1", "libgcc_s.so.1"], [])


def test_hosts_copy_that_would_hide_versions_of_the_images_is_told(runtime: Path, image: Path) -> None:
    patch(image / "usr/lib/libgcc_s.so.1", "GCC_7.0.0", "GCC_4.2.0")
    patch(runtime.with_name("libgcc_s.so.1"), "GCC_4.8.0", "GCC_7.0.0")
    patch(runtime, "GCC_4.2.0", "GCC_7.0.0")
    names, (line,) = bound(runtime, image)
    assert names == ["libx.so.1", "libgcc_s.so.1"]
    assert line.endswith("but lacks GCC_4.8.0 itself")


def test_needs_of_a_copy_left_to_the_image_are_neither_bound_nor_missed(runtime: Path, image: Path) -> None:
    patch(runtime.with_name("libgcc_s.so.1"), "libc.so.6", "libz.so.7")
    patch(copy(SYSTEM / "libz.so.1", runtime.with_name("libz.so.7")), "GLIBC_2.14", "GLIBC_9.99")
    assert bound(runtime, image) == (["libx.so.1"], [])
    patch(image / "usr/lib/libgcc_s.so.1", "GCC_7.0.0", "GCC_4.2.0")
    patch(runtime, "GCC_4.2.0", "GCC_7.0.0")
    names, lines = bound(runtime, image)
    assert names == ["libx.so.1", "libgcc_s.so.1", "libz.so.7"]
    assert any(line.startswith("libz.so.7 ") and "needs GLIBC_9.99" in line for line in lines)


def test_what_belongs_to_mpi_or_to_the_network_is_always_the_hosts(mpi: Path, image: Path) -> None:
    own = [path.name for path in mpi.parent.iterdir()]
    for name in own:
        copy(mpi.with_name(name), image / "usr/lib" / name)
    of = closure(HERE, [mpi.as_posix()])
    assert read(HERE, mpi.with_name("libfabric.so.1").as_posix()).defines
    assert {item.name for item in to_bind(of, offered_by(image))} == {item.name for item in of.objects}
    assert lacking(of, offered_by(image)) == []
