"""Writing a report: plots as PNG files, and one page that holds them all."""

import io
import multiprocessing
import multiprocessing.connection
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from espei_hpc.checkpoint.files import new_file, reason
from espei_hpc.exit_codes import ExitCode
from espei_hpc.faults import Fault, Refusal
from espei_hpc.report import diagram, page, plots, timeline
from espei_hpc.report.samples import Samples
from espei_hpc.report.statistics import Statistics, statistics
from espei_hpc.report.verdict import Verdict, verdict

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PAGE = "report.html"
READABLE = 0o644
"""Less the umask; a report is there to be shown."""
DIAGRAM_SECONDS = 300
"""A database of which no diagram can be mapped must not keep the report."""
RESOLUTION = 110
MOST_IN_CORNER = 6
"""Symbols of the corner plot where none are chosen: the slowest, which are what to look at."""

Say = Callable[[str], None]


@dataclass(frozen=True)
class Report:
    """A report that was written.

    Attributes:
        page: the page.
        verdict: what it says of the chain.
    """

    page: Path
    verdict: Verdict


def write(samples: Samples, directory: Path, symbols: Sequence[str], say: Say) -> Report:
    """Write a report.

    Args:
        samples: the chain.
        directory: where it goes; made if it is not there.
        symbols: of the corner plot; if empty, the slowest.
        say: prints a line.

    Raises:
        Refusal: (USAGE) if a symbol is not of the fit; (CANNOT_CREATE) if a file cannot be written.
    """
    _check(samples, symbols)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with _Diagram(samples, directory) as drawn:
            found = statistics(samples)
            judged = verdict(found)
            with plots.style():
                images = [
                    page.Image(name, title, _save(figure, directory / f"{name}.png"))
                    for name, title, figure in _figures(samples, found, symbols or _slowest(found))
                ]
            diagram_image, note = drawn.wait()
        if note:
            say(f"no phase diagram: {note}")
        content = page.render(samples, found, judged, images, diagram_image, note)
        path = directory / PAGE
        _write(path, content.encode())
    except OSError as error:
        fault = Fault(
            str(error.filename or directory), f"cannot be written ({reason(error)})", "name another --output"
        )
        raise Refusal(ExitCode.CANNOT_CREATE, [fault]) from error
    return Report(path, judged)


def _check(samples: Samples, symbols: Sequence[str]) -> None:
    faults = [
        Fault("--symbols", f"{symbol} is not fitted", f"the symbols are {', '.join(samples.symbols)}")
        for symbol in symbols
        if symbol not in samples.symbols
    ]
    if faults:
        raise Refusal(ExitCode.USAGE, faults)


def _slowest(found: Statistics) -> list[str]:
    moving = [parameter for parameter in found.parameters if parameter.moves] or list(found.parameters)
    slowest = sorted(moving, key=lambda parameter: -parameter.autocorrelation)[:MOST_IN_CORNER]
    return sorted(parameter.name for parameter in slowest)


def _figures(
    samples: Samples, found: Statistics, symbols: Sequence[str]
) -> Iterator[tuple[str, str, "Figure"]]:
    """Make the plots one after the other: name, what it shows, and the plot."""
    yield "log-probability", "Log-probability of the walkers", plots.log_probabilities(samples)
    yield "traces", "Traces of the symbols", plots.traces(samples)
    yield "autocorrelation", "Autocorrelation", plots.autocorrelations(samples, found)
    yield "acceptance", "Accepted proposals of each walker", plots.acceptance(found)
    yield "corner", f"Distributions of {', '.join(symbols)}", plots.corner(samples, symbols)
    line = timeline.read(samples.run.directory)
    if line is not None:
        title = f"What the workers did in the end: evaluating for {line.efficiency:.0%} of the time"
        yield "timeline", title, plots.timeline(line)


def _save(figure: "Figure", path: Path) -> bytes:
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=RESOLUTION)
    _write(path, file.getvalue())
    return file.getvalue()


def _write(path: Path, content: bytes) -> None:
    with new_file(path, lambda file: file.write(content), READABLE) as temporary:
        temporary.rename(path)


class _Diagram:
    """Draws the phase diagram in a process of its own, beside the rest; whatever befalls it, the rest stays.

    Args:
        samples: the chain.
        directory: where the picture goes.
    """

    NAME = "phase-diagram"

    def __init__(self, samples: Samples, directory: Path) -> None:
        self._path = directory / f"{self.NAME}.png"
        self._note = ""
        try:
            binary = diagram.binary(samples)
        except diagram.NoDiagram as error:
            self._note = str(error)
            return
        context = multiprocessing.get_context("spawn")
        self._said, said = context.Pipe(duplex=False)
        self._process = context.Process(target=_drawn, args=(binary, self._path, said), daemon=True)

    def __enter__(self) -> "_Diagram":
        if not self._note:
            self._path.unlink(missing_ok=True)
            self._process.start()
        return self

    def __exit__(self, *_: object) -> None:
        if not self._note and self._process.is_alive():
            self._process.kill()
            self._process.join()

    def wait(self) -> tuple[page.Image | None, str]:
        """Return the picture, or why there is none."""
        if self._note:
            return None, self._note
        self._process.join(DIAGRAM_SECONDS)
        if self._process.is_alive():
            return None, f"it took more than {DIAGRAM_SECONDS} s"
        if self._process.exitcode != 0 or not self._path.exists():
            told = (
                self._said.recv() if self._said.poll() else f"the process ended with {self._process.exitcode}"
            )
            return None, told
        title = "Phase diagram and data, before and after"
        return page.Image(self.NAME, title, self._path.read_bytes()), ""


def _drawn(binary: diagram.Binary, path: Path, said: multiprocessing.connection.Connection) -> None:
    """Be the process that draws."""
    try:
        diagram.draw(binary, path)
    except Exception as error:
        said.send(str(error) or type(error).__name__)
        raise SystemExit(1) from error
