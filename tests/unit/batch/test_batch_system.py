"""The batch system around a process is the one whose variables it has; each has a folder of its own."""

import pytest

from espei_hpc.batch import SUBMISSIONS, SYSTEMS, allocation, job_end, job_name
from support import ROOT

TEMPLATES = ROOT / "src" / "espei_hpc" / "batch" / "scripts" / "templates"


def test_outside_of_a_job_there_is_no_allocation() -> None:
    environment = {"JOB_ID": "9", "PBS_NODEFILE": "/dev/null", "SLURM_CONF": "/etc/slurm.conf"}
    assert allocation(environment) is None
    assert job_end(environment) is None
    assert job_name(environment) == ""


def test_names_of_batch_systems_differ() -> None:
    assert len({system.name for system in SYSTEMS}) == len(SYSTEMS)


@pytest.mark.parametrize("system", SUBMISSIONS)
def test_batch_system_with_job_scripts_has_template_examples_and_tests(system: str) -> None:
    assert (TEMPLATES / f"{system}.j2").is_file()
    assert (ROOT / f"{system}-examples" / "README.md").is_file()
    assert list((ROOT / "tests" / "unit" / "batch" / system).glob(f"test_{system}_*.py"))
