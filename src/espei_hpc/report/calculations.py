"""The parts of a report that are calculated in separate processes: phase diagram and data."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import partial

from espei_hpc.report import bands, data_plots, diagram, measured, plots
from espei_hpc.report.child import SECONDS, Child
from espei_hpc.report.page import PagePart, Parts, PlotImage
from espei_hpc.report.properties import PropertyFamily, known, rows
from espei_hpc.report.samples import Samples

DIAGRAM = "phase-diagram"
BANDS = "phase-diagram-bands"
PICTURES = (DIAGRAM, BANDS, *(family.picture for family in PropertyFamily))
"""Names of all plots that this can produce."""


@contextmanager
def calculations(samples: Samples, number: int, seconds: float = SECONDS) -> Iterator[Callable[[], Parts]]:
    """Start the calculations, in processes that end with the context.

    Args:
        samples: the chain.
        number: number of samples whose phase diagrams are drawn; 0 for none.
        seconds: time limit of each calculation.

    Yields:
        A function that waits for the calculations and returns their results.
    """
    drawing = Child(partial(diagram.binary, samples), diagram.draw, seconds)
    comparing = Child(partial(measured.inputs, samples), measured.compare, seconds)
    several = Child(partial(bands.inputs, samples, number), bands.draw, seconds) if number else None
    with drawing, comparing, several or nullcontext():
        yield lambda: Parts(diagram=_diagram(drawing), bands=_bands(several), data=_data(comparing))


def _bands(several: Child | None) -> PagePart:
    if several is None:
        return PagePart()
    found, missing = several.results()
    images = [PlotImage(BANDS, f"Phase diagrams of {one.number} samples", one.png) for one in found]
    return PagePart(images=images, missing=missing, invariants=[row for one in found for row in one.rows])


def _diagram(drawing: Child) -> PagePart:
    pictures, missing = drawing.results()
    title = "Phase diagram and data, before and after"
    return PagePart(images=[PlotImage(DIAGRAM, title, picture) for picture in pictures], missing=missing)


def _data(comparing: Child) -> PagePart:
    batches, missing = comparing.results()
    compared = [one for batch in batches for one in batch.compared]
    notes = list(dict.fromkeys(note for batch in batches for note in batch.notes))
    try:
        images = _pictures(compared)
    # The plots show names and numbers of any dataset; a bad one must not fail the whole report.
    except Exception as error:
        images, missing = [], f"the plots failed ({type(error).__name__}: {error})"
    return PagePart(images=images, missing=missing, rows=rows(compared), notes=notes)


def _pictures(compared: Sequence[measured.Compared]) -> list[PlotImage]:
    look = data_plots.styles(compared)
    images = []
    for family in PropertyFamily:
        mine = [one for one in compared if known(one.output).family is family]
        if mine:
            with plots.style():
                picture = plots.png(data_plots.figure(family, mine, look))
            images.append(PlotImage(family.picture, family.heading, picture))
    return images
