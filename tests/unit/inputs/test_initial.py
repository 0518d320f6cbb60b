"""A project as init writes it: complete, around what the user has, or not there at all."""

import itertools
import json
import os
from pathlib import Path

import pytest
import yaml

from espei_hpc.errors import Refusal
from espei_hpc.exit_codes import ExitCode
from espei_hpc.inputs import check
from espei_hpc.inputs.scaffold import Own, begin
from support import EXAMPLE
from unit.inputs.tiny_problem import DATABASE, MIXING, MODELS
from unit.likelihood.systems import SYSTEMS, System


@pytest.fixture
def own(tmp_path: Path) -> Own:
    """A user's database and datasets, under names that YAML and a shell would stumble over."""
    place = tmp_path / "my data: #1, 'ü'"
    (place / "data").mkdir(parents=True)
    (place / "start.tdb").write_text(DATABASE)
    (place / "data" / "mixing.json").write_text(json.dumps(MIXING))
    return Own(place / "start.tdb", place / "data")


def test_example_is_written_as_it_is(tmp_path: Path) -> None:
    files = begin(tmp_path / "x", None)
    assert all(
        file.read_bytes() == (EXAMPLE / file.relative_to(tmp_path / "x")).read_bytes() for file in files
    )
    committed = {path.name for path in EXAMPLE.glob("datasets/*.json")}
    assert {file.name for file in files if file.parent.name == "datasets"} == committed


def test_own_data_are_named_from_the_new_directory_and_stay_there(
    own: Own, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = begin(tmp_path / "a" / "b", own)
    assert {file.name for file in files} == {"mcmc.yaml", "phase_models.json"}
    monkeypatch.chdir(tmp_path / "a" / "b")
    settings = yaml.safe_load(Path("mcmc.yaml").read_text())
    assert not os.path.isabs(settings["mcmc"]["input_db"])
    assert Path(settings["mcmc"]["input_db"]).samefile(own.database)
    assert Path(settings["system"]["datasets"]).samefile(own.datasets)
    assert check("mcmc.yaml").symbols == ("VV0000", "VV0001")


def test_phase_models_are_those_of_the_database(own: Own, tmp_path: Path) -> None:
    begin(tmp_path / "x", own)
    assert json.loads((tmp_path / "x" / "phase_models.json").read_text()) == MODELS


def test_phase_models_of_the_example_come_out_of_its_database(tmp_path: Path) -> None:
    begin(tmp_path / "x", Own(EXAMPLE / "cu-mg_start.tdb", EXAMPLE / "datasets"))
    made = (tmp_path / "x" / "phase_models.json").read_text()
    assert json.loads(made) == json.loads((EXAMPLE / "phase_models.json").read_text())


@pytest.mark.parametrize("system", SYSTEMS, ids=str)
def test_project_of_any_kind_of_database_passes_the_check(system: System, tmp_path: Path) -> None:
    # Ordered and disordered phases, charged species, gases, magnetism: what the phase models must take over.
    (tmp_path / "data").mkdir()
    for name, dataset in system.datasets.items():
        (tmp_path / "data" / name).with_suffix(".json").write_text(json.dumps(dataset))
    (tmp_path / "start.tdb").write_text(system.text())
    begin(tmp_path / "x", Own(tmp_path / "start.tdb", tmp_path / "data"))
    made = json.loads((tmp_path / "x" / "phase_models.json").read_text())
    assert set(system.components) <= set(made["components"])
    assert set(system.phases) == set(made["phases"])


def test_database_without_symbols_is_refused_with_what_to_do(own: Own, tmp_path: Path) -> None:
    own.database.write_text(DATABASE.replace("VV000", "XX000"))
    refusal = _refused(tmp_path / "x", own)
    assert refusal.code == ExitCode.BAD_INPUT
    assert "has nothing to fit" in str(refusal)
    assert "generate_parameters" in str(refusal)


def test_faults_of_database_and_datasets_are_told_at_once(own: Own, tmp_path: Path) -> None:
    own.database.write_text("no database")
    (own.datasets / "mixing.json").write_text("{")
    refusal = _refused(tmp_path / "x", own)
    assert refusal.code == ExitCode.BAD_INPUT
    assert next(fault.where.partition(":")[0] for fault in refusal.faults) == "init"
    assert any("mixing.json" in fault.where for fault in refusal.faults)


def test_nothing_is_left_of_a_project_that_does_not_pass_the_check(own: Own, tmp_path: Path) -> None:
    # Each by itself is fine; together there is nothing to fit to.
    other = MIXING | {"phases": ["HCP_A3"]}
    (own.datasets / "mixing.json").write_text(json.dumps(other))
    assert _refused(tmp_path / "a" / "b", own).code == ExitCode.BAD_INPUT
    assert not (tmp_path / "a").exists()


def test_no_file_is_written_over_and_those_in_the_way_are_named(tmp_path: Path) -> None:
    for name in ("mcmc.yaml", "compare.py"):
        (tmp_path / name).write_text("mine")
    refusal = _refused(tmp_path, None)
    assert refusal.code == ExitCode.CANNOT_CREATE
    assert "2 files already exist: mcmc.yaml, compare.py;" in str(refusal)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["compare.py", "mcmc.yaml"]


def test_project_in_the_way_is_one_fault_of_its_directory_with_the_number_of_files(tmp_path: Path) -> None:
    made = begin(tmp_path / "x", None)
    (fault,) = _refused(tmp_path / "x", None).faults
    assert fault.where == str(tmp_path / "x")
    assert fault.what.startswith(f"{len(made)} files ")
    assert fault.cure == "use another directory, or move them away"


def test_project_in_the_way_here_is_named_by_its_whole_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mcmc.yaml").write_text("mine")
    monkeypatch.chdir(tmp_path)
    assert str(_refused(Path(), None)).startswith(f"{tmp_path}: 1 file already exists")


def test_place_that_cannot_be_written_is_refused(own: Own, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert _refused(tmp_path / "file" / "x", own).code == ExitCode.CANNOT_CREATE


@pytest.mark.parametrize("kind", ["example", "own"])
def test_every_setting_has_its_comment(kind: str, own: Own, tmp_path: Path) -> None:
    begin(tmp_path / "x", own if kind == "own" else None)
    lines = (tmp_path / "x" / "mcmc.yaml").read_text().splitlines()
    for before, line in itertools.pairwise(lines):
        is_setting = ":" in line and not line.lstrip().startswith("#") and not line.endswith(":")
        assert not is_setting or "#" in line or before.lstrip().startswith("#") or "probfile" in line, line
    for command in ("espei-hpc check", "espei-hpc plan", "espei-mpi"):
        assert any(line.startswith("#") and f"{command} --in mcmc.yaml" in line for line in lines)


def _refused(directory: Path, own: Own | None) -> Refusal:
    with pytest.raises(Refusal) as refused:
        begin(directory, own)
    return refused.value
