"""What a real bash completes once it has sourced the script; of other shells the script's own words."""

import re
import subprocess
from pathlib import Path

import pytest

from support import BIN

# As readline calls it: the words so far, and which of them is to be completed.
ASK = """
set -u
source "$1"
shift
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
function=$(complete -p "$1" | sed 's/.* -F \\([^ ]*\\) .*/\\1/')
COMPREPLY=()
"$function" "$1" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("completion") / "espei-hpc"
    path.write_text(_script("bash"))
    return path


def _script(shell: str) -> str:
    words = [str(BIN / "espei-hpc"), "completion", shell]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    return done.stdout


def _completed(script: Path, *words: str) -> list[str]:
    # Without a table: its own directory before all else, as on a user's PATH.
    done = subprocess.run(
        ["bash", "-c", ASK, "bash", script, *words],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": f"{BIN}:/usr/bin:/bin"},
    )
    assert not done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("espei-hpc", "che"), ["check"]),
        (("espei-hpc", "job", "s"), ["slurm"]),
        (("espei-hpc", "plan", "--cores"), ["--cores-per-node"]),
        (("espei-hpc", "job", "slurm", "--kind", "long"), ["long-fit"]),
        (("espei-hpc", "ran"), [""]),
        (("espei-mpi", "--host"), ["--host-mpi"]),
        (("espei-mpi", "--in", "x.yaml", "--res"), ["--restarts"]),
        (("espei-mpi", "--no-such"), [""]),
    ],
)
def test_bash_completes(script: Path, words: tuple[str, ...], found: list[str]) -> None:
    assert _completed(script, *words) == found


def test_every_option_of_espei_mpi_is_completed(script: Path) -> None:
    completed = {word for dash in ("-", "--") for word in _completed(script, "espei-mpi", dash)}
    helped = subprocess.run([BIN / "espei-mpi", "--help"], capture_output=True, text=True, check=True).stdout
    known = set(re.findall(r"(?<!\S)--?[a-z][\w-]*(?=[ ,\n])", helped.partition("Options:")[2]))
    assert known - completed == {"--input"}  # the long form of --in
    assert completed <= known


def test_values_of_espei_mpi_are_left_to_file_names(script: Path) -> None:
    assert _completed(script, "espei-mpi", "--in", "") == [""]


@pytest.mark.parametrize(("shell", "said"), [("zsh", "#compdef espei-hpc"), ("fish", "--command espei-hpc")])
def test_script_names_the_command_to_a_shell_that_is_not_here(shell: str, said: str) -> None:
    script = _script(shell)
    assert said in script
    assert f"_ESPEI_HPC_COMPLETE={shell}_complete" in script
