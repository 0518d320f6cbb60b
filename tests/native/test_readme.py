"""README and pages say only what is true: their commands run, their tables are the code's."""

import re
import shutil
from pathlib import Path

import pytest

from espei_hpc.exit_codes import SIGNAL_BASE, ExitCode
from fits import Chain, stock_example
from support import BIN, EXAMPLE, ROOT, Commands

README = (ROOT / "README.md").read_text()
USAGE = (ROOT / "docs" / "usage.md").read_text()
EXIT_CODES = (ROOT / "docs" / "exit-codes.md").read_text()
TEXTS = [README, USAGE, *((ROOT / "docs" / name).read_text() for name in ("images.md", "host-mpi.md"))]
BLOCKS = [
    block for text in TEXTS for block in re.findall(r"^```bash\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
]
STEPS = next(block for block in BLOCKS if "start-cluster" in block)
WORDS = 1200
"""At most so many in the README: a page."""

FROM_SIF = "bash <(apptainer exec espei.sif cat /usr/local/bin/espei-mpi) --image espei.sif"
# Where each command of these texts is run; those of the images need an engine, and stand with its tests.
RUN_BY = {
    "espei-mpi --in x.yaml": ("native/test_fit.py", "def test_chain_equals_stock_bit_for_bit"),
    "espei-hpc check": ("native/test_readme.py", "def test_faults_are_told_as_the_page_shows"),
    "espei-hpc status": ("native/test_status_beside_a_fit.py", "def test_status_tells_a_running_fit"),
    "espei-hpc report": ("native/test_report.py", "def test_the_page_says_what_thirty_iterations"),
    "make demo": ("native/test_readme.py", "def test_demo_prints_what"),
    "make test": ("../.ci/run", "make test test-all"),
    "make install": ("install/test_fresh_machine.py", "make install"),
    "make image": ("container/images.py", 'make_once("image"'),
    "make sif": ("container/images.py", 'make_once("sif"'),
    "apptainer build": ("container/test_apptainer_alone.py", "def test_its_own_test_passes"),
    "docker run": ("container/test_docker.py", "def test_line_of_the_readme_runs_stock_espei"),
    "podman run": ("container/test_image.py", "def test_fits_as_an_unknown_user"),
    "apptainer exec espei.sif espei ": (
        "container/test_sif.py",
        "def test_espei_mpi_fits_the_same_chain_as_stock_espei",
    ),
    "apptainer run espei.sif install": ("container/test_sif.py", "def test_commands_that_it_installs"),
    "apptainer exec espei.sif espei-mpi": ("container/test_sif.py", "def test_espei_mpi_fits_the_same_chain"),
    "apptainer exec espei.sif espei-hpc doctor": ("container/test_sif.py", "def test_doctor_finds_one_world"),
    "apptainer exec --bind /:/host:ro espei.sif espei-hpc host-mpi": (
        "container/test_host_mpi.py",
        "def test_ranks_become_what_was_predicted",
    ),
    "espei-hpc job slurm --in x.yaml --kind": (
        "unit/batch/test_jobs_golden.py",
        "def test_example_is_what_the_command_writes",
    ),
    "espei-hpc job slurm --in x.yaml --ranks-per-node": (
        "batch/test_slurm_examples.py",
        "def test_command_submits_its_script",
    ),
    "apptainer verify": ("container/test_supply.py", "def test_signed_sif_is_verified"),
    f"{FROM_SIF} --in": ("container/test_sif.py", "def test_host_launcher_runs_the_ranks_of_a_fit"),
    f"{FROM_SIF} --doctor": (
        "container/test_sif.py",
        "def test_doctor_finds_one_world_of_the_hosts",
    ),
}


@pytest.mark.quick
def test_readme_is_a_page() -> None:
    assert len(README.split()) < WORDS


@pytest.mark.quick
def test_exit_codes_of_the_page_are_those_of_the_code() -> None:
    table = re.findall(r"^\| (\d+) \| (.+) \|$", EXIT_CODES, re.MULTILINE)
    assert [int(code) for code, _ in table] == sorted(int(code) for code in ExitCode)
    assert f"| {SIGNAL_BASE}+N |" in EXIT_CODES


@pytest.mark.quick
def test_every_command_in_the_texts_is_run_by_a_test() -> None:
    for block in BLOCKS:
        if block == STEPS:
            continue
        for command in block.splitlines():
            (where,) = {place for start, place in RUN_BY.items() if command.startswith(start)}
            assert where[1] in (ROOT / "tests" / where[0]).read_text(), command


def test_demo_prints_what_the_readme_shows_and_fits_like_stock_bit_for_bit(
    commands: Commands, tmp_path_factory: pytest.TempPathFactory
) -> None:
    result = commands.run("make", "-C", ROOT, "demo", f"ENVIRONMENT={BIN.parent}")
    assert result.code == 0, result.output
    shown = next(
        text for text in re.findall(r"```text\n(.*?)```", README, re.DOTALL) if "cluster ready" in text
    )
    for line in shown.splitlines():
        assert line == "…" or line in result.output, f"{line}\n{result.output}"
    assert "single core" not in result.output
    stock = stock_example(tmp_path_factory)
    demo = ROOT / "build" / "demo"
    assert Chain.load(demo).equals(Chain.load(stock))
    assert _but_for_its_date(demo / "cu-mg_fitted.tdb") == _but_for_its_date(stock / "cu-mg_fitted.tdb")


def test_single_steps_work_as_written(commands: Commands, tmp_path: Path) -> None:
    directory = tmp_path / "steps"
    shutil.copytree(EXAMPLE, directory)
    result = Commands(directory, commands.tag).run("bash", "-euc", STEPS + "wait")
    assert result.code == 0, result.output
    assert (directory / "cu-mg_fitted.tdb").exists()


@pytest.mark.quick
def test_faults_are_told_as_the_page_shows(commands: Commands, tmp_path: Path) -> None:
    shown = next(text for text in re.findall(r"```text\n\$ (.*?)```", USAGE, re.DOTALL) if "check" in text)
    command, *faults = shown.splitlines()
    for name in ("phase_models.json", "cu-mg_start.tdb"):
        shutil.copy(EXAMPLE / name, tmp_path)
    text = (EXAMPLE / "mcmc.yaml").read_text()
    text = text.replace("iterations:", "iteration:").replace("datasets: datasets", "datasets: input-dta")
    (tmp_path / "x.yaml").write_text(text)
    result = commands.run(*command.split())
    assert result.code == ExitCode.BAD_INPUT
    assert [line for line in result.output.splitlines() if line in faults] == faults, result.output


def _but_for_its_date(path: Path) -> list[str]:
    return [line for line in path.read_text().splitlines() if not line.startswith("$ Date")]
