"""Phase diagrams of samples: bands of the boundaries, and temperatures of invariant reactions."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from espei_hpc.report import bands, samples, write
from espei_hpc.report.bands import Invariant, Mapped, rows
from support import EXAMPLE
from unit.report.made_report import made_run
from unit.report.test_report_write import INPUT, SYMBOLS

EUTECTIC, PERITECTIC = ("A", "B", "LIQUID"), ("B", "C", "LIQUID")


def mapped(*reactions: tuple[tuple[str, ...], float]) -> Mapped:
    found = [Invariant(phases, (0.1, 0.5, 0.9), temperature) for phases, temperature in reactions]
    return Mapped([], sorted(found, key=lambda one: one.temperature))


def test_reaction_has_the_percentiles_of_its_temperatures_and_the_highest_comes_first() -> None:
    made = rows(
        mapped((EUTECTIC, 700.0), (PERITECTIC, 900.0)),
        [mapped((EUTECTIC, 690.0 + number), (PERITECTIC, 900.0)) for number in range(21)],
    )
    assert [row.phases for row in made] == [PERITECTIC, EUTECTIC]
    assert (made[1].low, made[1].median, made[1].high, made[1].best) == (691, 700, 709, 700)


def test_reaction_that_some_samples_lack_says_how_many_have_it() -> None:
    made = rows(mapped(), [mapped((EUTECTIC, 700.0)), mapped(), mapped((EUTECTIC, 710.0))])
    assert [row.number for row in made] == [2]
    assert np.isnan(made[0].best)


def test_two_reactions_of_the_same_phases_are_told_apart() -> None:
    made = rows(mapped(), [mapped((EUTECTIC, 500.0), (EUTECTIC, 800.0))] * 3)
    assert [row.median for row in made] == [800, 500]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of the example with the diagrams of two samples, one of the database's own values."""
    place = tmp_path_factory.mktemp("bands")
    start = np.array([-28213.0, -16700.0, -35600.0, -7200.0, 4.6, -36800.0])
    positions = np.tile(start, (4, 2, 1))
    positions[:2] *= 1.01
    made = made_run(place, positions, symbols=SYMBOLS)
    made.input_file.write_text(INPUT)
    for name in ("cu-mg_start.tdb", "phase_models.json"):
        shutil.copy(EXAMPLE / name, place)
    shutil.copytree(EXAMPLE / "datasets", place / "datasets")
    return write.write(samples.read(made.input_file), place / "out", [], print, diagrams=2).page


def test_bands_are_drawn_and_the_reactions_of_the_system_are_in_the_table(page: Path) -> None:
    text = page.read_text()
    assert "Phase diagrams of 2 samples" in text
    assert (page.parent / "phase-diagram-bands.png").exists()
    for reaction in ("FCC_A1 + LAVES_C15 + LIQUID", "CUMG2 + LAVES_C15 + LIQUID", "CUMG2 + HCP_A3 + LIQUID"):
        assert f"<td>{reaction}</td>" in text


def test_default_number_of_diagrams_needs_as_many_effective_samples(tmp_path: Path) -> None:
    made = made_run(tmp_path, np.random.default_rng(0).normal(size=(2, 4, 6)), symbols=SYMBOLS)
    made.input_file.write_text(INPUT)
    said: list[str] = []
    write.write(samples.read(made.input_file), tmp_path / "out", [], said.append, announce=said.append)
    assert not any(f"{bands.NUMBER} samples" in line for line in said)
