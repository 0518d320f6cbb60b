"""The host's file system is read as the host sees it, and nothing outside it ever is."""

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

import pytest

from espei_hpc.mpi.host.root import Root


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Make a host's tree with a secret beside it."""
    (tmp_path / "secret").write_text("not the host's")
    tree = tmp_path / "host"
    (tree / "usr/lib").mkdir(parents=True)
    (tree / "usr/lib/libx.so.1.2").write_text("x")
    return tree


def link(tree: Path, name: str, target: str) -> None:
    (tree / name).parent.mkdir(parents=True, exist_ok=True)
    (tree / name).symlink_to(target)


def test_absolute_link_leads_to_the_trees_own_file(tree: Path) -> None:
    link(tree, "etc/alternatives/x", "/usr/lib/libx.so.1.2")
    link(tree, "usr/lib/libx.so", "/etc/alternatives/x")
    assert Root(tree).real("/usr/lib/libx.so") == PurePosixPath("/usr/lib/libx.so.1.2")
    assert Root(tree).local("/usr/lib/libx.so") == tree / "usr/lib/libx.so.1.2"


def test_link_in_the_middle_of_a_path_is_followed(tree: Path) -> None:
    link(tree, "lib", "usr/lib")
    link(tree, "opt/mpi", "/lib/../lib")
    assert Root(tree).real("/opt/mpi/libx.so.1.2") == PurePosixPath("/usr/lib/libx.so.1.2")


def test_parent_of_a_link_is_that_of_its_target(tree: Path) -> None:
    link(tree, "opt/lib", "/usr/lib")
    assert Root(tree).real("/opt/lib/..") == PurePosixPath("/usr")


@pytest.mark.parametrize("target", ["../../../../secret", "../secret", "/../secret"])
def test_link_that_would_lead_out_of_the_tree_stays_in_it(target: str, tree: Path) -> None:
    link(tree, "out", target)
    root = Root(tree)
    assert root.real("/out") is None
    assert root.read_text("/out") is None
    (tree / "secret").write_text("the host's")
    assert root.read_text("/out") == "the host's"


def test_link_to_a_place_of_this_machine_finds_nothing(tree: Path) -> None:
    link(tree, "out", str(tree.parent / "secret"))
    assert (tree / "out").exists()
    assert not Root(tree).exists("/out")
    with pytest.raises(FileNotFoundError, match="/out"):
        Root(tree).local("/out")


def test_loop_of_links_is_absent(tree: Path) -> None:
    link(tree, "a", "b")
    link(tree, "b", "/a")
    assert Root(tree).real("/a") is None
    assert Root(tree).listdir("/a/c") == ()


@pytest.mark.parametrize("path", ["/usr/lib/libx.so.1.2/..", "/usr/lib/libx.so.1.2/x", "/none/..", "/a\0b"])
def test_path_that_the_kernel_would_not_follow_is_absent(path: str, tree: Path) -> None:
    assert Root(tree).real(path) is None


@pytest.mark.parametrize("path", ["/", "//", "/..", "/usr/.."])
def test_root_of_the_tree_is_its_own_parent(path: str, tree: Path) -> None:
    assert Root(tree).real(path) == PurePosixPath("/")
    assert Root(tree).listdir(path) == ("usr",)


def test_kinds_of_file_are_told_apart_through_links(tree: Path) -> None:
    link(tree, "bin/x", "/usr/lib/libx.so.1.2")
    link(tree, "lib", "usr/lib")
    root = Root(tree)
    assert root.is_dir("/lib")
    assert not root.is_file("/lib")
    assert root.is_file("/bin/x")
    assert not root.is_program("/bin/x")
    (tree / "usr/lib/libx.so.1.2").chmod(0o755)
    assert root.is_program("/bin/x")
    assert not root.is_program("/lib")


def test_directory_that_cannot_be_listed_has_no_names(tree: Path) -> None:
    root = Root(tree)
    assert root.listdir("/usr/lib/libx.so.1.2") == ()
    assert root.listdir("/none") == ()


@pytest.fixture
def nobody() -> Iterator[Path]:
    """Become an ordinary user, whom modes hold back, with a directory that this user can reach."""
    with TemporaryDirectory() as directory:
        Path(directory).chmod(0o755)
        user = os.geteuid()
        if user == 0:
            os.seteuid(65534)
        try:
            yield Path(directory)
        finally:
            os.seteuid(user)


def test_what_may_not_be_read_is_skipped(nobody: Path) -> None:
    user, may_change = os.geteuid(), os.getuid()
    os.seteuid(may_change)
    for name, mode in (("closed", 0o000), ("listed", 0o444), ("file", 0o000)):
        path = nobody / name
        path.touch() if name == "file" else path.mkdir()
        if path.is_dir():
            (path / "inside").touch()
        path.chmod(mode)
    os.seteuid(user)
    root = Root(nobody)
    assert root.listdir("/closed") == ()
    assert root.real("/closed/inside") is None
    assert root.listdir("/listed") == ("inside",)
    assert root.real("/listed/inside") is None
    assert root.glob("/*/inside") == ()
    assert root.is_file("/file")
    assert root.read_bytes("/file") is None


def test_name_that_is_too_long_is_absent(tree: Path) -> None:
    assert not Root(tree).exists("/" + "x" * 5000)


def test_pipe_is_not_waited_for(tree: Path) -> None:
    os.mkfifo(tree / "pipe")
    assert Root(tree).exists("/pipe")
    assert Root(tree).read_bytes("/pipe") is None


def test_beginning_of_a_file_is_read_as_text_whatever_it_holds(tree: Path) -> None:
    (tree / "x").write_bytes(b"#!/bin/sh\n\xff\xfe")
    assert Root(tree).read_text("/x", most=9) == "#!/bin/sh"
    assert Root(tree).read_bytes("/x") == b"#!/bin/sh\n\xff\xfe"
    assert Root(tree).read_text("/x") == "#!/bin/sh\n\ufffd\ufffd"


def test_glob_matches_in_every_part_and_not_hidden_files(tree: Path) -> None:
    for name in ("opt/b/lib/liba.so", "opt/a/lib/liba.so", "opt/.c/lib/liba.so", "opt/a/lib/note"):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).touch()
    found = Root(tree).glob("/opt/*/lib/lib[a-z].so")
    assert [str(path) for path in found] == ["/opt/a/lib/liba.so", "/opt/b/lib/liba.so"]
    assert Root(tree).glob("/opt/.*/lib/*") == (PurePosixPath("/opt/.c/lib/liba.so"),)
    assert Root(tree).glob("/opt/a/none") == ()


def test_glob_follows_links_within_the_tree(tree: Path) -> None:
    link(tree, "lib64", "/usr/lib")
    link(tree, "usr/lib/dangling.so", "/none")
    assert Root(tree).glob("/lib*/*") == (PurePosixPath("/lib64/libx.so.1.2"),)


def test_this_machines_own_tree_is_seen_as_the_kernel_sees_it() -> None:
    root = Root(Path("/"))
    for directory in ("/etc/alternatives", "/usr/bin", "/lib"):
        for name in root.listdir(directory):
            path = Path(directory, name)
            assert root.exists(path.as_posix()) == path.exists(), path
            if path.exists():
                assert str(root.real(path.as_posix())) == os.path.realpath(path)
