"""The container around a process, and whether its host name is its own."""

import os
import subprocess
import sys
from collections.abc import Mapping

import pytest

pytestmark = pytest.mark.needs("user namespaces")

ASK = "import os; from espei_hpc.containers import named_container; print(named_container(os.environ))"
IN_PODMAN = "mount -t tmpfs none /run; touch /run/.containerenv; "


OPTION = "import os; from espei_hpc.containers import option_to_write; print(option_to_write(os.environ))"


def named(setup: str, variables: Mapping[str, str], question: str = ASK) -> str:
    """Ask a process that has mounts and users of its own."""
    shell = ["sh", "-ec", f'{setup} exec "$@"', "sh"]
    asked = subprocess.run(
        ["unshare", "--map-root-user", "--mount", *shell, sys.executable, "-c", question],
        env=os.environ | variables,
        capture_output=True,
        text=True,
    )
    assert asked.returncode == 0, asked.stderr
    return asked.stdout.strip()


def test_container_of_podman_has_a_name_of_its_own() -> None:
    assert named(IN_PODMAN, {}) == "Podman"


@pytest.mark.parametrize("variable", ["APPTAINER_NAME", "SINGULARITY_NAME"])
def test_container_of_apptainer_keeps_the_name_of_the_host(variable: str) -> None:
    assert named(IN_PODMAN, {variable: "espei.sif"}) == ""


def test_podman_without_root_writes_the_users_files_if_it_keeps_the_numbers_of_users() -> None:
    assert named(IN_PODMAN, {}, OPTION) == "--userns=keep-id to podman run"


@pytest.mark.parametrize("variables", [{"APPTAINER_NAME": "espei.sif"}, {"SINGULARITY_NAME": "espei.sif"}])
def test_apptainer_needs_no_option_to_write(variables: Mapping[str, str]) -> None:
    assert named(IN_PODMAN, variables, OPTION) == ""


def test_denied_file_in_a_container_is_told_with_the_option() -> None:
    question = (
        "from espei_hpc.cli.printing import refused; from espei_hpc.errors import Fault, Refusal; "
        "print(refused(Refusal(73, [Fault('x.run', 'cannot be written (Permission denied)')])))"
    )
    shell = ["sh", "-ec", f'{IN_PODMAN} exec "$@"', "sh"]
    told = subprocess.run(
        ["unshare", "--map-root-user", "--mount", *shell, sys.executable, "-c", question],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "add --userns=keep-id to podman run" in told.stderr
