"""Why ESPEI cannot use a dataset, in the words of the dataset.

ESPEI and pycalphad raise exceptions of Python for some mistakes (``KeyError:
'HCP_A3'``). Nothing here decides whether a dataset is faulty: it is, if ESPEI fails.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from pycalphad import Database, Model

from espei_hpc.inputs.datasets import Dataset
from espei_hpc.inputs.findings import named
from espei_hpc.inputs.system import System
from espei_hpc.text import counted


class Explanation(NamedTuple):
    """What is wrong with a dataset, and what to do about it."""

    what: str
    cure: str


def explanations(dataset: Dataset, database: Database, system: System) -> list[Explanation]:
    """Return what may be wrong with a dataset that ESPEI cannot use; empty if that is not known."""
    output = str(dataset["output"])
    found = [*_weight(dataset)]
    if "solver" in dataset:
        return [*found, *_formation(dataset, database, system)]
    if output == "ZPF":
        return found
    found += _compositions("conditions", dataset["conditions"], dataset)
    if "ACR" in output:
        return [*found, *_activity(dataset, system)]
    return [*found, *_property(dataset, database)]


def _weight(dataset: Dataset) -> Iterator[Explanation]:
    weight = dataset.get("weight", 1.0)
    if np.asarray(weight).dtype.kind not in "iuf":
        yield Explanation(f"weight must be a number, not {weight!r}", "write it without quotes")


def _formation(dataset: Dataset, database: Database, system: System) -> Iterator[Explanation]:
    """Look for the reference phases that ESPEI needs for data of formation, of all components."""
    if not str(dataset["output"]).endswith("_FORM"):
        return
    for element in sorted(system.components & set(database.refstates)):
        phase = database.refstates[element]["phase"]
        if phase not in database.phases and phase not in ("VACUUM", "ELECTRON_GAS"):
            yield Explanation(
                f"{dataset['output']} needs {phase}, the reference phase of {element}, which the starting "
                f"database does not have: it has {named(database.phases)}",
                "add the phase to the database, or disable the dataset",
            )


def _activity(dataset: Dataset, system: System) -> Iterator[Explanation]:
    element = str(dataset["output"]).partition("_")[2]
    elements = sorted({*dataset["components"]} - {"VA"})
    reference = dataset["reference_state"]
    if element not in elements:
        yield Explanation(
            f"{dataset['output']} is the activity of {element or 'no element'}, and the components are "
            f"{named(elements)}",
            "correct output, or add the component",
        )
    phases = [reference["phases"]] if isinstance(reference["phases"], str) else reference["phases"]
    if not system.phases.keys() & {*phases}:
        yield Explanation(
            f"its reference_state names {named(phases)}, not among the active phases {named(system.phases)}",
            "name an active phase, or add the phase to the database and the phase models",
        )
    yield from _compositions("reference_state", reference["conditions"], dataset)
    values = np.asarray(dataset["values"], dtype=float)
    if (values <= 0).any():
        yield Explanation(
            f"has the activity {values.min():g}, whose logarithm is not finite: no parameters can fit it",
            "leave the point out",
        )


def _compositions(where: str, conditions: Mapping[str, Any], dataset: Dataset) -> Iterator[Explanation]:
    elements = sorted({*dataset["components"]} - {"VA"})
    given = sorted(name for name in conditions if name.startswith("X_"))
    needed = len(elements) - 1
    if len(given) != needed:
        elements_named = f"{counted(len(elements), 'component')} ({named(elements)})"
        rest = "remove one: it follows from the others" if len(given) > needed else "add X_ and an element"
        has = f"{counted(len(given), 'composition')} ({named(given)})" if given else "no composition"
        yield Explanation(
            f"{where}: {has} for {elements_named}, which need {needed}",
            rest,
        )


def _property(dataset: Dataset, database: Database) -> Iterator[Explanation]:
    output = str(dataset["output"])
    base = output.removesuffix("R")
    if "reference_states" not in dataset and not hasattr(Model, output) and hasattr(Model, base):
        cure = f"add reference_states, or write {base}"
        yield Explanation(
            f"{output} is {base} relative to a reference, and reference_states is missing", cure
        )
    elif not hasattr(Model, output.split("_")[0]) and not hasattr(Model, base):
        cure = "use a property that it has, such as GM, HM, SM or CPM"
        yield Explanation(f"pycalphad has no property {output}", cure)
    for element, state in dataset.get("reference_states", {}).items():
        if state["phase"] not in database.phases:
            yield Explanation(
                f"its reference_states name {state['phase']} for {element}, which the starting database does "
                f"not have: it has {named(database.phases)}",
                "name one of these phases, or add it to the database",
            )
