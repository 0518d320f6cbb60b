"""The engine, the C library and what the kernel grants are told as they are."""

import os
from pathlib import Path

import pytest

from espei_hpc.doctor import engine
from espei_hpc.doctor.finding import Severity
from espei_hpc.doctor.options import Options
from unit.doctor.looking import MOUNTS, USERS, libc, look

UNAME26 = 0x0020000
"""Makes the kernel tell an old release (setarch --uname-2.6)."""


def test_apptainer_around_this_process_is_named_with_its_image(tmp_path: Path) -> None:
    (line,) = engine.engine(Options(tmp_path, environment={"APPTAINER_NAME": "espei.sif", "PATH": ""}))
    assert (line.state, line.seen) == (Severity.OK, "inside Apptainer, image espei.sif")


@pytest.mark.parametrize(
    ("content", "named"), [("", "inside Podman;"), ('engine="podman-4.3.1"\n', "inside Podman 4.3.1;")]
)
def test_podman_around_this_process_is_known_by_its_file(content: str, named: str, tmp_path: Path) -> None:
    (tmp_path / "containerenv").write_text(content)
    setup = f"mount -t tmpfs none /run; cp {tmp_path}/containerenv /run/.containerenv"
    line = look(tmp_path, setup, namespaces=MOUNTS)["engine"]
    assert f"{line.seen};".startswith(named)


@pytest.mark.needs("podman")
def test_engine_on_path_is_named_with_its_version(tmp_path: Path) -> None:
    (line,) = engine.engine(Options(tmp_path))
    assert line.state == Severity.OK
    assert "podman " in line.seen
    assert "not known" not in line.seen


def test_engine_that_cannot_say_its_version_is_named_without(tmp_path: Path) -> None:
    broken = tmp_path / "apptainer"
    broken.write_text("#!/bin/sh\necho cannot open shared object file; exit 127\n")
    broken.chmod(0o755)
    (line,) = engine.engine(Options(tmp_path, environment={"PATH": str(tmp_path)}))
    assert "apptainer (version not known)" in line.seen


def test_without_an_engine_the_module_to_load_is_named(tmp_path: Path) -> None:
    (line,) = engine.engine(Options(tmp_path, environment={"PATH": str(tmp_path)}))
    if Path("/.dockerenv").exists():
        # A machine that says so itself is believed.
        assert line.seen == "inside Docker, as /.dockerenv says"
    else:
        assert line.state == Severity.WARNING
        assert "module" in line.cure


def test_libc_and_kernel_are_this_machine_s(tmp_path: Path) -> None:
    (line,) = engine.libc(Options(tmp_path))
    assert line.state == Severity.OK
    assert os.confstr("CS_GNU_LIBC_VERSION") == f"glibc {line.seen.split()[1].rstrip(',')}"
    assert os.uname().release in line.seen


def test_libc_of_a_host_is_read_from_its_file_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # This machine stands for the host as well.
    monkeypatch.setattr(engine, "HOST", Path("/"))
    (line,) = engine.libc(Options(tmp_path))
    own = (os.confstr("CS_GNU_LIBC_VERSION") or "").removeprefix("glibc ")
    assert f"host {own}," in line.seen


def test_kernel_that_cannot_mount_the_image_is_a_warning(tmp_path: Path) -> None:
    line = look(tmp_path, lambda: libc().personality(UNAME26))["libc"]
    assert line.state == "warning"
    assert "zstd" in line.seen


def test_forbidden_user_namespaces_are_a_warning(tmp_path: Path) -> None:
    setup = "echo 0 > /proc/sys/user/max_user_namespaces"
    line = look(tmp_path, setup, namespaces=USERS)["user namespaces"]
    assert line.state == "warning"
    assert "user.max_user_namespaces = 0" in line.seen


def test_missing_dev_fuse_is_a_warning(tmp_path: Path) -> None:
    null = "touch /mnt/null; mount --bind /dev/null /mnt/null"
    setup = f"mount -t tmpfs none /mnt; {null}; mount --rbind /mnt /dev"
    line = look(tmp_path, setup, namespaces=MOUNTS)["/dev/fuse"]
    assert line.state == "warning"
    assert line.seen.startswith("does not exist")
