"""Order and disorder in one description, with magnetism in the disordered part."""

from unit.likelihood.systems.data import boundaries, equilibrium, fixed
from unit.likelihood.systems.system import System

AL_FE = System(
    name="Al-Fe",
    purpose="an ordered phase with a magnetic disordered part, a vertex given as disordered, compounds",
    database="alfe.tdb",
    components=("AL", "FE", "VA"),
    phases=("BCC_A2", "B2_BCC", "AL2FE", "AL13FE4"),
    changes={
        "ELEMENT AL FCC_A1": "ELEMENT AL BCC_A2",
        "-122960.+31.9888*T": "+VV0000#+VV0001#*T",
        "G(B2_BCC,FE:AL:VA;0) 298.15 -14300.9572": "G(B2_BCC,FE:AL:VA;0) 298.15 VV0002#",
        "G(B2_BCC,AL:FE:VA;0) 298.15 -14300.9572": "G(B2_BCC,AL:FE:VA;0) 298.15 VV0002#",
        "298.15 +504;": "298.15 VV0003#;",
        "-98097.0+18.7503*T": "+VV0004#+18.7503*T",
        "-30714.4+7.44*T": "+VV0005#+7.44*T",
    },
    additions="""
FUNCTION VV0000 298.15 -122960; 1000 Y -120000; 6000 N !
FUNCTION VV0001 298.15 31.9888; 6000 N !
FUNCTION VV0002 298.15 -14300.9572; 6000 N !
FUNCTION VV0003 298.15 504; 6000 N !
FUNCTION VV0004 298.15 -98097; 6000 N !
FUNCTION VV0005 298.15 -30714.4; 6000 N !
""",
    units={
        "whole": 1,
        "fixed configurations": 2,
        "phase boundaries": 3,
        "equilibrium properties": 1,
    },
    datasets={
        "boundaries.json": boundaries(
            "AL FE VA",
            [1000.0, 800.0],
            [
                [["B2_BCC", ["AL"], [0.5]], ["AL2FE", ["AL"], [2 / 3]]],
                [["AL13FE4", ["AL"], [None]], ["AL2FE", ["AL"], [2 / 3]]],
            ],
            tags=["disordered"],
        ),
        "enthalpy.json": fixed(
            "AL FE VA",
            "B2_BCC",
            "HM_FORM",
            [0.5, 0.5, 3],
            {
                "T": 700,
                "configurations": [["AL", "FE", "VA"], [["AL", "FE"], ["AL", "FE"], "VA"]],
                "occupancies": [[1, 1, 1], [[0.2, 0.8], [0.2, 0.8], 1]],
                "values": [[[-28000, -15000]]],
            },
        ),
        "compound.json": fixed(
            "AL FE VA",
            "AL13FE4",
            "SM_MIX",
            [0.6275, 0.235, 0.1375],
            {
                "T": 700,
                "configurations": [["AL", "FE", ["AL", "VA"]]],
                "occupancies": [[1, 1, [0.4, 0.6]]],
                "values": [[[0.8]]],
            },
        ),
        "ordered.json": equilibrium(
            "AL FE VA",
            "B2_BCC",
            "HM",
            {"T": [900.0], "X_AL": [0.45]},
            [[[-10000.0]]],
        ),
    },
    # ESPEI drops the flag of a vertex where it reads the file, but not in what a tag adds.
    tags={
        "disordered": {
            "conditions": {"T": [1000.0, 800.0, 1400.0]},
            "values": [[["B2_BCC", ["AL"], [0.1], "disordered"]]],
        }
    },
)
