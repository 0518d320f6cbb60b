"""Files that lie beside the package in its source tree, and in it once installed."""

from pathlib import Path

PACKAGE = Path(__file__).parent


def shipped(installed: str, source: str) -> Path:
    """Return a directory that comes with this package.

    Args:
        installed: where the wheel has it (pyproject.toml, force-include), below the package.
        source: where the source tree has it, below its root.
    """
    place = PACKAGE / installed
    return place if place.is_dir() else PACKAGE.parents[1] / source
