"""The container around a process, and whether its host name is its own."""

import os
import subprocess
import sys
from collections.abc import Mapping

import pytest

ASK = "import os; from espei_hpc.containers import named_container; print(named_container(os.environ))"
IN_PODMAN = "mount -t tmpfs none /run; touch /run/.containerenv; "


def named(setup: str, variables: Mapping[str, str]) -> str:
    """Ask a process that has mounts of its own."""
    shell = ["sh", "-ec", f'{setup} exec "$@"', "sh"]
    asked = subprocess.run(
        ["unshare", "--map-root-user", "--mount", *shell, sys.executable, "-c", ASK],
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
