"""Plots of data: what they are drawn against, and what is in them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from espei_hpc.likelihood.upstream.espei import DataPoint
from espei_hpc.report import data_plots, plots
from espei_hpc.report.measured import Compared
from espei_hpc.report.properties import PropertyFamily


def made(
    measured: float,
    *,
    x: float = 0.5,
    temperature: float = 1000.0,
    reference: str = "somebody",
    **changes: Any,
) -> Compared:
    """Make a value of HM_MIX of LIQUID in Cu-Mg; the calculation gives 10 more before, 1 more after."""
    point = DataPoint(
        measured,
        temperature,
        changes.pop("fractions", (("CU", 1 - x), ("MG", x))),
        reference,
        changes.pop("configuration", "CU,MG"),
    )
    content: dict[str, Any] = {
        "output": "HM_MIX",
        "excluded": (),
        "phase": "LIQUID",
        "before": measured + 10,
        "after": measured + 1,
        "difference_before": 10.0,
        "difference_after": 1.0,
        "deviation": 500.0,
    }
    return Compared(point=point, **(content | changes))


def drawn(compared: Sequence[Compared], family: PropertyFamily = PropertyFamily.ENTHALPY) -> Figure:
    figure = data_plots.figure(family, compared, data_plots.styles(compared))
    with plots.style():
        assert plots.png(figure).startswith(b"\x89PNG")
    return figure


def labels(figure: Figure) -> list[tuple[str, str]]:
    return [(axes.get_xlabel(), axes.get_ylabel()) for axes in figure.axes]


def lines(axes: Axes) -> list[tuple[str, list[float], list[float]]]:
    return [
        (str(line.get_linestyle()), *np.asarray(line.get_data(), dtype=float).round(9).tolist())
        for line in axes.get_lines()
    ]


ALONG_X = [made(-1000.0 * number, x=number / 10) for number in (3, 1, 2)]
PARITY = [("measured, J/mol-atom", "calculated, J/mol-atom"), ("measured, J/mol-atom", "")]


def test_a_binary_phase_is_drawn_against_the_composition() -> None:
    assert labels(drawn(ALONG_X)) == [("x(Mg)", "J/mol-atom")]


def test_calculated_values_make_a_curve_before_and_one_after_and_measured_ones_stand_alone() -> None:
    found = lines(drawn(ALONG_X).axes[0])
    assert found[:2] == [
        ("--", [0.1, 0.2, 0.3], [-990, -1990, -2990]),
        ("-", [0.1, 0.2, 0.3], [-999, -1999, -2999]),
    ]
    assert sorted(y for style, _, (y,) in found[2:] if style == "None") == [-3000, -2000, -1000]


def test_each_temperature_has_a_curve_of_its_own() -> None:
    figure = drawn([*ALONG_X, *(made(-5.0, x=x, temperature=1200.0) for x in (0.1, 0.2, 0.3))])
    assert [style for style, *_ in lines(figure.axes[0])].count("-") == 2


def test_no_curve_joins_several_values_at_one_place() -> None:
    figure = drawn([*ALONG_X, made(-7777.0, x=0.2)])
    assert {style for style, *_ in lines(figure.axes[0])} == {"None"}


def test_a_compound_is_drawn_against_the_temperature_where_that_varies() -> None:
    compound = [
        made(20.0 + kelvin / 100, x=1 / 3, temperature=kelvin, output="CPM")
        for kelvin in (300.0, 400.0, 500.0)
    ]
    assert labels(drawn(compound, PropertyFamily.HEAT_CAPACITY)) == [("temperature, K", "J/K-mol-atom")]


def test_a_ternary_is_drawn_measured_against_calculated() -> None:
    ternary = [
        made(-1000.0 * number, fractions=(("AL", 0.1 * number), ("CU", 0.2), ("MG", 0.8 - 0.1 * number)))
        for number in (1, 2, 3)
    ]
    figure = drawn(ternary)
    assert labels(figure) == PARITY
    for axes, more in zip(figure.axes, (10, 1), strict=True):
        points = [(x, y) for style, (x, *_), (y, *_) in lines(axes) if style == "None"]
        assert points == [(value, value + more) for value in (-1000, -2000, -3000)]


def test_measured_against_calculated_has_the_same_scale_on_all_four_axes() -> None:
    before, after = drawn([made(-1000.0), made(-2000.0)]).axes
    assert before.get_xlim() == before.get_ylim() == after.get_xlim() == after.get_ylim()


def test_phases_of_few_data_share_a_plot_and_those_with_an_axis_have_their_own() -> None:
    figure = drawn([*ALONG_X, made(-5.0, phase="FCC_A1"), made(-6.0, phase="HCP_A3")])
    assert [axes.get_title(loc="left") for axes in figure.axes] == [
        "HM_MIX of LIQUID, 1000 K",
        "HM_MIX of FCC_A1, HCP_A3: before the fit",
        "HM_MIX of FCC_A1, HCP_A3: best of the chain",
    ]


def test_properties_are_never_in_one_plot() -> None:
    figure = drawn([made(-1.0), made(-2.0, output="HM_FORM"), made(-2.0, excluded=("mag",))])
    assert [axes.get_title(loc="left").split(" of ")[0] for axes in figure.axes[::2]] == [
        "HM_FORM",
        "HM_MIX",
        "HM_MIX without mag",
    ]


def test_an_activity_has_no_unit_but_its_element() -> None:
    activities = [made(x, x=x, output="ACR_MG") for x in (0.3, 0.5, 0.7)]
    assert labels(drawn(activities, PropertyFamily.ACTIVITY)) == [("x(Mg)", "activity of MG")]


def test_references_look_different_and_are_all_in_the_legend() -> None:
    many = [made(-1000.0, reference=f"author {number:02d}") for number in range(40)]
    look = data_plots.styles(many)
    assert len({(style["color"], style["marker"]) for style in look.values()}) == 40
    (legend,) = drawn(many).legends
    assert [text.get_text() for text in legend.get_texts()] == sorted(look)


@pytest.mark.parametrize(
    ("reference", "label"),
    [
        ("", "no reference"),
        ("_hidden", "_hidden"),
        (r"$\oops$", r"\$\oops\$"),
        ("x" * 500, "x" * 37 + "…"),
        ("Müller & Söhne <1900>", "Müller & Söhne <1900>"),
    ],
)
def test_a_reference_of_any_name_is_drawn(reference: str, label: str) -> None:
    (legend,) = drawn([made(-1000.0, reference=reference)]).legends
    assert [text.get_text() for text in legend.get_texts()] == [label]


def test_values_that_could_not_be_calculated_are_drawn_as_measured_alone() -> None:
    nothing: dict[str, Any] = {"before": np.nan, "after": np.inf, "deviation": np.nan}
    drawn([made(-1000.0 * number, x=number / 10, **nothing) for number in (1, 2, 3)])
    drawn([made(-1000.0, **nothing)])


def test_the_picture_grows_with_the_number_of_plots() -> None:
    phases = [
        made(-1.0 * number, x=number / 10, phase=f"P{index}") for index in range(9) for number in (1, 2, 3)
    ]
    figure = drawn(phases)
    assert len(figure.axes) == 9
    assert figure.get_size_inches()[1] > 5 * data_plots.ROW_INCHES
