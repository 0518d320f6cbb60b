"""An exported chain is what others' tools read."""

import stat
from pathlib import Path

import arviz
import numpy as np
import pytest

from espei_hpc.errors import Refusal
from espei_hpc.exit_codes import ExitCode
from espei_hpc.report import samples
from espei_hpc.report.export import export
from unit.report.made_report import Made, made_run


@pytest.fixture
def run(tmp_path: Path) -> Made:
    return made_run(tmp_path)


def test_arviz_reads_every_sample_bit_for_bit(run: Made, tmp_path: Path) -> None:
    export(samples.read(run.input_file), tmp_path / "chain.nc")
    data = arviz.from_netcdf(tmp_path / "chain.nc")
    assert list(data.posterior.data_vars) == ["VV0000", "VV0001"]
    assert np.array_equal(data.posterior["VV0001"], run.positions[:, :, 1])
    assert np.array_equal(data.sample_stats["lp"], run.log_probabilities)


def test_arviz_summarises_it(run: Made, tmp_path: Path) -> None:
    export(samples.read(run.input_file), tmp_path / "chain.nc")
    summary = arviz.summary(arviz.from_netcdf(tmp_path / "chain.nc"))
    assert summary.loc["VV0000", "mean"] == pytest.approx(run.positions[:, :, 0].mean(), abs=1e-3)


def test_it_says_what_made_it(run: Made, tmp_path: Path) -> None:
    export(samples.read(run.input_file), tmp_path / "chain.nc")
    attributes = arviz.from_netcdf(tmp_path / "chain.nc").attrs
    assert attributes["inference_library"] == "espei"
    assert attributes["inference_library_version"] == "0.9.1"


def test_another_ending_is_refused(run: Made, tmp_path: Path) -> None:
    with pytest.raises(Refusal, match=r"end in \.nc") as refused:
        export(samples.read(run.input_file), tmp_path / "chain.txt")
    assert refused.value.code == ExitCode.USAGE


def test_a_place_that_is_not_there_is_refused(run: Made, tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="cannot be written") as refused:
        export(samples.read(run.input_file), tmp_path / "nowhere" / "chain.nc")
    assert refused.value.code == ExitCode.CANNOT_CREATE


def test_a_failure_leaves_the_file_that_was_there(run: Made, tmp_path: Path) -> None:
    target = tmp_path / "chain.nc"
    target.mkdir()
    with pytest.raises(Refusal, match="cannot be written"):
        export(samples.read(run.input_file), target)
    assert stat.S_ISDIR(target.stat().st_mode)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["chain.nc", "x.run", "x.yaml"]
