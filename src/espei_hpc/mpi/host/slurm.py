"""Determine the PMI of srun from its options, variables, configuration and plugins."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from espei_hpc.mpi.host.root import Root

_CONFIGURATIONS = (
    "/etc/slurm/slurm.conf",
    "/run/slurm/conf/slurm.conf",
    "/var/spool/slurmd/conf-cache/slurm.conf",
    "/var/spool/slurm/conf-cache/slurm.conf",
    "/etc/slurm-llnl/slurm.conf",
)
_PLUGINS = ("lib64/slurm", "lib/slurm", "lib/*-linux-gnu/slurm*")


@dataclass(frozen=True)
class SrunPmi:
    """The PMI of srun.

    Attributes:
        pmi: the kind it offers; empty if none, or not known.
        offers: the kinds it has plugins for.
        chosen: whether ``pmi`` is known.
    """

    pmi: tuple[str, ...]
    offers: tuple[str, ...]
    chosen: bool


def pmi(root: Root, srun: PurePosixPath, words: Sequence[str], environment: Mapping[str, str]) -> SrunPmi:
    """Determine the PMI with which srun would start ranks.

    Args:
        root: the host's tree.
        srun: the program.
        words: its command line.
        environment: the host's.
    """
    configuration = _configuration(root, environment)
    offers = tuple(sorted(set(_plugins(root, srun, configuration))))
    kind = _option(words) or environment.get("SLURM_MPI_TYPE")
    if not kind and configuration is not None:
        # Slurm's own default if its configuration sets none.
        kind = _setting(configuration, "MpiDefault") or "none"
    served = (kind,) if kind and kind not in ("none", "openmpi") else ()
    return SrunPmi(served, offers, chosen=kind is not None)


def version(root: Root, srun: PurePosixPath) -> str | None:
    """Return the version of Slurm, from a string in its library."""
    prefix = srun.parent.parent
    for place in _PLUGINS:
        for library in root.glob(prefix / place / "libslurmfull.so"):
            content = root.read_bytes(library) or b""
            if match := re.search(rb"\0(\d\d\.\d\d\.\d+)\0", content):
                return match[1].decode()
    return None


def _option(words: Sequence[str]) -> str | None:
    for word, following in zip(words, [*words[1:], None], strict=True):
        if word.startswith("--mpi="):
            return word.partition("=")[2]
        if word == "--mpi":
            return following
    return None


def _configuration(root: Root, environment: Mapping[str, str]) -> str | None:
    named = environment.get("SLURM_CONF")
    for path in (named, *_CONFIGURATIONS):
        if path and (text := root.read_text(path)) is not None:
            return text
    return None


def _setting(configuration: str, name: str) -> str | None:
    match = re.search(rf"(?mi)^\s*{name}\s*=\s*([^\s#]+)", configuration)
    return match[1] if match else None


def _plugins(root: Root, srun: PurePosixPath, configuration: str | None) -> Iterator[str]:
    named = (_setting(configuration or "", "PluginDir") or "").split(":")
    beside = [str(srun.parent.parent / place) for place in _PLUGINS]
    for directory in (*filter(None, named), *beside):
        for plugin in root.glob(f"{directory}/mpi_*.so"):
            yield plugin.stem.removeprefix("mpi_")
