"""The parts of a report that are calculated in separate processes: phase diagram and data."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from espei_hpc.report import data_plots, diagram, measured, plots
from espei_hpc.report.child import SECONDS, Child
from espei_hpc.report.page import PagePart, Parts, PlotImage
from espei_hpc.report.properties import PropertyFamily, known, rows
from espei_hpc.report.samples import Samples

DIAGRAM = "phase-diagram"
PICTURES = (DIAGRAM, *(family.picture for family in PropertyFamily))
"""Names of all plots that this can produce."""


@contextmanager
def calculations(samples: Samples, seconds: float = SECONDS) -> Iterator[Callable[[], Parts]]:
    """Start the calculations, in processes that end with the context.

    Args:
        samples: the chain.
        seconds: time limit of each calculation.

    Yields:
        A function that waits for the calculations and returns their results.
    """
    drawing = Child(partial(diagram.binary, samples), diagram.draw, seconds)
    comparing = Child(partial(measured.inputs, samples), measured.compare, seconds)
    with drawing, comparing:
        yield lambda: Parts(diagram=_diagram(drawing), data=_data(comparing))


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
