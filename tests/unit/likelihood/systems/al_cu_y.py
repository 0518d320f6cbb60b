"""A ternary with compounds of fixed composition and a dimer."""

from unit.likelihood.systems.data import boundaries, equilibrium, fixed
from unit.likelihood.systems.system import System

COMPOSITION = ["AL", "Y"]

AL_CU_Y = System(
    name="Al-Cu-Y",
    purpose="three components, compounds of fixed composition, a dimer as constituent",
    database="Al-Cu-Y.tdb",
    components=("AL", "CU", "Y", "VA"),
    phases=("LIQUID", "ALCUY", "CU6Y", "CU4Y"),
    changes={
        "G(LIQUID,AL,CU;0) 2.98150E+02 -67094+8.555*T": "G(LIQUID,AL,CU;0) 298.15 VV0000#+8.555*T",
        "G(LIQUID,AL,CU,Y;1) 2.98150E+02 -50886.6": "G(LIQUID,AL,CU,Y;1) 298.15 VV0001#",
        "-60989+2*T": "+VV0002#+VV0003#*T",
        "-34386.27+21.56669*T": "+VV0004#+21.56669*T",
    },
    additions="""
FUNCTION VV0000 298.15 -67094; 6000 N !
FUNCTION VV0001 298.15 -50886.6; 1500 Y -50000; 6000 N !
FUNCTION VV0002 298.15 -60989; 6000 N !
FUNCTION VV0003 298.15 2; 6000 N !
FUNCTION VV0004 298.15 -34386.27; 6000 N !
""",
    units={
        "activity": 1,
        "fixed configurations": 2,
        "phase boundaries": 3,
        "equilibrium properties": 1,
    },
    datasets={
        "boundaries.json": boundaries(
            "AL CU Y VA",
            [1100.0, 1000.0],
            [
                [["LIQUID", COMPOSITION, [0.21, 0.03]], ["ALCUY", COMPOSITION, [0.333334, 0.333333]]],
                [
                    ["ALCUY", COMPOSITION, [None, None]],
                    ["CU4Y", COMPOSITION, [None, None]],
                    ["LIQUID", COMPOSITION, [0.06, 0.1]],
                ],
            ],
        ),
        "dimer.json": boundaries(
            "CU Y VA",
            [1050.0],
            [[["CU6Y", ["Y"], [0.15]], ["LIQUID", ["Y"], [None]]]],
            weight=4,
        ),
        "enthalpy.json": fixed(
            "AL CU Y",
            "LIQUID",
            "HM_MIX",
            [1],
            {
                "T": 1700,
                "configurations": [[["AL", "CU", "Y"]], [["AL", "CU"]]],
                "occupancies": [[[0.3, 0.4, 0.3]], [[0.5, 0.5]]],
                "values": [[[-33000, -15000]]],
            },
        ),
        "compound.json": fixed(
            "AL CU Y",
            "ALCUY",
            "SM_MIX",
            [0.333334, 0.333333, 0.333333],
            {"T": 400, "configurations": [["AL", "CU", "Y"]], "values": [[[0.1]]]},
        ),
        "activity.json": equilibrium(
            "AL CU Y VA",
            "LIQUID",
            "ACR_AL",
            {"T": [1500.0], "X_AL": [0.4], "X_Y": [0.1]},
            [[[0.1]]],
            reference_state={
                "phases": ["LIQUID"],
                "conditions": {"P": 101325, "T": 1500, "X_CU": 1e-6, "X_Y": 1e-6},
            },
        ),
        "heat.json": equilibrium(
            "AL CU Y VA",
            "LIQUID ALCUY",
            "SM",
            {"T": [1100.0], "X_AL": [0.35], "X_Y": [0.3]},
            [[[75.0]]],
        ),
    },
)
