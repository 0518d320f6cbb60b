"""A fit on a terminal: drawn while it runs, and the terminal is as it was when it is stopped there."""

import os
import pty
import subprocess
import termios
import threading
from pathlib import Path

import pytest

from support import BIN, Commands, environment, wait_until

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


@pytest.mark.quick
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
    drawn = [b"of 20000 iterations", b"log-probability", b"acceptance", b"s an iteration", b"% busy"]
    wait_until(lambda: all(text in terminal.seen for text in drawn), "the display")
    # The script has the terminal, the fit draws on it from the background.
    terminal.press(b"\x03")
    assert fit.wait(timeout=120) == 75, terminal.seen.decode()
    wait_until(lambda: b"stopped by signal 2" in terminal.seen, "the last lines")
    assert terminal.seen.rfind(SHOW) > terminal.seen.rfind(HIDE)
    assert terminal.settings() == before
