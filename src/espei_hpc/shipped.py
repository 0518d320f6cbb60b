"""Files that are next to the package in the source tree, and inside it once installed."""

from pathlib import Path

PACKAGE = Path(__file__).parent


def shipped(installed: str, source: str) -> Path:
    """Return a directory that comes with this package.

    Args:
        installed: its path in the wheel (pyproject.toml, force-include), relative to the package.
        source: its path in the source tree, relative to the root.
    """
    place = PACKAGE / installed
    return place if place.is_dir() else PACKAGE.parents[1] / source
