"""The examples are what the command writes, and bash finds no fault in them.

They are rewritten by ESPEI_HPC_GOLDEN=write; what changed is then for the author to read.
"""

import difflib
import os
import subprocess
from pathlib import Path

import pytest

from espei_hpc.batch import SUBMISSIONS
from espei_hpc.batch.scripts.kinds import KINDS
from espei_hpc.cli import commands
from support import BIN, ROOT

INPUTS = {"array": ("cu-mg/x.yaml", "al-mg/x.yaml"), "chain": ("generate.yaml", "x.yaml")}
FOLDERS = {f"{system}-examples": (system,) for system in SUBMISSIONS} | {
    f"{system}-examples/{takers.lower()}": (system, "--dialect", dialect)
    for system, submission in SUBMISSIONS.items()
    for dialect, takers in list(submission.dialects.items())[1:]
}
EXAMPLES = {
    f"{folder}/{kind}.{SUBMISSIONS[words[0]].ending}": (*words, "--kind", kind)
    for folder, words in FOLDERS.items()
    for kind in KINDS
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_example_is_what_the_command_writes(
    name: str, inputs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = EXAMPLES[name]
    files = [word for file in INPUTS.get(words[-1], ("x.yaml",)) for word in ("--in", file)]
    commands.main(["job", *words, *files], standalone_mode=False)
    written, golden = capsys.readouterr().out, ROOT / name
    if os.environ.get("ESPEI_HPC_GOLDEN") == "write":
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(written)
    expected = golden.read_text() if golden.exists() else ""
    if written != expected:
        changes = difflib.unified_diff(
            expected.splitlines(), written.splitlines(), golden.name, "now", lineterm=""
        )
        pytest.fail("\n".join(changes), pytrace=False)


def test_no_example_outlives_its_kind() -> None:
    found = {
        str(path.relative_to(ROOT))
        for folder in FOLDERS
        for path in (ROOT / folder).iterdir()
        if path.is_file() and path.name != "README.md"
    }
    assert found == set(EXAMPLES)


def test_readme_names_every_example() -> None:
    for system in SUBMISSIONS:
        text = (ROOT / f"{system}-examples" / "README.md").read_text()
        assert [kind for kind in KINDS if f"{kind}." not in text] == []


@pytest.mark.parametrize(
    "check",
    [["bash", "-n"], [BIN / "shellcheck"], [BIN / "shfmt", "--indent", "4", "--diff"]],
    ids=lambda words: Path(words[0]).name,
)
def test_bash_finds_no_fault_in_any_example(check: list[str | Path]) -> None:
    for name in EXAMPLES:
        done = subprocess.run([*check, ROOT / name], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", EXAMPLES)
def test_three_lines_are_to_change_and_no_more(name: str) -> None:
    text = (ROOT / name).read_text()
    lines = text.splitlines()
    for number in ("1", "2", "3"):
        assert sum(line.startswith(f"# {number}. ") for line in lines) == 1
    assert text.count("my-account") == 1
    assert text.count("espei.sif") == 1
    assert text.count("x.yaml") == len(
        [word for word in INPUTS.get(Path(name).stem, ("x.yaml",)) if "x.yaml" in word]
    )
