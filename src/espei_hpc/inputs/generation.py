"""Generating parameters, as ESPEI does before it samples, to check what comes after."""

from collections.abc import Iterable
from contextlib import suppress

from espei import generate_parameters
from espei.utils import import_qualified_object
from pycalphad import Database

from espei_hpc.inputs.datasets import Dataset, as_database
from espei_hpc.inputs.phase_models import PhaseModels
from espei_hpc.inputs.settings import Settings


def generated_from(description: str) -> frozenset[str]:
    """Return the properties whose data ESPEI generates parameters from.

    Args:
        description: dotted name of the fitting description; a fault in it is reported elsewhere.
    """
    with suppress(Exception):
        steps = import_qualified_object(description).fitting_steps
        return frozenset(
            step.data_types_read + state for step in steps for state in step.supported_reference_states
        )
    return frozenset()


def generated_database(settings: Settings, models: PhaseModels, datasets: Iterable[Dataset]) -> Database:
    """Return the database that ESPEI generates; takes seconds, for many phases minutes.

    Args:
        settings: ESPEI's section ``generate_parameters``, with its defaults.
        models: the phase models.
        datasets: all enabled datasets.

    Raises:
        Exception: any exception of ESPEI.
    """
    start = Database(settings["input_db"]) if settings.get("input_db") is not None else None
    return generate_parameters(
        models,
        as_database(datasets),
        settings["ref_state"],
        settings["excess_model"],
        ridge_alpha=settings["ridge_alpha"],
        dbf=start,
        aicc_penalty_factor=settings["aicc_penalty_factor"],
        fitting_description=import_qualified_object(settings["fitting_description"]),
    )
