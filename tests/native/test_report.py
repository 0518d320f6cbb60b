"""The report of a real fit, as people see it; and what ESPEI's own analysis makes of the same fit."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml
from espei.analysis import truncate_arrays
from espei.datasets import load_datasets
from espei.error_functions.non_equilibrium_thermochemical_error import FixedConfigurationPropertyResidual
from espei.phase_models import PhaseModelSpecification
from espei.plot import dataplot
from espei.utils import database_symbols_to_fit, optimal_parameters, unpack_piecewise
from matplotlib.figure import Figure
from pycalphad import Database, binplot
from pycalphad import variables as v

import browser
from needs import require
from support import EXAMPLE, Commands

ITERATIONS = 30
PLOTS = (
    "phase-diagram",
    "enthalpies",
    "entropies",
    "activities",
    "log-probability",
    "traces",
    "autocorrelation",
    "acceptance",
    "corner",
    "timeline",
)


@pytest.fixture
def needs_browser() -> None:
    require("Chromium")


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Cu-Mg example, fitted."""
    directory = tmp_path_factory.mktemp("report") / "cu-mg"
    shutil.copytree(EXAMPLE, directory)
    settings = yaml.safe_load((directory / "mcmc.yaml").read_text())
    settings["mcmc"]["iterations"] = ITERATIONS
    (directory / "mcmc.yaml").write_text(yaml.safe_dump(settings))
    words = ("espei-mpi", "--in", "mcmc.yaml", "-n", "3")
    result = Commands(directory).run(*words, env={"ESPEI_HPC_VERIFY": "500"})
    assert result.code == 0, result.output
    return directory


@pytest.fixture(scope="module")
def page(fitted: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its report, made where the input's relative paths lead nowhere."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    words = ("report", fitted / "mcmc.run", "--symbols", "VV0001,VV0004", "--output", elsewhere / "shown")
    result = Commands(elsewhere).run("espei-hpc", *words)
    assert result.code == 0, result.output
    return elsewhere / "shown" / "report.html"


@pytest.mark.usefixtures("needs_browser")
@pytest.mark.parametrize("width", [1280, 800])
def test_the_page_is_no_wider_than_the_window_and_the_browser_has_nothing_to_say(
    page: Path, width: int
) -> None:
    with browser.opened(page, width) as seen:
        assert seen.page.evaluate("document.documentElement.scrollWidth") <= width
        assert seen.told == []


@pytest.mark.usefixtures("needs_browser")
def test_the_page_loads_nothing_beside_itself(page: Path) -> None:
    with browser.opened(page, 1280) as seen:
        assert [url for url in seen.asked if not url.startswith("data:")] == [page.as_uri()]


@pytest.mark.usefixtures("needs_browser")
def test_every_plot_is_in_the_page_and_drawn(page: Path) -> None:
    with browser.opened(page, 1280) as seen:
        drawn = seen.page.evaluate("[...document.images].map(i => i.complete && i.naturalWidth > 400)")
        assert drawn == [True] * len(PLOTS)


@pytest.mark.usefixtures("needs_browser")
@pytest.mark.parametrize("width", [1280, 800])
def test_whole_tables_are_seen_without_scrolling(page: Path, width: int) -> None:
    tables = {"parameters": ("VV0005", "interaction L1 of CU,MG"), "data": ("entropy of mixing",)}
    with browser.opened(page, width) as seen:
        for heading, words in tables.items():
            table = seen.page.locator(f"#{heading} ~ .wide .statistics").first
            box = table.bounding_box()
            assert box is not None
            assert box["x"] + box["width"] <= width
            assert [word for word in words if word not in table.inner_text()] == []


def test_every_plot_is_a_picture_beside_the_page(page: Path) -> None:
    assert sorted(path.stem for path in page.parent.glob("*.png")) == sorted(PLOTS)


def test_differences_of_each_property_and_phase_are_espeis_residuals(fitted: Path, page: Path) -> None:
    # Five values of the liquid and one of FCC_A1.
    row = next(line for line in page.read_text().split("<tr>") if "(HM_MIX)" in line and "all" in line)
    assert "<td>6</td>" in row
    best = Database(str(fitted / "cu-mg_fitted.tdb"))
    expected = {}
    for when, database in (("before", Database(str(fitted / "cu-mg_start.tdb"))), ("after", best)):
        residual = FixedConfigurationPropertyResidual(
            database,
            load_datasets(sorted(map(str, fitted.glob("datasets/*HM_MIX.json")))),
            PhaseModelSpecification(**json.loads((fitted / "phase_models.json").read_text())),
        )
        values = [unpack_piecewise(database.symbols[name]) for name in database_symbols_to_fit(database)]
        differences, _ = residual.get_residuals(np.array(values))
        expected[when] = float(np.sqrt(np.mean(np.square(differences))))
    assert f"<td>{expected['before']:.3g}</td><td>{expected['after']:.3g}</td>" in row


def test_the_page_says_what_thirty_iterations_are_worth(page: Path) -> None:
    text = page.read_text()
    assert "not converged yet" in text or "too short to tell" in text
    assert "more" in text.split("It needs")[1].split(".")[0]


def test_a_report_of_chosen_symbols_that_are_not_fitted_names_those_that_are(fitted: Path) -> None:
    result = Commands(fitted).run("espei-hpc", "report", "mcmc.yaml", "--symbols", "VV0001,VV99")
    assert result.code == 64
    assert "VV99 is not fitted; fitted symbols: VV0000, VV0001" in result.output


def test_a_report_is_made_from_elsewhere_where_it_is_asked_for(fitted: Path, page: Path) -> None:
    assert (page.parent / "phase-diagram.png").exists()
    assert not (fitted / "mcmc.run" / "report").exists()


def test_espeis_own_analysis_finds_the_best_parameters_of_our_database(fitted: Path) -> None:
    trace, lnprob = np.load(fitted / "trace.npy"), np.load(fitted / "lnprob.npy")
    database = Database(str(fitted / "cu-mg_fitted.tdb"))
    written = [unpack_piecewise(database.symbols[name]) for name in database_symbols_to_fit(database)]
    assert optimal_parameters(trace, lnprob) == pytest.approx(written, rel=1e-5)


def test_espeis_own_truncation_keeps_all_our_samples(fitted: Path) -> None:
    trace, lnprob = np.load(fitted / "trace.npy"), np.load(fitted / "lnprob.npy")
    kept_trace, kept_lnprob = truncate_arrays(trace, lnprob)
    assert np.array_equal(kept_trace, trace)
    assert np.array_equal(kept_lnprob, lnprob)


def test_espeis_own_plots_draw_our_database_and_the_data(fitted: Path) -> None:
    database = Database(str(fitted / "cu-mg_fitted.tdb"))
    components, phases = ["CU", "MG", "VA"], sorted(database.phases)
    conditions = {v.T: (650, 1200, 50), v.X("MG"): (0, 1, 0.05), v.P: 101325, v.N: 1}
    axes = Figure().subplots()
    binplot(database, components, phases, conditions, plot_kwargs={"ax": axes})
    lines = len(axes.get_lines())
    dataplot(
        components,
        phases,
        conditions,
        load_datasets(sorted(map(str, fitted.glob("datasets/*.json")))),
        ax=axes,
    )
    assert len(axes.get_lines()) > lines > 0
