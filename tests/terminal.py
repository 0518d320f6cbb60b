"""A pseudo terminal for tests: what a user sees on it and types into it."""

import os
import pty
import re
import subprocess
import sys
import termios
import threading
from pathlib import Path

HIDE, SHOW = b"\x1b[?25l", b"\x1b[?25h"
# Ctrl-C is a signal to those whose terminal it is: the command has to have it for its own.
CONTROLLED = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execvp(sys.argv[1], sys.argv[1:])
"""


class Terminal:
    """A pseudo terminal, of which all that is written to it is kept."""

    def __init__(self) -> None:
        self.seen = b""
        self._ours, self.theirs = pty.openpty()
        termios.tcsetwinsize(self._ours, (40, 100))
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        while True:
            try:
                self.seen += os.read(self._ours, 65536)
            except OSError:  # nobody has its other end any more
                return

    def press(self, key: bytes) -> None:
        """Press a key."""
        os.write(self._ours, key)

    def settings(self) -> list[object]:
        """Return what the terminal's driver does with what is typed and shown."""
        return termios.tcgetattr(self._ours)


class Screen:
    """What a terminal shows in the end, above what fits on it, too; as far as a display needs it."""

    def __init__(self, written: bytes) -> None:
        self.lines = [""]
        self._row = self._column = 0
        for piece in re.findall(r"\x1b\[[\d;?]*[A-Za-z]|[\r\n]|[^\x1b\r\n]+", written.decode()):
            self._take(piece)

    def _take(self, piece: str) -> None:
        if piece == "\r":
            self._column = 0
        elif piece == "\n":
            self._row += 1
            self.lines += [""] * (self._row + 1 - len(self.lines))
        elif up := re.fullmatch(r"\x1b\[(\d+)A", piece):
            self._row -= int(up[1])
        elif piece == "\x1b[2K":
            self.lines[self._row] = ""
        elif not piece.startswith("\x1b"):
            line, end = self.lines[self._row].ljust(self._column), self._column + len(piece)
            self.lines[self._row] = line[: self._column] + piece + line[end:]
            self._column = end


def in_control(
    words: list[str], directory: Path, env: dict[str, str], terminal: Terminal
) -> "subprocess.Popen[bytes]":
    """Start a command that has the terminal for its own, so that the keys pressed there are signals to it."""
    return subprocess.Popen(
        [sys.executable, "-c", CONTROLLED, *words],
        cwd=directory,
        env=env | {"TERM": "xterm-256color"},
        stdin=terminal.theirs,
        stdout=terminal.theirs,
        stderr=terminal.theirs,
        start_new_session=True,
    )
