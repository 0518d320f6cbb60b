"""The container engine, the C library, and what the kernel allows an unprivileged user's container."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from espei_hpc.containers import container
from espei_hpc.doctor.finding import Line, fault, ok, warning
from espei_hpc.doctor.options import Options
from espei_hpc.doctor.running import found, run
from espei_hpc.mpi.host.root import HOST

ENGINES = ("apptainer", "singularity", "podman", "docker")
VERSION_SECONDS = 5.0
ZSTD_KERNEL = (4, 14)
"""The first kernel that can mount an image compressed with zstd, as the images of espei-hpc are."""


def engine(options: Options) -> list[Line]:
    """Report the container around this process and the engines on PATH."""
    topic = "engine"
    here = container(options.environment)
    engines = _engines(options)
    if here or engines:
        versions = ", ".join(_version(name, options.environment) for name in engines)
        return [ok(topic, "; ".join(filter(None, (here and f"inside {here}", versions))))]
    cure = "load the site's apptainer or singularity module to use an image"
    return [warning(topic, "no container engine is on PATH: only this Python environment can be used", cure)]


def libc(options: Options) -> list[Line]:
    """Report the C library of this process and, if visible, of the host."""
    topic = "libc"
    try:
        here = (os.confstr("CS_GNU_LIBC_VERSION") or "unknown").removeprefix("glibc ")
    except ValueError:
        seen = "the C library is not glibc, which the packages of MPI and Dask need"
        return [fault(topic, seen, "use the image")]
    system = os.uname()
    where = "image" if container(options.environment) else "here"
    host = f", host {_libc_version(HOST) or 'unknown'}" if HOST.is_dir() else ""
    seen = f"{where} {here}{host}, {system.machine}, kernel {system.release}"
    if _numbers(system.release) < ZSTD_KERNEL:
        cure = "build the image with gzip, or unpack it (apptainer build --sandbox)"
        return [warning(topic, f"{seen}, which cannot mount an image made with zstd", cure)]
    return [ok(topic, seen)]


def user_namespaces(options: Options) -> list[Line]:
    """Report whether the kernel allows an unprivileged user to create a container."""
    topic = "user namespaces"
    if container(options.environment) and not _engines(options):
        return []
    limits = {
        name: text
        for name in (
            "user/max_user_namespaces",
            "kernel/unprivileged_userns_clone",
            "kernel/apparmor_restrict_unprivileged_userns",
        )
        if (text := _sysctl(name)) is not None
    }
    forbidden = [
        f"{name.replace('/', '.')} = {text}"
        for name, text in limits.items()
        if (text == "0") != ("restrict" in name)
    ]
    if forbidden:
        cure = "use an Apptainer that is installed setuid, or ask the administrators"
        return [warning(topic, f"not allowed for unprivileged users: {', '.join(forbidden)}", cure)]
    if "user/max_user_namespaces" not in limits:
        return [warning(topic, "not known: /proc/sys/user/max_user_namespaces cannot be read")]
    return [ok(topic, f"allowed, at most {limits['user/max_user_namespaces']}")]


def fuse(options: Options) -> list[Line]:
    """Report whether an Apptainer that is not setuid can mount an image."""
    topic = "/dev/fuse"
    if container(options.environment) and not _engines(options):
        return []
    if os.access(topic, os.R_OK | os.W_OK):
        return [ok(topic, "can be opened")]
    seen = "permission denied" if Path(topic).exists() else "does not exist"
    cure = "if Apptainer is not setuid, unpack the image once: apptainer build --sandbox DIRECTORY X.sif"
    return [warning(topic, f"{seen}: Apptainer without setuid would unpack the image for each rank", cure)]


def _engines(options: Options) -> list[str]:
    return [name for name in ENGINES if found(name, options.environment)]


def _version(name: str, environment: Mapping[str, str]) -> str:
    ended = run([name, "--version"], VERSION_SECONDS, environment)
    version = re.search(r"\d+\.\d+[\w.+~-]*", ended.output)
    return f"{name} {version[0]}" if ended.code == 0 and version else f"{name} (version not known)"


def _libc_version(root: Path) -> str | None:
    for pattern in (
        "usr/lib/*-linux-gnu/libc.so.6",
        "usr/lib64/libc.so.6",
        "lib/*-linux-gnu/libc.so.6",
        "lib64/libc.so.6",
    ):
        for path in root.glob(pattern):
            if version := re.search(rb"GNU C Library .* version (\d+\.\d+)", path.read_bytes()):
                return version[1].decode()
    return None


def _sysctl(name: str) -> str | None:
    try:
        return Path("/proc/sys", name).read_text().strip()
    except OSError:
        return None


def _numbers(release: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", release)[:2])
