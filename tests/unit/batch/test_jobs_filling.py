"""What the user leaves open is filled from recipe, input and surroundings; faults come all at once."""

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from espei_hpc.batch.scripts import JobScript, render
from espei_hpc.batch.scripts.filling import Asked, fill
from espei_hpc.errors import Refusal
from espei_hpc.mpi.host.recipe import Recipe, all_recipes

ASKED = Asked("slurm", "many-nodes", (Path("x.yaml"),), account="abc")


def filled(asked: Asked, hostname: str = "login1", **environment: str) -> JobScript:
    job, _ = fill(asked, "job.sbatch", hostname, {"HOME": "/nonexistent", **environment})
    return job


def test_recipe_of_the_site_gives_cores_modules_launcher_and_way(inputs: Path) -> None:
    job = filled(replace(ASKED, site="frontier"))
    assert (job.ranks_per_node, job.launcher, job.host_mpi) == (56, "srun", "frontier")
    assert job.setup == ("module load cray-mpich-abi",)


@pytest.mark.parametrize(
    "site",
    [recipe for recipe in all_recipes({"HOME": "/nonexistent"}) if recipe.kind == "site"],
    ids=lambda recipe: recipe.name,
)
def test_every_sites_recipe_fills_a_script(site: Recipe, inputs: Path) -> None:
    text = render(filled(replace(ASKED, system=site.scheduler or "slurm", site=site.name)))
    assert subprocess.run(["bash", "-n"], input=text, text=True).returncode == 0
    for word in (*site.setup, *(site.launcher or "").split()):
        assert word in text


def test_site_is_recognised_by_its_name(inputs: Path) -> None:
    assert filled(ASKED, "frontier00123").host_mpi == "frontier"


def test_site_with_singularity_alone_runs_that(inputs: Path) -> None:
    assert filled(replace(ASKED, system="pbs", site="gadi")).engine == "singularity"
    assert filled(ASKED).engine == "apptainer"


def test_every_node_of_a_site_has_the_cores_asked_for(inputs: Path) -> None:
    assert filled(replace(ASKED, site="roar-collab")).ranks_per_node == 48
    assert filled(replace(ASKED, site="roar-collab", ranks_per_node=64)).ranks_per_node == 64


def test_recipe_of_cores_alone_leaves_the_ranks_to_themselves(inputs: Path) -> None:
    job = filled(replace(ASKED, site="anvil"))
    assert (job.ranks_per_node, job.launcher, job.host_mpi) == (128, None, None)


def test_image_runs_its_own_mpi_whatever_the_site_has(inputs: Path) -> None:
    job = filled(replace(ASKED, kind="image-mpi", site="roar-collab"))
    assert (job.launcher, job.host_mpi) == (None, None)


def test_image_is_the_one_that_this_runs_in(inputs: Path) -> None:
    assert filled(ASKED, APPTAINER_CONTAINER="/images/e.sif").image == "/images/e.sif"
    assert filled(replace(ASKED, image="f.sif"), APPTAINER_CONTAINER="/images/e.sif").image == "f.sif"


def test_one_node_has_no_more_ranks_than_the_walkers_can_use(inputs: Path) -> None:
    job = filled(replace(ASKED, kind="one-node", site="anvil"))
    # Of the small fit: two walkers for each of its symbols.
    assert job.ranks_per_node < 128
    assert (job.ranks_per_node - 1) % 8 == 0
    assert filled(replace(ASKED, kind="one-node", ranks_per_node=100)).ranks_per_node == 100


def test_more_ranks_than_the_walkers_can_use_are_told(inputs: Path) -> None:
    _, notes = fill(replace(ASKED, nodes=50), "job.sbatch", "login1", {})
    assert "1600 ranks are more than" in notes[0]


def test_scheduler_file_of_two_steps_is_the_inputs(inputs: Path) -> None:
    text = Path("x.yaml").read_text()
    Path("x.yaml").write_text(text.replace("my_scheduler.json", "other.json"))
    assert filled(replace(ASKED, kind="two-steps")).scheduler_file == "other.json"


def test_input_without_scheduler_file_is_none_for_two_steps(
    inputs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir("cu-mg")
    with pytest.raises(Refusal, match=r"mcmc\.scheduler"):
        filled(replace(ASKED, kind="two-steps"))


def test_faults_of_options_site_and_input_come_at_once(inputs: Path) -> None:
    text = Path("x.yaml").read_text()
    Path("x.yaml").write_text(text.replace("iterations", "iteration"))
    asked = replace(ASKED, account="a b", hours=0.0, ranks_per_node=500, site="gadi")
    with pytest.raises(Refusal) as refused:
        filled(asked)
    told = "\n".join(map(str, refused.value.faults))
    for fault in ("--account", "--hours", "has pbs, not slurm", "at most 48 cores", "mcmc.iteration"):
        assert fault in told


def test_site_that_is_none_is_told_with_the_other_faults(inputs: Path) -> None:
    with pytest.raises(Refusal, match="did you mean frontier") as refused:
        filled(replace(ASKED, site="frontir", hours=-1.0))
    assert len(refused.value.faults) == 2


def test_inputs_of_an_array_are_checked_where_they_run(inputs: Path) -> None:
    asked = replace(ASKED, kind="array", inputs=(Path("cu-mg/x.yaml"), Path("al-mg/x.yaml")))
    assert filled(asked).inputs == ("cu-mg/x.yaml", "al-mg/x.yaml")
    Path("al-mg/cu-mg_start.tdb").unlink()
    with pytest.raises(Refusal, match=r"al-mg: x\.yaml: mcmc\.input_db"):
        filled(asked)


def test_inputs_of_an_array_do_not_share_a_directory(inputs: Path) -> None:
    Path("cu-mg/y.yaml").write_text(Path("cu-mg/x.yaml").read_text())
    with pytest.raises(Refusal, match="into its own directory"):
        filled(replace(ASKED, kind="array", inputs=(Path("cu-mg/x.yaml"), Path("cu-mg/y.yaml"))))


def test_chain_is_one_that_generates_and_one_that_samples(inputs: Path) -> None:
    with pytest.raises(Refusal) as refused:
        filled(replace(ASKED, kind="chain", inputs=(Path("x.yaml"), Path("generate.yaml"))))
    assert [fault.where for fault in refused.value.faults] == [
        "x.yaml: generate_parameters",
        "generate.yaml: mcmc",
    ]
