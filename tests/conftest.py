"""Fixtures for tests that run real fits."""

import os
import signal
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

# Fixtures of the images, which jobs run in too.
import fault_table
import needs
import tiers
from container.images import images, open_place, sif, sifs  # noqa: F401
from finished_fit import Finished, finish
from fits import Chain, stock_fit, write_fit
from support import Commands, wait_until

JOBS_IN_IMAGES = ("tests/batch/test_slurm_examples.py", "tests/batch/test_pbs_examples.py")
APART = ("tests/native", "tests/faults")
"""Whose tests take long and share little."""
MADE_ONCE = (
    "tests/faults/test_closed_faults.py",
    "tests/native/test_release.py",
    "tests/native/test_report.py",
)
"""But those of these share a fit that runs, a release or a report."""

BUILT = {"images", "sif", "sifs"}
"""Fixtures that build; the first test that asks for one waits for it."""
BUILD_SECONDS = 2400


class OnceEach(LoadScopeScheduling):  # type: ignore[misc]  # xdist tells no types
    """Of processes that share the tests one gets all that need the same images, hosts or fits: made once."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::")[0]
        if file in JOBS_IN_IMAGES:
            return "jobs in images"
        if file.startswith("tests/container"):
            return "container"
        return nodeid if file.startswith(APART) and file not in MADE_ONCE else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> OnceEach:
    """Tell xdist how the tests are shared."""
    return OnceEach(config, log)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let make choose its tier."""
    parser.addoption("--tier", choices=tiers.TIERS, help="run these alone [default: all but the long ones]")


class FailuresAtOnce:
    """Prints each failure when it happens: a run that a time limit ends tells of its failures too."""

    def __init__(self, terminal: pytest.TerminalReporter) -> None:
        self.terminal = terminal

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Print the report of a test that failed."""
        if report.failed:
            self.terminal.ensure_newline()
            self.terminal.section(f"{report.nodeid} failed ({report.when})")
            self.terminal.write(f"{report.longreprtext}\n")


def pytest_sessionstart(session: pytest.Session) -> None:
    """Print failures at once, in the process that collects the reports of the others."""
    plugins = session.config.pluginmanager
    if terminal := plugins.get_plugin("terminalreporter"):
        plugins.register(FailuresAtOnce(terminal))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the tests of the tier."""
    items[:], others = tiers.select(items, config.option.tier)
    config.hook.pytest_deselected(items=others)
    for item in items:
        waits = BUILT.intersection(getattr(item, "fixturenames", ()))
        if waits and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(BUILD_SECONDS))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Leave out what this machine lacks something for, before anything is set up for it."""
    needs.require(*needs.of(item))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print which faults were tried, how long the folders took, and what was left out."""
    stats = terminalreporter.stats
    passed = [report for report in stats.get("passed", []) if report.when == "call"]
    for title, lines in {
        "faults": fault_table.lines((report.nodeid, report.duration) for report in passed),
        "seconds, added up over the processes": _seconds(stats, config.option.tier),
    }.items():
        if lines:
            terminalreporter.section(title)
            terminalreporter.write("\n".join(lines) + "\n")
    if line := needs.left_out(report.longrepr[2] for report in stats.get("skipped", [])):
        terminalreporter.write(f"\n{line}\n")


def _seconds(stats: Mapping[str, list[Any]], tier: str | None) -> list[str]:
    reports = [one for found in stats.values() for one in found if isinstance(one, pytest.TestReport)]
    tests = Counter(tiers.folder(report.nodeid) for report in reports if report.when == "call")
    return tiers.table(tiers.seconds(reports), tests, tier)


# A prepared evaluation of the small fits is over in a millisecond, and a fit before anything can happen to
# it: so each is compared with ESPEI's own, and takes as long as that. A test of the speed takes it back.
os.environ["ESPEI_HPC_VERIFY"] = "1"


@pytest.fixture(scope="session", autouse=True)
def signals_as_on_a_terminal() -> None:
    """Started by nohup or by a shell's &, the tests would have all their commands ignore these."""
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)


@pytest.fixture
def commands(tmp_path: Path) -> Iterator[Commands]:
    """Start commands in a directory of the test's own; afterwards nothing of them lives."""
    started = Commands(tmp_path)
    yield started
    try:
        # Python's own helper processes notice a moment later that their parent has ended.
        wait_until(lambda: not started.left(), "the end of all processes", seconds=60)
    except AssertionError:
        left = started.left()
        started.end_all()
        pytest.fail(f"still alive after the test: {left}")


@pytest.fixture
def small_fit(tmp_path: Path) -> Path:
    """A fit of the example's enthalpies alone, 30 iterations: seconds, and real."""
    return write_fit(tmp_path, iterations=30)


@pytest.fixture
def endless_fit(tmp_path: Path) -> Path:
    """The same with more iterations than any test waits for."""
    return write_fit(tmp_path, iterations=20_000)


@pytest.fixture(scope="session")
def stock_chain(tmp_path_factory: pytest.TempPathFactory) -> Chain:
    """The chain of the small fit as stock ESPEI computes it, alone on one core."""
    return Chain.load(stock_fit(tmp_path_factory, iterations=30))


@pytest.fixture
def finished_fit(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """The small fit after ``espei-mpi --in x.yaml -n 3``, in the test's own directory."""
    return finish(tmp_path_factory, tmp_path)
