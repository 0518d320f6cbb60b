"""What runs on GitHub and before a commit is there, and is what runs here."""

import re
import tomllib
from typing import Any

import pytest
import yaml

from needs import PYTHONS
from support import ROOT

WORKFLOWS = {path.stem: yaml.safe_load(path.read_text()) for path in (ROOT / ".github/workflows").iterdir()}
TARGETS = {
    target
    for file in [ROOT / "Makefile", *ROOT.glob("*.mk")]
    for target in re.findall(r"^([a-z][\w-]*):", file.read_text(), re.MULTILINE)
}


def _steps(workflow: str) -> list[dict[str, Any]]:
    return [step for job in WORKFLOWS[workflow]["jobs"].values() for step in job["steps"]]


def _commands(workflow: str) -> list[str]:
    return [step["run"] for step in _steps(workflow) if "run" in step]


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_every_target_and_script_that_a_workflow_runs_is_there(workflow: str) -> None:
    text = "\n".join(_commands(workflow))
    assert set(re.findall(r"^make ([\w-]+)", text, re.MULTILINE)) <= TARGETS
    assert all((ROOT / script).is_file() for script in re.findall(r"^\.ci/[\w-]+", text, re.MULTILINE))


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_actions_are_pinned_by_commit(workflow: str) -> None:
    used = [step["uses"] for step in _steps(workflow) if "uses" in step]
    assert used
    pinned = r"(actions/[\w-]+|pypa/cibuildwheel)@[0-9a-f]{40}"
    assert [action for action in used if not re.fullmatch(pinned, action)] == []


def test_quick_tests_run_on_every_python_and_everything_in_a_debian() -> None:
    quick, everything = (WORKFLOWS["ci"]["jobs"][name] for name in ("quick", "everything"))
    assert tuple(quick["strategy"]["matrix"]["python"]) == PYTHONS
    assert everything["container"]["image"] == "debian:12"
    assert everything["steps"][-1] == {"run": ".ci/run"}


def test_release_is_what_make_release_makes() -> None:
    assert "make release" in _commands("release")
    assert "dist/" in [step.get("with", {}).get("path") for step in _steps("release")]


def test_release_has_wheels_with_the_kernel_for_every_python() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["cibuildwheel"]
    assert settings["build"] == "cp31{1,2,3}-manylinux_x86_64"
    assert PYTHONS == ("3.11", "3.12", "3.13")
    assert settings["environment"] == {"ESPEI_HPC_COMPILED": "require"}
    jobs = WORKFLOWS["release"]["jobs"]
    assert any(step.get("uses", "").startswith("pypa/cibuildwheel@") for step in jobs["wheels"]["steps"])
    assert jobs["build"]["needs"] == "wheels"


def test_kernel_is_required_where_changes_are_tested() -> None:
    (test,) = (step for step in WORKFLOWS["ci"]["jobs"]["quick"]["steps"] if "run" in step)
    assert test["env"]["ESPEI_HPC_COMPILED"] == "require"
    assert "export ESPEI_HPC_COMPILED=require" in (ROOT / ".ci/run").read_text()
    assert "ESPEI_HPC_COMPILED=require /opt/image/pip wheel" in (ROOT / "image/project").read_text()


def test_a_commit_is_held_to_make_lint() -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    (hook,) = (hook for repository in config["repos"] for hook in repository["hooks"])
    assert (hook["entry"], hook["pass_filenames"]) == ("make lint", False)


def test_bug_report_asks_for_what_one_needs_to_find_the_bug() -> None:
    form = yaml.safe_load((ROOT / ".github/ISSUE_TEMPLATE/bug_report.yml").read_text())
    required = {field.get("id") for field in form["body"] if field.get("validations", {}).get("required")}
    assert {"doctor", "input", "versions"} <= required
