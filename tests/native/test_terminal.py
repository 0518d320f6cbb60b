"""A fit on a terminal: drawn while it runs, and the terminal is as it was when it is stopped there."""

import os
import pty
import re
import subprocess
import termios
import threading
from pathlib import Path

import pytest
import yaml

from amounts import mostly_long
from support import BIN, PATIENCE, Commands, environment, wait_until

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


@pytest.mark.parametrize("words", mostly_long("espei-mpi -n 3", "espei-hpc fit --local -w 1"))
def test_bar_stands_once_and_every_line_has_a_place_of_its_own(
    words: str, commands: Commands, small_fit: Path
) -> None:
    settings = yaml.safe_load(small_fit.read_text())
    settings["output"]["verbosity"] = 1
    small_fit.write_text(yaml.safe_dump(settings))
    terminal = Terminal()
    fit = subprocess.Popen(
        [*words.split(), str(small_fit)],
        cwd=small_fit.parent,
        env=environment(commands.tag) | {"TERM": "xterm-256color"},
        stdin=subprocess.DEVNULL,
        stdout=terminal.theirs,
        stderr=terminal.theirs,
        start_new_session=True,
    )
    assert fit.wait(timeout=PATIENCE) == 0, terminal.seen.decode()
    wait_until(lambda: b"lnprob.npy" in terminal.seen, "the last lines")
    lines = Screen(terminal.seen).lines
    assert len([line for line in lines if "of 30 iterations," in line]) == 1, "\n".join(lines)
    assert len([line for line in lines if "Fit time" in line]) == 1
    logged = next(place for place, line in enumerate(lines) if "Fit time" in line)
    assert "━" in lines[logged + 1]


def test_fit_is_drawn_on_a_terminal_and_ctrl_c_leaves_it_clean(commands: Commands, endless_fit: Path) -> None:
    terminal = Terminal()
    before = terminal.settings()
    words = [str(BIN / "python"), "-c", CONTROLLED, "espei-mpi", "--in", str(endless_fit), "-n", "3"]
    fit = subprocess.Popen(
        words,
        cwd=endless_fit.parent,
        env=environment(commands.tag) | {"TERM": "xterm-256color"},
        stdin=terminal.theirs,
        stdout=terminal.theirs,
        stderr=terminal.theirs,
        start_new_session=True,
    )
    drawn = [b"of 20000 iterations", b"log-probability", b"acceptance", b"s per iteration", b"% busy"]
    wait_until(lambda: all(text in terminal.seen for text in drawn), "the display")
    # The script has the terminal, the fit draws on it from the background.
    terminal.press(b"\x03")
    assert fit.wait(timeout=120) == 75, terminal.seen.decode()
    wait_until(lambda: b"stopped by signal 2" in terminal.seen, "the last lines")
    assert terminal.seen.rfind(SHOW) > terminal.seen.rfind(HIDE)
    assert terminal.settings() == before
