"""Order and disorder with magnetism, vacancies that mix, and parameters for any constituent."""

from unit.likelihood.systems.data import boundaries, equilibrium, fixed
from unit.likelihood.systems.system import System

AL_NI = System(
    name="Al-Ni",
    purpose="an ordered phase next to its disordered state, vacancies that mix, fitted symbols within others",
    database="alni_dupin_2001.tdb",
    components=("AL", "NI", "VA"),
    phases=("LIQUID", "AL3NI2", "FCC_A1", "FCC_L12"),
    changes={
        "FUNCTION UALNI 2.98150E+02 -22212.8931": "FUNCTION UALNI 298.15 VV0001#",
        "FUNCTION U4ALNI 2.98150E+02 +7203.60609": "FUNCTION U4ALNI 298.15 VV0002#",
        "-162407.75+16.212965*T": "+VV0003#+16.212965*T",
        "1745;": "VV0004#;",
        "-22001.7+7.0332*T": "+VV0005#+7.0332*T",
    },
    additions="""
FUNCTION VV0001 298.15 -22212.8931; 6000 N !
FUNCTION VV0002 298.15 7203.60609; 900 Y 7200; 6000 N !
FUNCTION VV0003 298.15 -162407.75; 6000 N !
FUNCTION VV0004 298.15 1745; 6000 N !
FUNCTION VV0005 298.15 -22001.7; 6000 N !
""",
    units={
        "whole": 1,
        "fixed configurations": 2,
        "phase boundaries": 2,
        "equilibrium properties": 1,
    },
    datasets={
        "boundaries.json": boundaries(
            "AL NI VA",
            [1200.0, 1400.0],
            [
                [["FCC_L12", ["AL"], [0.147]], ["FCC_L12", ["AL"], [0.23]]],
                [
                    ["__HYPERPLANE__", ["AL"], [0.18]],
                    ["FCC_L12", ["AL"], [0.17]],
                    ["LIQUID", ["AL"], [None]],
                ],
            ],
        ),
        "enthalpy.json": fixed(
            "AL NI VA",
            "FCC_L12",
            "HM_FORM",
            [0.75, 0.25, 1],
            {
                "T": 500,
                "configurations": [["NI", "AL", "VA"], [["AL", "NI"], ["AL", "NI"], "VA"]],
                "occupancies": [[1, 1, 1], [[0.1, 0.9], [0.1, 0.9], 1]],
                "values": [[[-38000, -13000]]],
            },
        ),
        "vacancies.json": fixed(
            "AL NI VA",
            "AL3NI2",
            "HM_MIX",
            [3, 2, 1],
            {
                "T": [600, 1000],
                "configurations": [["AL", ["AL", "NI"], ["NI", "VA"]]],
                "occupancies": [[1, [0.1, 0.9], [0.2, 0.8]]],
                "values": [[[-5000], [-4900]]],
            },
        ),
        "ordered.json": equilibrium(
            "AL NI VA",
            "FCC_L12",
            "HM",
            {"T": [900.0], "X_AL": [0.24]},
            [[[-20000.0]]],
        ),
    },
)
