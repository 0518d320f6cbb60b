"""Detecting the container in which a process runs."""

import re
from collections.abc import Mapping
from pathlib import Path


def container(environment: Mapping[str, str]) -> str | None:
    """Return the container in which this process runs; None outside a container, or if it is not detected."""
    return _of_the_host(environment) or _of_its_own()


def sif(environment: Mapping[str, str]) -> str | None:
    """Return the Apptainer image in which this process runs, by its name on the host; None elsewhere."""
    return environment.get("APPTAINER_CONTAINER") or environment.get("SINGULARITY_CONTAINER")


def named_container(environment: Mapping[str, str]) -> str:
    """Return the container if it has its own hostname, which is not reachable from outside; empty if not.

    Apptainer keeps the hostname of the host.
    """
    return "" if _of_the_host(environment) else (_of_its_own() or "").partition(",")[0]


def option_to_write(environment: Mapping[str, str]) -> str:
    """Return with which option podman or docker lets a container write the user's files; empty elsewhere.

    Without root podman gives users of a container other numbers than on the host, unless told to keep them.
    """
    engine = named_container(environment).partition(" ")[0].lower()
    if engine not in ("podman", "docker"):
        return ""
    renumbered = engine == "podman" and not _sees_users_as_the_host()
    option = "--userns=keep-id" if renumbered else '--user "$(id -u):$(id -g)"'
    return f"{option} to {engine} run"


def _sees_users_as_the_host() -> bool:
    """Whether this process is in no user namespace, so that users have the numbers of the host."""
    first = Path("/proc/self/uid_map").read_text().split()
    return first[:3] == ["0", "0", str(2**32 - 1)]


def _of_the_host(environment: Mapping[str, str]) -> str | None:
    for engine, variable in (("Apptainer", "APPTAINER_NAME"), ("Singularity", "SINGULARITY_NAME")):
        if name := environment.get(variable):
            return f"{engine}, image {name}"
    return None


def _of_its_own() -> str | None:
    marker = Path("/run/.containerenv")
    if marker.exists():
        # Podman fills the file only for privileged containers.
        version = re.search(r'engine="podman-(.*)"', marker.read_text())
        return f"Podman {version[1]}" if version else "Podman"
    return "Docker, as /.dockerenv says" if Path("/.dockerenv").exists() else None
