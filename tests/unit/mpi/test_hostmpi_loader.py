"""A library is found by its name where the real loader finds it, from its own cache or configuration."""

import os
import platform
import re
import shutil
import subprocess
from pathlib import Path, PurePosixPath

import pytest

from elf_support import OPEN_MPI, copy, write_at
from espei_hpc.mpi.host.loader import Loader, cached
from espei_hpc.mpi.host.root import Root

LDCONFIG = shutil.which("ldconfig", path=f"{os.environ['PATH']}:/usr/sbin:/sbin") or "ldconfig"
LIBRARY = OPEN_MPI.with_name("libopen-pal.so.80")
NAME = LIBRARY.name


def ldconfig(*options: str) -> str:
    return subprocess.run([LDCONFIG, *options], capture_output=True, text=True, check=True).stdout


def listed(text: str) -> dict[str, list[str]]:
    """Read what ldconfig prints of a cache, without copies for some processors only."""
    found: dict[str, list[str]] = {}
    for name, flags, path in re.findall(r"^\t(\S+) \((.*)\) => (\S+)$", text, re.MULTILINE):
        if "hwcap" not in flags:
            found.setdefault(name, []).append(path)
    return found


def found(root: Path, *extra_search: str) -> str | None:
    library = Loader(Root(root), platform.machine(), extra_search).find(NAME)
    return str(library.path) if library else None


def configure(tree: Path, *directories: str) -> None:
    """Write a configuration of ldconfig, with the library in each directory that it names."""
    (tree / "etc/ld.so.conf.d").mkdir(parents=True)
    (tree / "etc/ld.so.conf").write_text("# where\ninclude /etc/ld.so.conf.d/*.conf\n")
    (tree / "etc/ld.so.conf.d/a.conf").write_text("\n".join(directories) + " # ours\n")
    for directory in directories:
        copy(LIBRARY, tree / directory.lstrip("/") / NAME)


def test_cache_of_this_machine_is_read_as_ldconfig_prints_it() -> None:
    assert cached(Path("/etc/ld.so.cache").read_bytes()) == listed(ldconfig("-p"))


@pytest.mark.parametrize("layout", ["new", "compat"])
def test_cache_of_each_layout_is_read_as_ldconfig_prints_it(layout: str, tmp_path: Path) -> None:
    configure(tmp_path, "/opt/b/lib", "/opt/a/lib")
    ldconfig("-X", "-r", str(tmp_path), "-c", layout)
    cache = tmp_path / "etc/ld.so.cache"
    assert cache.read_bytes().startswith(b"ld.so-1.7.0" if layout == "compat" else b"glibc-ld.so.cache1.1")
    names = cached(cache.read_bytes())
    assert names == listed(ldconfig("-r", str(tmp_path), "-p"))
    assert names == {NAME: ["/opt/b/lib/" + NAME, "/opt/a/lib/" + NAME]}
    assert found(tmp_path) == "/opt/b/lib/" + NAME


def test_copy_for_newer_processors_is_never_chosen(tmp_path: Path) -> None:
    newer = "/opt/a/lib/glibc-hwcaps/x86-64-v2/"
    configure(tmp_path, "/opt/a/lib")
    copy(LIBRARY, tmp_path / newer.lstrip("/") / NAME)
    ldconfig("-X", "-r", str(tmp_path))
    assert newer in ldconfig("-r", str(tmp_path), "-p")
    assert found(tmp_path) == "/opt/a/lib/" + NAME
    assert found(tmp_path, "/opt/a/lib") == "/opt/a/lib/" + NAME


def test_without_a_cache_the_configuration_is_followed_with_its_includes(tmp_path: Path) -> None:
    configure(tmp_path, "/opt/b/lib", "/opt/a/lib")
    assert found(tmp_path) == "/opt/b/lib/" + NAME
    (tmp_path / "opt/b/lib" / NAME).unlink()
    assert found(tmp_path) == "/opt/a/lib/" + NAME


def test_include_relative_to_its_file_is_followed_and_a_loop_of_them_ends(tmp_path: Path) -> None:
    configure(tmp_path, "/opt/a/lib")
    (tmp_path / "etc/ld.so.conf").write_text("include ld.so.conf.d/none ld.so.conf.d/[a-b].conf\n")
    (tmp_path / "etc/ld.so.conf.d/b.conf").write_text("include /etc/ld.so.conf\n")
    assert found(tmp_path) == "/opt/a/lib/" + NAME


def test_cache_that_is_cut_off_is_told_from_an_empty_one_and_passed_over(tmp_path: Path) -> None:
    configure(tmp_path, "/opt/a/lib")
    ldconfig("-X", "-r", str(tmp_path))
    cache = tmp_path / "etc/ld.so.cache"
    whole = cache.read_bytes()
    for length in (0, 10, 30, 60, whole.index(b"/opt/a") + 3):
        assert cached(whole[:length]) is None
        cache.write_bytes(whole[:length])
        assert found(tmp_path) == "/opt/a/lib/" + NAME


def test_with_a_cache_the_configuration_is_not_asked(tmp_path: Path) -> None:
    configure(tmp_path, "/opt/a/lib")
    ldconfig("-X", "-r", str(tmp_path))
    copy(LIBRARY, tmp_path / "opt/new/lib" / NAME)
    (tmp_path / "etc/ld.so.conf").write_text("/opt/new/lib\n")
    assert found(tmp_path) == "/opt/a/lib/" + NAME
    (tmp_path / "opt/a/lib" / NAME).unlink()
    assert found(tmp_path) is None


def test_extra_directories_come_before_the_systems_and_only_absolute_ones(tmp_path: Path) -> None:
    copy(LIBRARY, tmp_path / "usr/lib64" / NAME)
    copy(LIBRARY, tmp_path / "opt/x" / NAME)
    assert found(tmp_path) == "/usr/lib64/" + NAME
    assert found(tmp_path, "", "opt/x", "/none", "/opt/x/") == "/opt/x/" + NAME


def test_search_paths_of_the_needing_object_come_around_the_extra_directories(tmp_path: Path) -> None:
    for directory in ("rpath", "extra", "runpath"):
        copy(LIBRARY, tmp_path / directory / NAME)
    loader = Loader(Root(tmp_path), platform.machine(), ["/extra"])
    order = []
    for _ in range(3):
        library = loader.find(NAME, rpath=["/rpath"], runpath=["/runpath"])
        assert library
        order.append(library.path.parent.name)
        (tmp_path / str(library.path).lstrip("/")).unlink()
        loader = Loader(Root(tmp_path), platform.machine(), ["/extra"])
    assert order == ["rpath", "extra", "runpath"]


def test_library_of_another_architecture_is_passed_over(tmp_path: Path) -> None:
    write_at(copy(LIBRARY, tmp_path / "usr/lib64" / NAME), 18, b"\xf3\x00")
    assert found(tmp_path) is None
    copy(LIBRARY, tmp_path / "usr/lib" / NAME)
    assert found(tmp_path) == "/usr/lib/" + NAME


def test_name_with_a_slash_is_a_path_and_not_searched_for(tmp_path: Path) -> None:
    copy(LIBRARY, tmp_path / "usr/lib" / NAME)
    loader = Loader(Root(tmp_path), platform.machine())
    library = loader.find("/usr/lib/" + NAME)
    assert library
    assert library.path == PurePosixPath("/usr/lib") / NAME
    assert loader.find("lib/" + NAME) is None
