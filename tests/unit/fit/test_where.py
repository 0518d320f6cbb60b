"""Which cluster a fit uses, and how long it waits for it."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from espei_hpc.cluster import prepare
from espei_hpc.errors import Refusal
from espei_hpc.exit_codes import ExitCode
from espei_hpc.fit.where import ClusterOptions, find


def problem(scheduler: str | None) -> Any:
    """Make as much of a problem as is looked at here."""
    return SimpleNamespace(settings={"mcmc": {"scheduler": scheduler}})


def wanted(run_directory: Path, **said: Any) -> ClusterOptions:
    """Say what the user says, and nothing of the rest."""
    nothing: dict[str, Any] = dict.fromkeys(
        ("cluster_id", "scheduler_file", "workers", "min_workers", "timeout")
    )
    return ClusterOptions(run_directory, **(nothing | {"local": False} | said))


def test_wait_grows_with_the_number_of_ranks(tmp_path: Path) -> None:
    small, large = (prepare.own_cluster(tmp_path, prepare.ClusterRequest(ranks)) for ranks in (2, 1000))
    seconds = [
        find(problem("dask"), wanted(tmp_path, cluster_id=directory.id)).goal.seconds
        for directory in (small, large)
    ]
    assert seconds[0] < seconds[1]


def test_deadline_named_by_the_user_holds(tmp_path: Path) -> None:
    directory = prepare.own_cluster(tmp_path, prepare.ClusterRequest(1000))
    assert find(problem("dask"), wanted(tmp_path, cluster_id=directory.id, timeout=7.0)).goal.seconds == 7.0


def test_option_goes_before_the_file_that_the_input_names(tmp_path: Path) -> None:
    said = wanted(tmp_path, scheduler_file=Path("option.json"))
    assert find(problem("input.json"), said).scheduler_file == Path("option.json")
    assert find(problem("input.json"), wanted(tmp_path)).scheduler_file == Path("input.json")


@pytest.mark.parametrize("scheduler", [None, "dask"])
def test_no_cluster_named_anywhere_is_refused(scheduler: str | None, tmp_path: Path) -> None:
    with pytest.raises(Refusal) as refused:
        find(problem(scheduler), wanted(tmp_path))
    assert refused.value.code == ExitCode.USAGE
