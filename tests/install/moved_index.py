"""A package index as it is some time after the lock was made: with made-up newer releases."""

import base64
import hashlib
import zipfile
from collections.abc import Iterable
from pathlib import Path

NEWER = "99999.0"
"""Newer than any release there will be."""
BREAKS = "raise ImportError('this release is broken')\n"


def add_newer(directory: Path, names: Iterable[str], code: str = BREAKS) -> None:
    """Add a newer release of packages, which as pip's ``find-links`` stand beside those of the real index."""
    for name in names:
        wheel(directory, name, NEWER, code)


def wheel(directory: Path, name: str, version: str, code: str = "") -> Path:
    """Make a wheel of one module."""
    module = name.replace("-", "_")
    about = f"{module}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nProvides-Extra: toml\n"
    files = {
        f"{module}.py": code,
        f"{about}/METADATA": metadata,
        f"{about}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    lines = [f"{path},sha256={_digest(text)},{len(text.encode())}" for path, text in files.items()]
    files[f"{about}/RECORD"] = "\n".join([*lines, f"{about}/RECORD,,", ""])
    path = directory / f"{module}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for inside, text in files.items():
            archive.writestr(inside, text)
    return path


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


def locked(path: Path) -> str:
    """Return the line that locks a wheel by its hash."""
    module, version = path.name.split("-")[:2]
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return f"{module.replace('_', '-')}=={version} --hash=sha256:{digest}\n"
