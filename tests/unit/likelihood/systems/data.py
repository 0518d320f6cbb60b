"""Datasets as ESPEI reads them, in fewer words."""

from typing import Any

Data = dict[str, Any]


def boundaries(components: str, temperatures: list[float], regions: list[Any], **more: Any) -> Data:
    """Phase regions, one per temperature, each of vertices (phase, components, composition)."""
    return {
        "components": components.split(),
        "phases": sorted({vertex[0] for region in regions for vertex in region} - {"__HYPERPLANE__"}),
        "conditions": {"P": 101325, "T": temperatures},
        "output": "ZPF",
        "values": regions,
        "reference": "made up",
    } | more


def fixed(
    components: str, phase: str, output: str, ratios: list[float], configurations: Data, **more: Any
) -> Data:
    """A property of fixed configurations.

    Args:
        components: separated by blanks.
        phase: its name.
        output: ``HM_MIX`` and the like.
        ratios: of the sublattices' sites.
        configurations: keys ``T``, ``values``, ``configurations``, ``occupancies`` and perhaps ``P``.
        more: what else the dataset says.
    """
    solver = {
        "mode": "manual",
        "sublattice_site_ratios": ratios,
        "sublattice_configurations": configurations["configurations"],
    }
    if "occupancies" in configurations:
        solver["sublattice_occupancies"] = configurations["occupancies"]
    return {
        "components": components.split(),
        "phases": [phase],
        "solver": solver,
        "conditions": {"P": configurations.get("P", 101325), "T": configurations["T"]},
        "output": output,
        "values": configurations["values"],
        "reference": "made up",
    } | more


def equilibrium(
    components: str, phases: str, output: str, conditions: Data, values: Any, **more: Any
) -> Data:
    """A property of equilibria; an activity where ``more`` has a ``reference_state``."""
    return {
        "components": components.split(),
        "phases": phases.split(),
        "conditions": {"P": 101325} | conditions,
        "output": output,
        "values": values,
        "reference": "made up",
    } | more
