"""Writing a report: plots as PNG files, and one page with all of them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from espei_hpc.errors import Fault, Refusal
from espei_hpc.exit_codes import ExitCode
from espei_hpc.report import bands, corner_plot, diagram, page, plots
from espei_hpc.report import calculations as beside
from espei_hpc.report.child import Unavailable
from espei_hpc.report.samples import Samples
from espei_hpc.report.statistics import Statistics, statistics
from espei_hpc.report.symbols import SymbolDescription, describe_file
from espei_hpc.report.verdict import Verdict, verdict
from espei_hpc.rundir import timeline
from espei_hpc.rundir.files import READABLE, reason, write_whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PAGE = "report.html"
MOST_IN_CORNER = 6
"""Default number of symbols in the corner plot: the slowest ones."""

Say = Callable[[str], None]


@dataclass(frozen=True)
class Report:
    """A written report.

    Attributes:
        page: the page.
        verdict: the verdict on the chain.
        slowest: the slowest symbol and its description; empty if unknown.
    """

    page: Path
    verdict: Verdict
    slowest: str


def write(
    samples: Samples,
    directory: Path,
    symbols: Sequence[str],
    say: Say,
    diagrams: int | None = None,
    announce: Say = lambda line: None,
) -> Report:
    """Write a report.

    Args:
        samples: the chain.
        directory: output directory; created if it does not exist.
        symbols: symbols of the corner plot; if empty, the slowest.
        say: takes a line about what the report lacks.
        diagrams: number of samples whose phase diagrams are drawn; None for the default if the chain has as
            many effective samples, else 0.
        announce: prints a line before what takes long.

    Raises:
        Refusal: (USAGE) if a symbol is not fitted; (CANNOT_CREATE) if a file cannot be written.
    """
    described = describe_file(samples.database, samples.symbols)
    _check(samples, symbols, described, say)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        found = statistics(samples)
        number = _diagrams(samples, found) if diagrams is None else diagrams
        if number:
            announce(
                f"drawing the phase diagrams of {number} samples, some seconds each (0 with --diagrams 0)"
            )
        with beside.calculations(samples, number) as calculated:
            judged = verdict(found, samples.record.sampler)
            images = _images(samples, found, symbols or _slowest(found), described)
            parts = calculated()
        path = directory / PAGE
        _write_images([*images, *parts.diagram.images, *parts.bands.images, *parts.data.images], directory)
        content = page.render(samples, found, judged, images, described, parts)
        write_whole(path, content.encode(), READABLE)
    except OSError as error:
        fault = Fault(
            str(error.filename or directory), f"cannot be written ({reason(error)})", "use another --output"
        )
        raise Refusal(ExitCode.CANNOT_CREATE, [fault]) from error
    _say_missing(parts, say)
    return Report(path, judged, _slowest_described(found, described))


def _check(
    samples: Samples, symbols: Sequence[str], described: Mapping[str, SymbolDescription], say: Say
) -> None:
    faults = [
        Fault("--symbols", f"{symbol} is not fitted", f"fitted symbols: {', '.join(samples.symbols)}")
        for symbol in symbols
        if symbol not in samples.symbols
    ]
    if faults:
        for name, description in described.items():
            say(f"{name}: {description}")
        raise Refusal(ExitCode.USAGE, faults)


def _diagrams(samples: Samples, found: Statistics) -> int:
    """Return the default number of samples whose phase diagrams are drawn."""
    try:
        diagram.binary(samples)
    except Unavailable:
        return 0
    slowest = found.slowest_of_all
    return bands.NUMBER if slowest and slowest.effective >= bands.NUMBER else 0


def _say_missing(parts: page.Parts, say: Say) -> None:
    if parts.diagram.missing:
        say(f"no phase diagram: {parts.diagram.missing}")
    if parts.bands.missing and parts.bands.missing != parts.diagram.missing:
        say(f"no phase diagrams of samples: {parts.bands.missing}")
    if parts.data.missing:
        some = "not all data" if parts.data.rows else "no data"
        say(f"{some} compared with calculated values: {parts.data.missing}")


def _slowest_described(found: Statistics, described: Mapping[str, SymbolDescription]) -> str:
    slowest = found.slowest
    if slowest is None or slowest.name not in described:
        return ""
    return f"{slowest.name}: {described[slowest.name]}"


def _slowest(found: Statistics) -> list[str]:
    moving = [parameter for parameter in found.parameters if parameter.moves] or list(found.parameters)
    slowest = sorted(moving, key=lambda parameter: -parameter.autocorrelation)[:MOST_IN_CORNER]
    return sorted(parameter.name for parameter in slowest)


def _images(
    samples: Samples, found: Statistics, symbols: Sequence[str], described: Mapping[str, SymbolDescription]
) -> list[page.PlotImage]:
    with plots.style():
        return [
            page.PlotImage(name, title, plots.png(figure))
            for name, title, figure in _figures(samples, found, symbols, described)
        ]


def _figures(
    samples: Samples, found: Statistics, symbols: Sequence[str], described: Mapping[str, SymbolDescription]
) -> Iterator[tuple[str, str, "Figure"]]:
    """Yield the plots: name, title, figure."""
    yield "log-probability", "Log-probability of the walkers", plots.log_probabilities(samples)
    yield "traces", "Traces of the symbols", plots.traces(samples, described)
    yield "autocorrelation", "Autocorrelation", plots.autocorrelations(samples, found, described)
    yield "acceptance", "Accepted proposals of each walker", plots.acceptance(found)
    around = ", dashed: the Gaussian around the best fit" if samples.around else ""
    yield (
        "corner",
        f"Distributions of {', '.join(symbols)}{around}",
        corner_plot.corner(samples, symbols, described),
    )
    line = timeline.read(samples.run.directory)
    if line is not None:
        title = f"Last evaluations of the workers: busy {line.efficiency:.0%} of the time"
        yield "timeline", title, plots.timeline(line)


def _write_images(images: Sequence[page.PlotImage], directory: Path) -> None:
    """Write each plot, and remove plots of an earlier report that this one does not have."""
    for image in images:
        write_whole(directory / f"{image.name}.png", image.png, READABLE)
    for name in set(beside.PICTURES) - {image.name for image in images}:
        (directory / f"{name}.png").unlink(missing_ok=True)
