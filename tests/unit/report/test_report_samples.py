"""Samples are read from the checkpoint as it is, whether the fit runs or not."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from espei_hpc.errors import Refusal
from espei_hpc.exit_codes import ExitCode
from espei_hpc.report import samples
from espei_hpc.rundir.record import Record
from unit.report.made_report import made_run


def test_all_iterations_are_read_with_the_names_of_the_symbols(tmp_path: Path) -> None:
    run = made_run(tmp_path, symbols=("VV0001", "VV0007"))
    read = samples.read(run.input_file)
    assert read.symbols == ("VV0001", "VV0007")
    assert np.array_equal(read.positions, run.positions)
    assert np.array_equal(read.log_probabilities, run.log_probabilities)


def test_symbols_of_a_generated_database_are_those_of_the_fitted_one(tmp_path: Path) -> None:
    run = made_run(tmp_path)
    record = Record.read(run.directory)
    assert record is not None
    replace(record, fingerprint={}).write(run.directory)
    (tmp_path / "out.tdb").write_text("FUNCTION VV0003 1 2; 10000 N !\nFUNCTION VV0001 1 2; 10000 N !\n")
    assert samples.read(run.input_file).symbols == ("VV0001", "VV0003")


def test_parameters_without_a_name_are_numbered(tmp_path: Path) -> None:
    run = made_run(tmp_path)
    record = Record.read(run.directory)
    assert record is not None
    replace(record, fingerprint={}).write(run.directory)
    assert samples.read(run.input_file).symbols == ("parameter 1", "parameter 2")


def test_a_run_is_named_by_its_directory_too(tmp_path: Path) -> None:
    run = made_run(tmp_path)
    assert samples.read(run.directory).asked == samples.read(run.input_file).asked == 100


def test_the_best_position_is_the_one_of_the_highest_log_probability(tmp_path: Path) -> None:
    run = made_run(tmp_path)
    walker, iteration = np.unravel_index(np.argmax(run.log_probabilities), run.log_probabilities.shape)
    assert np.array_equal(samples.read(run.input_file).best, run.positions[walker, iteration])


def test_looking_changes_nothing_even_where_a_segment_is_damaged(tmp_path: Path) -> None:
    run = made_run(tmp_path)
    last = max((run.directory / "checkpoint").glob("*.npz"))
    last.write_bytes(last.read_bytes()[:-7])
    before = _contents(run.directory)
    assert samples.read(run.input_file).iterations == run.positions.shape[1] - 1
    assert _contents(run.directory) == before


def _contents(directory: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def test_a_run_with_too_few_samples_is_refused(tmp_path: Path) -> None:
    run = made_run(tmp_path, positions=np.zeros((4, 1, 2)))
    with pytest.raises(Refusal, match="1 iteration saved: too few") as refused:
        samples.read(run.input_file)
    assert refused.value.code == ExitCode.BAD_INPUT


def test_what_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="no such input") as refused:
        samples.read(tmp_path / "x.yaml")
    assert refused.value.code == ExitCode.BAD_INPUT


def test_a_chain_is_read_without_its_input(tmp_path: Path) -> None:
    run = made_run(tmp_path)
    run.input_file.unlink()
    assert samples.read(run.directory).settings == {}
