"""A miscibility gap, pressure, and symbols of several ranges."""

from unit.likelihood.systems.data import boundaries, equilibrium, fixed
from unit.likelihood.systems.system import System

AL_ZN = System(
    name="Al-Zn",
    purpose="a phase twice in a region, pressures, many temperatures, symbols of several ranges",
    database="alzn_mey.tdb",
    components=("AL", "ZN", "VA"),
    phases=("LIQUID", "FCC_A1", "HCP_A3"),
    changes={
        "+7297.5+0.47512*T": "+VV0001#+VV0002#*T+1E-7*VV0002#*P",
        "+6612.9-4.5911*T": "LFCC#",
        "+18821.0-8.95255*T": "+VV0004#-8.95255*T",
        "+10465.5-3.39259*T": "+LLIQ#-3.39259*T",
    },
    additions="""
FUNCTION VV0001 298.15 7297.5; 500 Y 7400; 6000 N !
FUNCTION VV0002 298.15 0.47512; 6000 N !
FUNCTION VV0003 298.15 6612.9; 400 Y 6600; 800 Y 6500; 6000 N !
FUNCTION VV0004 298.15 18821.0; 6000 N !
FUNCTION LLIQ 298.15 10465.5; 6000 N !
FUNCTION LFCC 298.15 VV0003#-4.5911*T; 6000 N !
""",
    units={
        "activity": 1,
        "fixed configurations": 2,
        "phase boundaries": 2,
        "equilibrium properties": 2,
    },
    datasets={
        "gap.json": boundaries(
            "AL ZN VA",
            [580.0, 560.0],
            [
                [["FCC_A1", ["ZN"], [0.24]], ["FCC_A1", ["ZN"], [0.54]]],
                [["FCC_A1", ["ZN"], [0.6]], ["HCP_A3", ["ZN"], [None]]],
            ],
            weight=2.0,
        ),
        "enthalpy.json": fixed(
            "AL ZN",
            "FCC_A1",
            "HM_MIX",
            [1],
            {
                "T": [550, 650],
                "configurations": [[["AL", "ZN"]], [["AL", "ZN"]]],
                "occupancies": [[[0.7, 0.3]], [[0.5, 0.5]]],
                "values": [[[2100, 1900], [2000, 1800]]],
            },
        ),
        "entropy.json": fixed(
            "AL ZN",
            "FCC_A1",
            "SM_MIX",
            [1],
            {
                "P": [101325, 1e8],
                "T": [600],
                "configurations": [[["AL", "ZN"]]],
                "occupancies": [[[0.7, 0.3]]],
                "values": [[[5.5]], [[5.4]]],
            },
        ),
        "activity.json": equilibrium(
            "AL ZN VA",
            "LIQUID",
            "ACR_ZN",
            {"T": [950.0], "X_ZN": [0.3]},
            [[[0.4]]],
            reference_state={"phases": ["LIQUID"], "conditions": {"P": 101325, "T": 950, "X_ZN": 1.0}},
        ),
        "pressures.json": equilibrium(
            "AL ZN VA",
            "FCC_A1 HCP_A3",
            "HM",
            {"P": [101325, 1e8], "T": 590.0, "X_ZN": [0.4]},
            [[[12000.0]], [[12000.0]]],
        ),
        "temperatures.json": equilibrium(
            "AL ZN VA",
            "FCC_A1 HCP_A3",
            "HMR",
            {"T": [500.0, 590.0], "X_ZN": [0.4]},
            [[[1400.0], [1900.0]]],
            reference_states={"AL": {"phase": "FCC_A1"}, "ZN": {"phase": "HCP_A3"}},
        ),
    },
    sampling={"symbols": ["VV0003", "VV0001", "LLIQ", "VV0002"]},
)
