"""What a test needs beyond Python: left out, in one line, where it is missing; under CI a failure."""

import ctypes
import os
import shutil
import socket
import ssl
import subprocess
import sysconfig
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NoReturn

import psutil
import pytest

import browser
from espei_hpc.text import counted

MISSING = "missing: "
"""How the reason of each test that is left out begins."""


@dataclass(frozen=True)
class Need:
    """Something of the machine.

    Attributes:
        name: what people call it.
        present: returns something true if it is here.
        cure: Debian's packages that bring it, or how else to get it.
        packaged: whether ``cure`` is a list of packages.
    """

    name: str
    present: Callable[[], object]
    cure: str
    packaged: bool = True


def _programs(*names: str) -> Callable[[], bool]:
    return lambda: all(shutil.which(name) for name in names)


def _compiler() -> bool:
    return bool(shutil.which("c++")) and Path(sysconfig.get_path("include"), "Python.h").exists()


def _reachable() -> bool:
    return any(
        address.family == socket.AF_INET and not address.address.startswith("127.")
        for addresses in psutil.net_if_addrs().values()
        for address in addresses
    )


def _user_namespaces() -> bool:
    words = ("unshare", "--user", "--map-root-user", "--mount", "true")
    return subprocess.run(words, capture_output=True).returncode == 0


def _compiled_solver() -> bool:
    from espei_hpc.likelihood import compiled  # imports ESPEI, which takes seconds

    return not compiled.missing()


def _openssl_functions() -> bool:
    # uv's Pythons have OpenSSL inside, and none of its functions can be called.
    library = getattr(ssl._ssl, "__file__", None)  # type: ignore[attr-defined]
    return library is not None and hasattr(ctypes.CDLL(library), "ERR_set_error")


PYTHONS = ("3.11", "3.12", "3.13")
"""Versions that the project is for."""


def python(version: str) -> Path | None:
    """Return a Python of a version, on PATH or among pyenv's; None where there is none."""
    kept = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser() / "versions"
    on_path = [Path(found)] if (found := shutil.which(f"python{version}")) else []
    known = [*on_path, *sorted(kept.glob(f"{version}.*/bin/python"))]
    # pyenv's names on PATH stand for versions too that are not chosen, and do not start.
    works = (path for path in known if subprocess.run([path, "-c", ""], capture_output=True).returncode == 0)
    return next(works, None)


NEEDS = {
    need.name: need
    for need in (
        *(
            Need(
                f"Python {version}", partial(python, version), f"uv python install {version}", packaged=False
            )
            for version in PYTHONS
        ),
        Need("root", lambda: os.geteuid() == 0, "run make as root", packaged=False),
        # Not in a chroot, and not where the system forbids them to users.
        Need(
            "user namespaces", _user_namespaces, "let `unshare --map-root-user true` succeed", packaged=False
        ),
        Need("an address beyond loopback", _reachable, "a network interface", packaged=False),
        Need("C++ compiler", _compiler, "g++ python3-dev"),
        Need("iproute2", _programs("ip"), "iproute2"),
        Need("Debian's MPIs", _programs("mpirun.openmpi", "mpirun.mpich"), "mpich openmpi-bin"),
        Need("podman", _programs("podman"), "buildah fuse-overlayfs mmdebstrap netavark podman runc uidmap"),
        Need("Docker", _programs("dockerd", "containerd", "/usr/bin/docker"), "docker.io"),
        Need("mmdebstrap", _programs("mmdebstrap"), "mmdebstrap"),
        Need("Apptainer", _programs("apptainer"), ".ci/install-containers", packaged=False),
        Need(
            "Slurm",
            _programs("ip", "munged", "nsenter", "qsub", "setpriv", "slurmctld", "slurmd", "unshare"),
            "iproute2 libpmix-dev munge slurm-wlm slurm-wlm-torque util-linux",
        ),
        Need("Chromium", lambda: browser.found() is not None, "chromium"),
        Need("openssl", _programs("openssl"), "openssl"),
        Need("Python with OpenSSL as a library", _openssl_functions, "Debian's or pyenv's", packaged=False),
        Need(
            "the compiled solver",
            _compiled_solver,
            "make environment, with a C++ compiler",
            packaged=False,
        ),
    )
}


def require(*names: str) -> None:
    """Leave the test that calls this out where something is missing; under CI it fails instead."""
    if lacking := [name for name in names if not NEEDS[name].present()]:
        leave_out(lacking)


def leave_out(lacking: Iterable[str]) -> NoReturn:
    """Leave the test that calls this out for want of things; under CI it fails instead."""
    reason = MISSING + ", ".join(lacking)
    if os.environ.get("CI") == "true":
        pytest.fail(f"{reason} (.ci/run installs it)")
    pytest.skip(reason)


def of(item: pytest.Item) -> list[str]:
    """Return what a test needs by its marks ``needs``."""
    return [name for mark in item.iter_markers("needs") for name in mark.args]


def left_out(reasons: Iterable[str]) -> str:
    """Say in one line what was left out for want of what, and how to get that; empty if nothing was.

    Args:
        reasons: why tests were skipped.
    """
    missing = [reason.split(MISSING)[1] for reason in reasons if MISSING in reason]
    names = sorted({name for one in missing for name in one.split(", ")}, key=list(NEEDS).index)
    if not names:
        return ""
    packages = sorted({word for name in names if NEEDS[name].packaged for word in NEEDS[name].cure.split()})
    cures = [f"apt-get install {' '.join(packages)}"] if packages else []
    cures += [f"{name}: {NEEDS[name].cure}" for name in names if not NEEDS[name].packaged]
    number = counted(len(missing), "test")
    return f"left out: {number}, for lack of {', '.join(names)}. To run them: {'; '.join(cures)}"
