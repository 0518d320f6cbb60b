"""The host's file system, seen from inside the container.

It is bound at ``/host``, where the kernel would resolve an absolute link of the
host inside the container. So links are resolved here, within the tree.
"""

import fnmatch
import os
import stat
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

# As in the kernel: more links than this in a path are taken for a loop.
_MOST_LINKS = 40
HOST = Path("/host")
"""Mount point of the host's file system in a container."""


class Root:
    """A file system tree with ``at`` as its ``/``.

    All paths are absolute paths inside the tree. Nothing outside the tree is
    opened; a file that does not exist or cannot be read is reported as absent.

    Args:
        at: path of the tree: ``/host`` in a container, ``/`` for this file system.
    """

    def __init__(self, at: Path) -> None:
        self.at = at.resolve()

    def real(self, path: str | PurePosixPath) -> PurePosixPath | None:
        """Return the path with all links resolved within the tree; None if it does not exist."""
        todo = _parts(path)
        done: list[str] = []
        links = 0
        while todo:
            name = todo.pop(0)
            if name == "..":
                done = done[:-1]
                continue
            here = self._at([*done, name])
            mode = _mode(here)
            if stat.S_ISLNK(mode):
                links += 1
                target = _link(here)
                if links > _MOST_LINKS or not target:
                    return None
                done = [] if target.startswith("/") else done
                todo = _parts(target) + todo
            elif mode == 0 or (todo and not stat.S_ISDIR(mode)):
                return None
            else:
                done.append(name)
        return PurePosixPath("/", *done)

    def local(self, path: str | PurePosixPath) -> Path:
        """Return the path by which this process can open it.

        Raises:
            FileNotFoundError: if it does not exist in the tree.
        """
        real = self.real(path)
        if real is None:
            raise FileNotFoundError(f"{path} does not exist")
        return self._at(_parts(real))

    def exists(self, path: str | PurePosixPath) -> bool:
        """Whether the path exists."""
        return self.real(path) is not None

    def is_dir(self, path: str | PurePosixPath) -> bool:
        """Whether the path is a directory, links followed."""
        return stat.S_ISDIR(self._mode_of(path))

    def is_file(self, path: str | PurePosixPath) -> bool:
        """Whether the path is a regular file, links followed."""
        return stat.S_ISREG(self._mode_of(path))

    def is_program(self, path: str | PurePosixPath) -> bool:
        """Whether the path is a regular file with an execute bit, links followed."""
        mode = self._mode_of(path)
        return stat.S_ISREG(mode) and bool(mode & 0o111)

    def listdir(self, path: str | PurePosixPath) -> tuple[str, ...]:
        """Return the sorted names in a directory; empty if it is not a directory or cannot be read."""
        try:
            return tuple(sorted(os.listdir(self.local(path))))
        except OSError:
            return ()

    def glob(self, pattern: str | PurePosixPath) -> tuple[PurePosixPath, ...]:
        """Return the sorted paths that match a shell pattern, without resolving links."""
        found = [PurePosixPath("/")]
        for part in _parts(pattern):
            found = [path for parent in found for path in self._matches(parent, part)]
        return tuple(path for path in found if self.exists(path))

    def read_bytes(self, path: str | PurePosixPath, most: int = -1) -> bytes | None:
        """Return a regular file's content, or its first ``most`` bytes; None if it cannot be read."""
        # Only regular files: opening a pipe waits for its other end.
        if not self.is_file(path):
            return None
        try:
            with self.local(path).open("rb") as file:
                return file.read(most)
        except OSError:
            return None

    def read_text(self, path: str | PurePosixPath, most: int = -1) -> str | None:
        """Return the same as text; invalid UTF-8 is replaced."""
        content = self.read_bytes(path, most)
        return None if content is None else content.decode(errors="replace")

    def _at(self, parts: list[str]) -> Path:
        return self.at.joinpath(*parts)

    def _mode_of(self, path: str | PurePosixPath) -> int:
        real = self.real(path)
        return 0 if real is None else _mode(self._at(_parts(real)))

    def _matches(self, parent: PurePosixPath, part: str) -> Iterator[PurePosixPath]:
        if not any(character in part for character in "*?["):
            yield parent / part
            return
        for name in self.listdir(parent):
            # As in a shell, only a pattern that begins with a dot matches hidden files.
            hidden = name.startswith(".") and not part.startswith(".")
            if fnmatch.fnmatchcase(name, part) and not hidden:
                yield parent / name


def host_root() -> Root:
    """Return the host's tree: the one mounted in this container, else this machine's."""
    return Root(HOST if HOST.is_dir() else Path("/"))


def _parts(path: str | PurePosixPath) -> list[str]:
    return [part for part in str(path).split("/") if part not in ("", ".")]


def _mode(path: Path) -> int:
    """Return the mode of a path, links not followed; 0 if it does not exist."""
    try:
        return path.lstat().st_mode
    except (OSError, ValueError):  # ValueError: a null byte in a name
        return 0


def _link(path: Path) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""
