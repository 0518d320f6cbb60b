"""Dask's configuration for one cluster, independent of the user's.

A ``~/.config/dask`` or ``DASK_*`` variables written for something else can break a
cluster (for example with a connect timeout of a microsecond), so our processes read
only the file written here. Stock ``espei`` connects through ``DASK_CONFIG``.
"""

import logging
import os
from importlib import import_module
from pathlib import Path
from typing import Any

import dask.config
import yaml

from espei_hpc.cluster import tls_errors
from espei_hpc.rundir.cluster_directory import CERTIFICATE, DASK, KEY

PRELOAD = [tls_errors.__name__]
"""For processes that read our settings but run none of our code: LocalCluster's workers, stock ``espei``.

Our own have it from the import above.
"""
TIMEOUT = "60s"
"""Timeout of one connection: a busy login node or file server answers late."""


def settings(directory: Path, *, encrypted: bool) -> dict[str, Any]:
    """Return the configuration of a cluster whose certificates are in ``directory``."""
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
            # Required by ESPEI.
            "scheduler": {"work-stealing": False},
            # The allocation limits a rank's memory; pausing or spilling would only stall it.
            "worker": {
                "memory": {"target": False, "spill": False, "pause": False, "terminate": False},
                "preload": PRELOAD,
            },
            "client": {"preload": PRELOAD},
            # Else stock espei prints a line for the preload.
            "logging": {"distributed.preloading": "warning"},
        }
    }


def write(directory: Path, *, encrypted: bool) -> None:
    """Write the configuration and, if encrypted, a certificate for this cluster only (mode 0600)."""
    if encrypted:
        from distributed.security import Security

        security = Security.temporary()
        _write_private(directory / CERTIFICATE, security.tls_ca_file)
        _write_private(directory / KEY, security.tls_scheduler_key)
    _write_private(directory / DASK, yaml.safe_dump(settings(directory, encrypted=encrypted)))


def use_only(config: Path | None) -> None:
    """Make this process read only ``config``; call this before using distributed.

    Args:
        config: a file written by ``write``; None for an unencrypted cluster that espei-hpc did not start.
    """
    dask.config.refresh(paths=[str(config)] if config else [], env={})
    if config is None:
        dask.config.update(dask.config.config, settings(Path(), encrypted=False))


def silence() -> None:
    """Silence distributed's log lines and tracebacks about connections; espei-hpc prints its own messages."""
    import_module("distributed.config")  # sets log levels when first imported
    for name in list(logging.root.manager.loggerDict):
        if name.split(".")[0] == "distributed":
            logging.getLogger(name).setLevel(logging.CRITICAL)


def _write_private(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
