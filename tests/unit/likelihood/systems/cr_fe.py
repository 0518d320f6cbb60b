"""Magnetism, a model class of our own, and heat capacities."""

from unit.likelihood.systems.data import boundaries, equilibrium, fixed
from unit.likelihood.systems.system import System

MIXED = [[["CR", "FE"], "VA"]]

CR_FE = System(
    name="Cr-Fe",
    purpose="magnetic parameters that are fitted, a model class of our own, excluded contributions",
    database="crfe_bcc_magnetic.tdb",
    components=("CR", "FE", "VA"),
    phases=("BCC_A2",),
    changes={
        "ELEMENT CR BLANK 0 0 0": "ELEMENT CR BCC_A2 51.996 4050 23.56",
        "ELEMENT FE BLANK 0 0 0": "ELEMENT FE BCC_A2 55.847 4489 27.28",
        "1 1043;": "1 VV0000#;",
        "1 2.22;": "1 VV0001#;",
        "1 1000;": "1 VV0002#+VV0003#*T;",
    },
    additions="""
PARAMETER TC(BCC_A2,CR,FE:VA;0) 1 VV0004#; 6000 N !
PARAMETER BM(BCC_A2,CR,FE:VA;0) 1 -0.85; 6000 N !
FUNCTION VV0000 1 1043; 900 Y 1040; 6000 N !
FUNCTION VV0001 1 2.22; 6000 N !
FUNCTION VV0002 1 20500; 6000 N !
FUNCTION VV0003 1 -9.68; 6000 N !
FUNCTION VV0004 1 1650; 6000 N !
""",
    units={
        "activity": 1,
        "fixed configurations": 5,
        "phase boundaries": 1,
        "equilibrium properties": 1,
    },
    datasets={
        "gap.json": boundaries(
            "CR FE VA",
            [700.0],
            [[["BCC_A2", ["CR"], [0.15]], ["BCC_A2", ["CR"], [0.93]]]],
            weight=0.5,
        ),
        "enthalpy.json": fixed(
            "CR FE VA",
            "BCC_A2",
            "HM_FORM",
            [1, 3],
            {
                "T": 300,
                "configurations": [*MIXED, ["FE", "VA"]],
                "occupancies": [[[0.3, 0.7], 1], [1, 1]],
                "values": [[[4500, 10]]],
            },
        ),
        "heat-capacity.json": fixed(
            "CR FE VA",
            "BCC_A2",
            "CPM_MIX",
            [1, 3],
            {
                "T": [200, 900],
                "configurations": MIXED,
                "occupancies": [[[0.3, 0.7], 1]],
                "values": [[[1.0], [11.0]]],
            },
            weight=3.0,
        ),
        "heat-capacity-formed.json": fixed(
            "CR FE VA",
            "BCC_A2",
            "CPM_FORM",
            [1, 3],
            {
                "T": 950,
                "configurations": MIXED,
                "occupancies": [[[0.5, 0.5], 1]],
                "values": [[[11.0]]],
            },
        ),
        "without-magnetism.json": fixed(
            "CR FE VA",
            "BCC_A2",
            "HM_FORM",
            [1, 3],
            {
                "T": 300,
                "configurations": MIXED,
                "occupancies": [[[0.5, 0.5], 1]],
                "values": [[[1400]]],
            },
            tags=["calculated"],
        ),
        "entropy.json": fixed(
            "CR FE VA",
            "BCC_A2",
            "SM_FORM",
            [1, 3],
            {
                "T": [800],
                "configurations": MIXED,
                "occupancies": [[[0.5, 0.5], 1]],
                "values": [[[10.0]]],
            },
        ),
        "capacities.json": equilibrium(
            "CR FE VA",
            "BCC_A2",
            "CPM",
            {"T": [950.0, 1040.0], "X_CR": [0.1]},
            [[[46.0], [50.0]]],
            weight=[2.0, 0.5],
        ),
        "activity.json": equilibrium(
            "CR FE VA",
            "BCC_A2",
            "ACR_CR",
            {"T": [1400.0], "X_CR": [0.3]},
            [[[0.45]]],
            reference_state={"phases": ["BCC_A2"], "conditions": {"P": 101325, "T": 1400, "X_CR": 1.0}},
        ),
    },
    tags={"calculated": {"excluded_model_contributions": ["mag"], "weight": 0.25}},
    sampling={"data_weights": {"ZPF": 2.0, "ACR": 0.5, "HM": 1.5, "SM": 0.3, "CPM": 0.1}},
    models={"BCC_A2": "unit.likelihood.systems.models.Stiffened"},
)
