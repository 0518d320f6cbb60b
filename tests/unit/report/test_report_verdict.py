"""The verdict on chains that have converged, that have not, and that cannot tell."""

import re
from pathlib import Path

import numpy as np
import pytest

from espei_hpc.cli import commands
from espei_hpc.report import samples
from espei_hpc.report.statistics import statistics
from espei_hpc.report.verdict import Convergence, Verdict, verdict
from unit.report.made_report import made_run
from unit.report.test_report_statistics import ar1

WALKERS = 10


def on(place: Path, chain: np.ndarray) -> Verdict:
    return verdict(statistics(samples.read(made_run(place, chain[:, :, None], ["VV0000"]).input_file)))


def test_a_long_chain_has_converged_and_needs_no_more(tmp_path: Path) -> None:
    said = on(tmp_path, ar1(0.8, WALKERS, 8000))
    assert (said.state, said.more) == (Convergence.CONVERGED, 0)


def test_what_is_missing_makes_a_chain_of_so_many_iterations_converge(tmp_path: Path) -> None:
    for name in ("short", "long"):
        (tmp_path / name).mkdir()
    short = on(tmp_path / "short", ar1(0.9, WALKERS, 1000))
    assert short.state is Convergence.NOT_YET
    assert short.more is not None
    # Of statistics with errors: twice as much is enough in any case.
    assert on(tmp_path / "long", ar1(0.9, WALKERS, 1000 + 2 * short.more)).state is Convergence.CONVERGED


def test_a_chain_shorter_than_its_autocorrelation_time_gives_a_lower_bound_alone(tmp_path: Path) -> None:
    said = on(tmp_path, ar1(0.995, WALKERS, 60))
    assert said.state in (Convergence.NOT_YET, Convergence.UNKNOWN)
    assert said.at_least


def test_walkers_that_never_moved_are_said_to_be_stuck(tmp_path: Path) -> None:
    said = on(tmp_path, np.broadcast_to(np.arange(WALKERS)[:, None] * 0.0, (WALKERS, 50)))
    assert (said.state, said.more) == (Convergence.STUCK, None)


@pytest.mark.parametrize(
    ("said", "line"),
    [
        (Verdict(Convergence.CONVERGED, (), 0), "converged after 20 iterations"),
        (Verdict(Convergence.STUCK, (), None), "stuck after 20 iterations"),
        (
            Verdict(Convergence.NOT_YET, (), 300),
            "not converged yet after 20 iterations: about 300 more are needed",
        ),
        (
            Verdict(Convergence.UNKNOWN, (), 16000, at_least=True),
            "too short to tell after 20 iterations: at least 16000 more are needed",
        ),
    ],
    ids=lambda value: str(value.state) if isinstance(value, Verdict) else "",
)
def test_verdict_in_short_says_after_how_many_iterations_and_what_is_missing(
    said: Verdict, line: str
) -> None:
    assert said.in_short(20) == line


def test_first_line_of_the_report_is_the_verdict_and_the_reasons_are_indented_below(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = made_run(tmp_path, np.stack([ar1(0.9, WALKERS, 60)] * 2, axis=2), ["VV0000", "VV0001"])
    commands.main(["report", str(run.input_file)], standalone_mode=False)
    first, *others = capsys.readouterr().out.splitlines()
    reasons = [line for line in others if line.startswith("    ")]
    *notes, written = others[len(reasons) :]
    assert re.fullmatch(
        r"espei-hpc: .*x\.yaml: not converged yet after 60 iterations: at least \d+ more are needed", first
    )
    assert len(reasons) > 2
    assert notes
    assert all(note.startswith("espei-hpc: no ") for note in notes)
    assert written.startswith("espei-hpc: written")


def test_every_number_that_is_wanted_is_named_beside_the_one_that_is_there(tmp_path: Path) -> None:
    text = " ".join(on(tmp_path, ar1(0.8, WALKERS, 500)).reasons)
    assert re.search(r"is \d+ autocorrelation times .* at least 50 are needed", text)
    assert re.search(r"R-hat over the walkers is \d\.\d+; it should be at most 1\.01", text)
    assert re.search(r"effective sample size of .* is \d+ .* at least 400 is needed", text)


def test_walkers_that_stay_where_they_are_are_counted(tmp_path: Path) -> None:
    chain = ar1(0.8, WALKERS, 500)
    said = on(tmp_path, np.where(np.arange(WALKERS)[:, None] < 3, chain[:, :1], chain))
    # The first step of each counts as one.
    assert any("The acceptance is" in reason for reason in said.reasons)
