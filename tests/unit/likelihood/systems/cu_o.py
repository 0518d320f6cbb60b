"""A liquid of ions on two sublattices, and a gas."""

from unit.likelihood.systems.data import boundaries, equilibrium, fixed
from unit.likelihood.systems.system import System

CU_O = System(
    name="Cu-O",
    purpose="charged constituents on sublattices whose site ratios vary, a gas of molecules, line compounds",
    database="cuo.tdb",
    components=("CU", "O", "VA"),
    phases=("IONIC_LIQ", "FCC_A1", "CU2O", "GAS"),
    changes={
        "+13287+11.82*T": "+VV0001#+VV0002#*T",
        "-106048+70*T": "+VV0003#+70*T",
        "-1017730 +29.6*T": "+VV0004#+29.6*T",
        "-193230+360.057*T": "+VV0005#+360.057*T",
    },
    additions="""
FUNCTION VV0001 298.15 13287; 1400 Y 13000; 6000 N !
FUNCTION VV0002 298.15 11.82; 6000 N !
FUNCTION VV0003 298.15 -106048; 6000 N !
FUNCTION VV0004 298.15 -1017730; 6000 N !
FUNCTION VV0005 298.15 -193230; 6000 N !
""",
    units={
        "whole": 1,
        "fixed configurations": 1,
        "phase boundaries": 2,
        "equilibrium properties": 1,
    },
    datasets={
        "boundaries.json": boundaries(
            "CU O VA",
            [1400.0, 1300.0],
            [
                [["IONIC_LIQ", ["O"], [0.05]], ["CU2O", ["O"], [1 / 3]]],
                [["FCC_A1", ["O"], [0.0003]], ["CU2O", ["O"], [None]]],
            ],
        ),
        "compound.json": fixed(
            "CU O",
            "CU2O",
            "SM_MIX",
            [2, 1],
            {"T": 400, "configurations": [["CU", "O"]], "values": [[[0.1]]]},
        ),
        "heat.json": equilibrium(
            "CU O VA",
            "IONIC_LIQ CU2O",
            "HM",
            {"T": [1500.0], "X_O": [0.25]},
            [[[-1500.0]]],
        ),
    },
)
