"""A report is written whatever becomes of what is calculated beside it."""

import json
import shutil
from pathlib import Path

import pytest

from espei_hpc.errors import Refusal
from espei_hpc.report import samples, write
from support import EXAMPLE
from unit.report.made_report import Made, made_run

SYMBOLS = tuple(f"VV{number:04d}" for number in range(6))
INPUT = """
mcmc: {iterations: 100, input_db: cu-mg_start.tdb}
system: {phase_models: phase_models.json, datasets: datasets}
"""


@pytest.fixture
def run(tmp_path: Path) -> Made:
    """A run of the example's symbols, beside its files but for the phase boundaries."""
    made = made_run(tmp_path, symbols=SYMBOLS)
    made.input_file.write_text(INPUT)
    for name in ("cu-mg_start.tdb", "phase_models.json"):
        shutil.copy(EXAMPLE / name, tmp_path)
    shutil.copytree(EXAMPLE / "datasets", tmp_path / "datasets", ignore=shutil.ignore_patterns("ZPF*"))
    return made


def written(made: Made, place: Path) -> tuple[str, list[str]]:
    """Write a report; return the page, and what was said meanwhile."""
    said: list[str] = []
    report = write.write(samples.read(made.input_file), place, [], said.append, diagrams=0)
    return report.page.read_text(), said


def test_the_data_are_in_the_page_and_beside_it(run: Made, tmp_path: Path) -> None:
    page, said = written(run, tmp_path / "out")
    assert said == ["no phase diagram: the datasets have no phase boundaries"]
    for name in ("enthalpies", "entropies", "activities"):
        assert f'<h3 id="{name}">' in page
        assert (tmp_path / "out" / f"{name}.png").exists()
    assert "entropy of mixing (SM_MIX without idmix)" in page


def test_each_symbol_is_described_in_the_page(run: Made, tmp_path: Path) -> None:
    page, _ = written(run, tmp_path / "out")
    assert "LIQUID, interaction L1 of CU,MG: constant term (J/mol)" in page
    assert "LIQUID, interaction L0 of CU,MG: temperature term (J/mol/K)" in page


def test_a_dataset_that_cannot_be_read_leaves_the_rest_of_the_report(run: Made, tmp_path: Path) -> None:
    (tmp_path / "datasets" / "broken.json").write_text("{")
    page, said = written(run, tmp_path / "out")
    (told,) = [line for line in said if line.startswith("no data compared with calculated values: ")]
    assert "broken.json" in told
    assert "There is no comparison with thermochemical data here: " in page
    assert 'id="traces"' in page


def test_a_database_that_is_gone_leaves_the_rest_of_the_report(run: Made, tmp_path: Path) -> None:
    (tmp_path / "cu-mg_start.tdb").unlink()
    page, said = written(run, tmp_path / "out")
    assert len(said) == 2
    assert 'id="traces"' in page
    # That of the slowest combination: no symbol is described.
    assert page.count('<span class="what">') == 1
    assert '<span class="what">slowest combination' in page


def test_one_value_that_espei_cannot_calculate_leaves_the_others(run: Made, tmp_path: Path) -> None:
    file = tmp_path / "datasets" / "LIQUID-ACR_MG.json"
    dataset = json.loads(file.read_text())
    dataset["reference_state"]["phases"] = ["NO_SUCH_PHASE"]
    file.write_text(json.dumps(dataset))
    page, _ = written(run, tmp_path / "out")
    assert "(3 failed)" in page
    assert "<li>ACR_MG of LIQUID, before: " in page
    assert '<h3 id="enthalpies">' in page


def test_without_thermochemical_data_the_page_says_so(run: Made, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "datasets")
    shutil.copytree(EXAMPLE / "datasets", tmp_path / "datasets", ignore=shutil.ignore_patterns("[!Z]*"))
    page, said = written(run, tmp_path / "out")
    assert said == []
    assert "There are no thermochemical data among the datasets." in page


def test_pictures_of_an_earlier_report_are_removed_and_other_files_stay(run: Made, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    for name in ("phase-diagram", "heat-capacities", "enthalpies", "my-own"):
        (out / f"{name}.png").write_text("old")
    written(run, out)
    assert not (out / "phase-diagram.png").exists()
    assert not (out / "heat-capacities.png").exists()
    assert (out / "enthalpies.png").read_bytes() != b"old"
    assert (out / "my-own.png").read_text() == "old"


def test_who_names_a_symbol_that_is_not_fitted_is_told_what_each_is(run: Made, tmp_path: Path) -> None:
    said: list[str] = []
    with pytest.raises(Refusal, match="VV99 is not fitted"):
        write.write(samples.read(run.input_file), tmp_path / "out", ["VV99"], said.append)
    assert said[2] == "VV0002: LAVES_C15, endmember CU:MG: constant term (J/mol)"
    assert len(said) == len(SYMBOLS)
