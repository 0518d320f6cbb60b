"""A fit on a terminal: drawn while it runs, and the terminal is as it was when it is stopped there."""

import subprocess
from pathlib import Path

import pytest
import yaml

from amounts import mostly_long
from support import PATIENCE, Commands, environment, wait_until
from terminal import HIDE, SHOW, Screen, Terminal, in_control


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
    words = ["espei-mpi", "--in", str(endless_fit), "-n", "3"]
    fit = in_control(words, endless_fit.parent, environment(commands.tag), terminal)
    drawn = [b"of 20000 iterations", b"log-probability", b"acceptance", b"s per iteration", b"% busy"]
    wait_until(lambda: all(text in terminal.seen for text in drawn), "the display")
    # The script has the terminal, the fit draws on it from the background.
    terminal.press(b"\x03")
    assert fit.wait(timeout=120) == 75, terminal.seen.decode()
    wait_until(lambda: b"stopped by signal 2" in terminal.seen, "the last lines")
    assert terminal.seen.rfind(SHOW) > terminal.seen.rfind(HIDE)
    assert terminal.settings() == before
