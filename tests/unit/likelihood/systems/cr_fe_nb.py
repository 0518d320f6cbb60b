"""A ternary with magnetism, a Laves phase and three-phase regions."""

from unit.likelihood.systems.data import boundaries, equilibrium, fixed
from unit.likelihood.systems.system import System

COMPOSITION = ["CR", "NB"]

CR_FE_NB = System(
    name="Cr-Fe-Nb",
    purpose="three components, three phases, compositions not known, a vertex given as disordered",
    database="CrFeNb_Jacob2016.tdb",
    components=("CR", "FE", "NB", "VA"),
    phases=("BCC_A2", "LIQUID", "LAVES_C14"),
    changes={
        "+20500-9.68*T": "+VV0000#+VV0001#*T",
        "+1650;": "+VV0002#;",
        "-.85;": "+VV0003#;",
        "-67223+13.971*T": "+VV0004#+13.971*T",
        "+35000;": "+VV0005#;",
    },
    additions="""
FUNCTION VV0000 298.15 20500; 6000 N !
FUNCTION VV0001 298.15 -9.68; 6000 N !
FUNCTION VV0002 298.15 1650; 6000 N !
FUNCTION VV0003 298.15 -0.85; 6000 N !
FUNCTION VV0004 298.15 -67223; 1000 Y -67000; 6000 N !
FUNCTION VV0005 298.15 35000; 6000 N !
""",
    units={
        "activity": 1,
        "fixed configurations": 2,
        "phase boundaries": 3,
        "equilibrium properties": 1,
    },
    datasets={
        "boundaries.json": boundaries(
            "CR FE NB VA",
            [1300.0],
            [[["BCC_A2", COMPOSITION, [0.33, 0.004]], ["LAVES_C14", COMPOSITION, [0.15, 0.26]]]],
            tags=["more"],
        ),
        "three-phases.json": boundaries(
            "CR FE NB VA",
            [1670.0],
            [
                [
                    ["BCC_A2", COMPOSITION, [0.33, 0.02]],
                    ["LAVES_C14", COMPOSITION, [None, None]],
                    ["LIQUID", COMPOSITION, [None, None]],
                ]
            ],
            weight=0.5,
        ),
        "enthalpy.json": fixed(
            "CR FE NB",
            "LIQUID",
            "HM_MIX",
            [1],
            {
                "T": 2200,
                "configurations": [[["CR", "FE", "NB"]], [["FE", "NB"]]],
                "occupancies": [[[0.3, 0.4, 0.3]], [[0.6, 0.4]]],
                "values": [[[-9000, -12000]]],
            },
        ),
        "compound.json": fixed(
            "FE NB",
            "LAVES_C14",
            "HM_FORM",
            [2, 1],
            {"T": 298.15, "configurations": [["FE", "NB"]], "values": [[[-17000]]]},
        ),
        "activity.json": equilibrium(
            "CR FE VA",
            "LIQUID",
            "ACR_FE",
            {"T": [2300.0], "X_CR": [0.2]},
            [[[0.75]]],
            reference_state={"phases": ["LIQUID"], "conditions": {"P": 101325, "T": 2300, "X_CR": 1e-6}},
        ),
        "heat.json": equilibrium(
            "CR FE NB VA",
            "BCC_A2",
            "HM",
            {"T": [1200.0], "X_CR": [0.3], "X_NB": [0.1]},
            [[[38000.0]]],
        ),
    },
    # ESPEI drops the flag of a vertex where it reads the file, but not in what a tag adds.
    tags={
        "more": {
            "conditions": {"T": [1300.0, 1400.0]},
            "values": [
                [
                    ["LAVES_C14", COMPOSITION, [0.3, 0.3], "disordered"],
                    ["BCC_A2", COMPOSITION, [0.5, 0.01]],
                ]
            ],
        }
    },
)
