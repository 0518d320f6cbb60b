"""Dask's configuration for one cluster: this run's own, never the user's.

A ``~/.config/dask`` or ``DASK_*`` variables made for something else can break a
cluster (a connect time-out of a microsecond, for one), so our processes read
nothing but the file written here. Stock ``espei`` joins by ``DASK_CONFIG``.
"""

import logging
import os
from importlib import import_module
from pathlib import Path
from typing import Any

import dask.config
import yaml

from espei_hpc.rundir.cluster_directory import CERTIFICATE, DASK, KEY

TIMEOUT = "60s"
"""Patience of one connection: a busy login node or file server answers late."""


def settings(directory: Path, *, encrypted: bool) -> dict[str, Any]:
    """Return the configuration of a cluster whose certificates lie in ``directory``."""
    comm: dict[str, Any] = {"timeouts": {"connect": TIMEOUT, "tcp": TIMEOUT}}
    if encrypted:
        files = {"key": str(directory / KEY), "cert": str(directory / CERTIFICATE)}
        comm |= {
            "default-scheme": "tls",
            "require-encryption": True,
            "tls": {
                "ca-file": str(directory / CERTIFICATE),
                "scheduler": files,
                "worker": files,
                "client": files,
            },
        }
    return {
        "distributed": {
            "comm": comm,
            # As ESPEI demands.
            "scheduler": {"work-stealing": False},
            # A rank has the memory of its allocation; pausing or spilling would only stall it.
            "worker": {"memory": {"target": False, "spill": False, "pause": False, "terminate": False}},
        }
    }


def write(directory: Path, *, encrypted: bool) -> None:
    """Write configuration and, if encrypted, a certificate made for this cluster alone (files 0600)."""
    if encrypted:
        from distributed.security import Security

        security = Security.temporary()
        _write_private(directory / CERTIFICATE, security.tls_ca_file)
        _write_private(directory / KEY, security.tls_scheduler_key)
    _write_private(directory / DASK, yaml.safe_dump(settings(directory, encrypted=encrypted)))


def use_only(config: Path | None) -> None:
    """Make this process read only ``config``; call before anything of distributed is used.

    Args:
        config: a file that ``write`` made; None for a cluster that is not encrypted and not ours.
    """
    dask.config.refresh(paths=[str(config)] if config else [], env={})
    if config is None:
        dask.config.update(dask.config.config, settings(Path(), encrypted=False))


def silence() -> None:
    """Keep distributed's lines and tracebacks about connections from the user, who gets ours."""
    import_module("distributed.config")  # which sets its levels when it is first imported
    for name in list(logging.root.manager.loggerDict):
        if name.split(".")[0] == "distributed":
            logging.getLogger(name).setLevel(logging.CRITICAL)


def _write_private(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
