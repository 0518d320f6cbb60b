"""What this program writes is no data of the user's, wherever it lies among the datasets."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from espei_hpc.cluster import prepare
from espei_hpc.errors import Refusal
from espei_hpc.inputs import check
from espei_hpc.inputs.dataset_files import dataset_files
from espei_hpc.inputs.fingerprint import fingerprint
from espei_hpc.rundir.cluster_directory import ClusterDirectory
from espei_hpc.rundir.files import write_json
from espei_hpc.rundir.run_directory import RunDirectory, held
from espei_hpc.sampler import State
from unit.inputs.tiny_problem import MIXING, TinyProblem
from unit.rundir.made_chain import blocks, start

SCHEDULER = {"type": "Scheduler", "id": "Scheduler-1", "address": "tls://10.0.0.1:8786", "workers": {}}


@pytest.fixture
def beside(tiny: TinyProblem) -> TinyProblem:
    """A problem whose input stands among its datasets."""
    (tiny.directory / "fit").mkdir()
    tiny.input["system"] = {"phase_models": "../models.json", "datasets": "."}
    tiny.mcmc["input_db"] = "../start.tdb"
    return tiny


def input_file(beside: TinyProblem, monkeypatch: pytest.MonkeyPatch) -> Path:
    beside.texts["fit/a.json"] = json.dumps(MIXING)
    beside.write().rename("fit/x.yaml")
    monkeypatch.chdir(beside.directory / "fit")
    return Path("x.yaml")


def started(place: Path) -> ClusterDirectory:
    cluster = prepare.own_cluster(place, prepare.ClusterRequest(3))
    for name, content in {"scheduler": SCHEDULER, "rank-0": {"rank": 0}, "world": {"hosts": ["a"]}}.items():
        write_json(cluster.path / f"{name}.json", content)
    cluster.report("0", Refusal(65, []))  # type: ignore[arg-type]
    return cluster


def sampled(place: Path, *, record: bool = True) -> None:
    with held(place) as directory:
        _sample(directory, start())
        if record:
            directory.begin(check("x.yaml"))
        write_json(place / "progress.json", {"done": 3})
        write_json(place / "failed-parameters.json", {"why": "ESPEI"})


def _sample(directory: RunDirectory, first: State) -> None:
    directory.store.begin(first)
    for block in blocks(first, 3):
        block.append_to(directory.store)


def set_aside(place: Path) -> None:
    sampled(place)
    with held(place) as directory:
        directory.load()
        directory.set_aside(check("x.yaml"))


OWN: dict[str, Callable[[], object]] = {
    "a cluster that starts": lambda: started(Path("x.run")),
    "a chain": lambda: sampled(Path("x.run")),
    "a chain whose record is lost": lambda: sampled(Path("x.run"), record=False),
    "a chain that was moved aside": lambda: set_aside(Path("x.run")),
    "another fit's run directory, by another name": lambda: sampled(Path("deep/er/somewhere")),
    "a scheduler file": lambda: write_json(Path("my_scheduler.json"), SCHEDULER),
    "a cluster with a scheduler file": lambda: prepare.named_cluster(
        Path("my_scheduler.json"), prepare.ClusterRequest(3)
    ),
}


@pytest.mark.parametrize("write", OWN.values(), ids=OWN)
def test_what_we_write_is_no_dataset(
    beside: TinyProblem, monkeypatch: pytest.MonkeyPatch, write: Callable[[], object]
) -> None:
    path = input_file(beside, monkeypatch)
    before = fingerprint(check(path))

    write()

    assert len(list(Path().rglob("*.json"))) > 1, "nothing was written"
    assert dataset_files(".") == ["./a.json"]
    assert fingerprint(check(path)) == before


USERS = {
    "run.json": {"fingerprint": 1},
    "cluster/a/settings.json": {"ranks": 3},
    "x.run/b.json": MIXING,
    "checkpoint/b.json": MIXING,
    "my_scheduler.json": {"type": "Scheduler"},
}


@pytest.mark.parametrize("name", USERS)
def test_what_only_has_such_a_name_is_still_the_users(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(USERS[name]))

    assert dataset_files(tmp_path) == [str(file)]
