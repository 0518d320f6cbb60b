"""What the fit changed: the chain, and the phase diagram before and after it against the data.

python compare.py      in this directory, after a fit; some ten seconds
"""

import warnings
from collections.abc import Iterator

import numpy as np
from pycalphad import Database
from pycalphad import variables as v
from pycalphad.mapping import BinaryStrategy

KELVIN = 273.15
EUTECTICS = (
    ("(Cu) + MgCu2", {"LIQUID", "FCC_A1", "LAVES_C15"}, 720, 0.193),
    ("MgCu2 + Mg2Cu", {"LIQUID", "LAVES_C15", "CUMG2"}, 550, 0.585),
    ("Mg2Cu + (Mg)", {"LIQUID", "CUMG2", "HCP_A3"}, 488, 0.855),
)
"""Name, phases, degrees Celsius, mole fraction of Mg in the liquid: Morinaga and Yamada, 1942."""
MELTING = (("MgCu2", "LAVES_C15", 797), ("Mg2Cu", "CUMG2", 568))
"""Name, phase, degrees Celsius: Nayeb-Hashemi and Clark, 1984."""


def phase_diagram(path: str) -> BinaryStrategy:
    """Map the phase diagram of a database."""
    database = Database(path)
    conditions = {v.T: (600, 1400, 10), v.X("MG"): (0, 1, 0.02), v.P: 101325, v.N: 1}
    diagram = BinaryStrategy(database, ["CU", "MG", "VA"], sorted(database.phases), conditions=conditions)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        diagram.do_map()
    return diagram


def eutectic(diagram: BinaryStrategy, phases: set[str]) -> tuple[float, float]:
    """Temperature of a eutectic in degrees Celsius and mole fraction of Mg in its liquid."""
    for invariant in diagram.get_invariant_data(v.X("MG"), v.T):
        points = {point.phase: point for point in invariant.data}
        if set(points) == phases:
            return float(points["LIQUID"].y) - KELVIN, float(points["LIQUID"].x)
    return float("nan"), float("nan")


def melting(diagram: BinaryStrategy, compound: str) -> float:
    """Highest temperature at which a compound is in equilibrium with liquid, in degrees Celsius."""
    lines = diagram.get_tieline_data(v.X("MG"), v.T)
    both = [line.data[0].y for line in lines if {point.phase for point in line.data} == {"LIQUID", compound}]
    return max(float(np.max(kelvin)) for kelvin in both) - KELVIN


def chain() -> Iterator[str]:
    """What the chain did."""
    lnprob, trace = np.load("lnprob.npy"), np.load("trace.npy")
    moved = np.any(np.diff(trace, axis=1) != 0, axis=2)
    yield f"log-probability of {len(lnprob)} walkers    worst  median    best"
    for iteration in (0, lnprob.shape[1] - 1):
        worst, median, best = np.quantile(lnprob[:, iteration], (0, 0.5, 1))
        yield f"after iteration {iteration + 1:2}             {worst:8.1f}{median:8.1f}{best:8.1f}"
    yield f"best of the whole chain {lnprob.max():.1f}, acceptance {moved.mean():.2f}"
    yield ""


def comparison(start: BinaryStrategy, fitted: BinaryStrategy) -> Iterator[str]:
    """Tell where two phases or three meet liquid in both databases, and in the data."""
    yield f"{'Celsius, x(Mg) in liquid':26}{'start':>14}{'fitted':>14}{'data':>14}"
    for name, phases, *data in EUTECTICS:
        row = (eutectic(start, phases), eutectic(fitted, phases), data)
        yield f"{'eutectic ' + name:26}" + "".join(f"{t:6.0f} C {x:.3f}" for t, x in row)
    for name, phase, measured in MELTING:
        row = (melting(start, phase), melting(fitted, phase), measured)
        yield f"{'melting of ' + name:26}" + "".join(f"{t:6.0f} C      " for t in row).rstrip()


if __name__ == "__main__":
    print(*chain(), sep="\n")
    print(*comparison(phase_diagram("cu-mg_start.tdb"), phase_diagram("cu-mg_fitted.tdb")), sep="\n")
