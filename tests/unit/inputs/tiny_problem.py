"""A whole fitting problem, small enough that ESPEI runs it in a tenth of a second."""

import copy
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

DATABASE = """
ELEMENT /-   ELECTRON_GAS  0 0 0!
ELEMENT VA   VACUUM        0 0 0!
ELEMENT CU   FCC_A1  63.546 5004.1 33.15!
ELEMENT MG   HCP_A3  24.305 4998.0 32.671!
FUNCTION GHSERCU 298.15 -7770.458+130.485235*T-24.112392*T*LN(T); 6000 N !
FUNCTION GHSERMG 298.15 -8367.34+143.675547*T-26.1849782*T*LN(T); 6000 N !
FUNCTION VV0000 298.15 -35000; 6000 N !
FUNCTION VV0001 298.15 5000; 6000 N !
TYPE_DEFINITION % SEQ * !
PHASE LIQUID % 1 1 !
CONSTITUENT LIQUID :CU,MG: !
PARAMETER G(LIQUID,CU;0) 298.15 GHSERCU+12964.735-9.511904*T; 6000 N !
PARAMETER G(LIQUID,MG;0) 298.15 GHSERMG+8202.243-8.83693*T; 6000 N !
PARAMETER L(LIQUID,CU,MG;0) 298.15 VV0000; 6000 N !
PARAMETER L(LIQUID,CU,MG;1) 298.15 VV0001; 6000 N !
PHASE FCC_A1 % 2 1 1 !
CONSTITUENT FCC_A1 :CU,MG:VA: !
PARAMETER G(FCC_A1,CU:VA;0) 298.15 GHSERCU; 6000 N !
PARAMETER G(FCC_A1,MG:VA;0) 298.15 GHSERMG+2600-0.9*T; 6000 N !
"""

MODELS: dict[str, Any] = {
    "components": ["CU", "MG", "VA"],
    "phases": {
        "LIQUID": {"sublattice_model": [["CU", "MG"]], "sublattice_site_ratios": [1]},
        "FCC_A1": {"sublattice_model": [["CU", "MG"], ["VA"]], "sublattice_site_ratios": [1, 1]},
    },
}

COMMON = {"components": ["CU", "MG", "VA"], "reference": "made up for tests"}

MIXING: dict[str, Any] = COMMON | {
    "phases": ["LIQUID"],
    "solver": {
        "mode": "manual",
        "sublattice_site_ratios": [1],
        "sublattice_configurations": [[["CU", "MG"]]],
        "sublattice_occupancies": [[[0.5, 0.5]]],
    },
    "conditions": {"P": 101325, "T": 1400},
    "output": "HM_MIX",
    "values": [[[-9000]]],
}

TIE_LINES: dict[str, Any] = COMMON | {
    "phases": ["LIQUID", "FCC_A1"],
    "conditions": {"P": 101325, "T": [1200]},
    "output": "ZPF",
    "values": [[["LIQUID", ["MG"], [0.1]], ["FCC_A1", ["MG"], [0.02]]]],
}

ACTIVITY: dict[str, Any] = COMMON | {
    "phases": ["LIQUID"],
    "reference_state": {"phases": ["LIQUID"], "conditions": {"P": 101325, "T": 1400, "X_MG": 1.0}},
    "conditions": {"P": 101325, "T": 1400, "X_MG": [0.3, 0.5]},
    "output": "ACR_MG",
    "values": [[[0.05, 0.2]]],
}

EQUILIBRIUM: dict[str, Any] = COMMON | {
    "phases": ["LIQUID"],
    "conditions": {"P": 101325, "T": 1400, "X_MG": [0.3, 0.5]},
    "output": "HM",
    "values": [[[30000, 31000]]],
}

INPUT: dict[str, Any] = {
    "system": {"phase_models": "models.json", "datasets": "data"},
    "mcmc": {"input_db": "start.tdb", "iterations": 2, "scheduler": None},
    "output": {"output_db": "out.tdb"},
}

GENERATE: dict[str, Any] = {"excess_model": "linear", "ref_state": "SGTE91"}


@dataclass
class TinyProblem:
    """The parts of a problem: valid as made; change them, then write.

    Attributes:
        directory: where it is written.
        input: ESPEI's input.
        models: the phase models.
        datasets: the datasets by file name.
        database: the starting database.
        texts: text to write in place of, or beside, the above, by file name.
    """

    directory: Path
    input: dict[Any, Any] = field(default_factory=lambda: copy.deepcopy(INPUT))
    models: dict[str, Any] = field(default_factory=lambda: copy.deepcopy(MODELS))
    datasets: dict[str, Any] = field(default_factory=lambda: {"mixing.json": copy.deepcopy(MIXING)})
    database: str = DATABASE
    texts: dict[str, str] = field(default_factory=dict)

    @property
    def mcmc(self) -> dict[str, Any]:
        """The input's section ``mcmc``."""
        section: dict[str, Any] = self.input["mcmc"]
        return section

    @property
    def output(self) -> dict[str, Any]:
        """The input's section ``output``."""
        section: dict[str, Any] = self.input["output"]
        return section

    @property
    def mixing(self) -> dict[str, Any]:
        """The one dataset there is at first."""
        dataset: dict[str, Any] = self.datasets["mixing.json"]
        return dataset

    def generate(self, *, mcmc: bool) -> dict[str, Any]:
        """Start from parameter generation instead of a database."""
        section = self.input["generate_parameters"] = dict(GENERATE)
        self.mcmc.pop("input_db")
        if not mcmc:
            self.input.pop("mcmc")
        return section

    def write(self) -> Path:
        """Write all files and return the input's path, relative to the directory."""
        (self.directory / "data").mkdir(exist_ok=True)
        texts = {
            "start.tdb": self.database,
            "models.json": json.dumps(self.models),
            **{f"data/{name}": json.dumps(dataset) for name, dataset in self.datasets.items()},
            "x.yaml": yaml.safe_dump(self.input),
            **self.texts,
        }
        for name, text in texts.items():
            (self.directory / name).write_text(text)
        return Path("x.yaml")
