"""What fitted symbols are, read from databases that use them in every way."""

from pathlib import Path

import pytest
from pycalphad import Database

from espei_hpc.report import samples
from espei_hpc.report.symbols import SymbolDescription, describe, describe_file
from support import EXAMPLE
from unit.report.made_report import made_run

TDB = """
ELEMENT CU FCC_A1 63.5 5004.1 33.15 !
ELEMENT MG HCP_A3 24.3 4998.0 32.671 !
ELEMENT VA VACUUM 0.0 0.0 0.0 !
{functions}
TYPE_DEFINITION % SEQ * !
PHASE LIQUID % 1 1 !
CONSTITUENT LIQUID :CU,MG: !
PHASE FCC_A1 % 2 1 1 !
CONSTITUENT FCC_A1 :CU,MG:VA: !
{parameters}
"""
RANGE = "1 {}; 6000 N !"


def described(parameters: dict[str, str], functions: dict[str, str] | None = None) -> SymbolDescription:
    """Describe VV0001 of a database with these parameters and functions."""
    numbers = {f"VV{number:04d}": "1000" for number in (1, 2)}
    text = TDB.format(
        functions="\n".join(
            f"FUNCTION {name} {RANGE.format(what)}" for name, what in (numbers | (functions or {})).items()
        ),
        parameters="\n".join(f"PARAMETER {name} {RANGE.format(what)}" for name, what in parameters.items()),
    )
    return describe(Database.from_string(text, fmt="tdb"), ["VV0001", "VV0002"])["VV0001"]


@pytest.mark.parametrize(
    ("parameter", "expression", "text"),
    [
        ("L(LIQUID,CU,MG;1)", "VV0001", "LIQUID, interaction L1 of CU,MG: constant term (J/mol)"),
        ("G(LIQUID,CU,MG;1)", "VV0001", "LIQUID, interaction L1 of CU,MG: constant term (J/mol)"),
        (
            "L(LIQUID,CU,MG;0)",
            "VV0002+VV0001*T",
            "LIQUID, interaction L0 of CU,MG: temperature term (J/mol/K)",
        ),
        ("G(FCC_A1,CU:VA;0)", "5*T+VV0001", "FCC_A1, endmember CU:VA: constant term (J/mol)"),
        ("G(LIQUID,CU;0)", "VV0001*T*LN(T)", "LIQUID, endmember CU: T ln T term (J/mol/K)"),
        ("G(LIQUID,CU;0)", "VV0001*T**2", "LIQUID, endmember CU: T² term (J/mol/K²)"),
        ("G(LIQUID,CU;0)", "VV0001*T**(-1)", "LIQUID, endmember CU: 1/T term (J·K/mol)"),
        ("G(LIQUID,CU;0)", "3*VV0001", "LIQUID, endmember CU: constant term times 3 (J/mol)"),
        ("G(LIQUID,CU;0)", "VV0001+VV0001*T", "LIQUID, endmember CU: multiplies a function of temperature"),
        ("G(LIQUID,CU;0)", "VV0001*VV0002", "LIQUID, endmember CU: multiplies other symbols"),
        ("TC(FCC_A1,CU,MG:VA;0)", "VV0001", "FCC_A1, TC of CU,MG:VA, order 0: constant term (K)"),
        ("BMAGN(FCC_A1,CU:VA;0)", "VV0001", "FCC_A1, BMAGN of CU:VA, order 0: constant term"),
    ],
)
def test_a_symbol_is_described_by_its_parameter_and_its_term(
    parameter: str, expression: str, text: str
) -> None:
    assert str(described({parameter: expression})) == text


def test_a_symbol_of_several_parameters_says_so() -> None:
    two = described({"L(LIQUID,CU,MG;0)": "VV0001", "L(LIQUID,CU,MG;1)": "-VV0001"})
    assert str(two) == (
        "used 2 times (J/mol): LIQUID, interaction L0 of CU,MG: constant term; "
        "LIQUID, interaction L1 of CU,MG: constant term times -1"
    )
    assert two.short == "L(LIQUID,CU,MG;0) + 1 more"


def test_a_symbol_of_many_parameters_names_the_first_and_counts_the_others() -> None:
    many = described({f"L(LIQUID,CU,MG;{order})": "VV0001" for order in range(5)})
    assert str(many).startswith("used 5 times")
    assert str(many).endswith("L2 of CU,MG: constant term; 2 more")


def test_a_symbol_within_functions_names_them_from_the_inside() -> None:
    inside = described({"G(LIQUID,CU;0)": "OUTER"}, {"OUTER": "2*INNER", "INNER": "7+VV0001*T"})
    assert str(inside) == (
        "LIQUID, endmember CU: temperature term times 2, within function INNER of OUTER (J/mol/K)"
    )


def test_functions_that_are_plain_numbers_are_taken_for_them() -> None:
    inside = described({"G(LIQUID,CU;0)": "HALF*VV0001*T"}, {"HALF": "2*QUARTER", "QUARTER": "0.25"})
    assert str(inside) == "LIQUID, endmember CU: temperature term times 0.5 (J/mol/K)"


def test_a_unit_that_depends_on_the_use_is_left_out() -> None:
    both = described({"G(LIQUID,CU;0)": "VV0001", "G(LIQUID,MG;0)": "VV0001*T"})
    assert both.unit == ""


def test_every_temperature_range_counts() -> None:
    text = TDB.format(
        functions="FUNCTION VV0001 1 10; 6000 N !",
        parameters="PARAMETER G(LIQUID,CU;0) 1 5; 900 Y VV0001*T; 6000 N !",
    )
    found = describe(Database.from_string(text, fmt="tdb"), ["VV0001"])["VV0001"]
    assert found.unit == "J/mol/K"


def test_a_symbol_that_nothing_uses_says_so() -> None:
    assert str(described({"G(LIQUID,CU;0)": "5"})) == "not used by any parameter of the database"


def test_functions_that_use_each_other_in_a_circle_are_read() -> None:
    circle = described({"G(LIQUID,CU;0)": "ONE"}, {"ONE": "TWO+VV0001", "TWO": "ONE"})
    assert "within function ONE" in str(circle)


def test_symbols_of_the_example_are_those_of_its_file() -> None:
    found = describe_file(EXAMPLE / "cu-mg_start.tdb", ["VV0002", "VV0004"])
    assert [str(one) for one in found.values()] == [
        "LAVES_C15, endmember CU:MG: constant term (J/mol)",
        "LIQUID, interaction L0 of CU,MG: temperature term (J/mol/K)",
    ]


def test_a_file_that_is_no_database_describes_nothing(tmp_path: Path) -> None:
    (tmp_path / "no.tdb").write_text("PARAMETER G(!")
    assert describe_file(tmp_path / "no.tdb", ["VV0001"]) == {}


def test_a_generated_database_is_the_one_that_the_fit_wrote(tmp_path: Path) -> None:
    run = made_run(tmp_path)
    run.input_file.write_text(
        "generate_parameters: {}\nmcmc: {iterations: 9}\noutput: {output_db: made.tdb}\n"
    )
    assert samples.read(run.input_file).database is None
    (tmp_path / "made.tdb").write_text("")
    assert samples.read(run.input_file).database == tmp_path / "made.tdb"
