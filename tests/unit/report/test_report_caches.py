"""Reports and exports need no place of the user's own."""

from pathlib import Path

import pytest

from support import Commands
from unit.report.made_report import made_run

pytestmark = pytest.mark.all


def test_a_chain_is_exported_without_a_home_that_can_be_written(tmp_path: Path, commands: Commands) -> None:
    made_run(tmp_path)
    # Not even root writes there.
    result = commands.run(
        "espei-hpc", "export", "x.yaml", "chain.nc", env={"HOME": "/proc", "XDG_CACHE_HOME": ""}
    )
    assert result.code == 0, result.output
    assert (tmp_path / "chain.nc").exists()


def test_a_place_of_the_users_own_is_used(tmp_path: Path, commands: Commands) -> None:
    made_run(tmp_path)
    cache = tmp_path / "cache"
    result = commands.run("espei-hpc", "export", "x.yaml", "chain.nc", env={"XDG_CACHE_HOME": str(cache)})
    assert result.code == 0, result.output
    assert (cache / "arviz").is_dir()
