"""Nothing is first evaluated behind the queue: the starting values are, by ESPEI, where they are checked."""

import copy
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from espei.espei_script import run_espei

from espei_hpc.errors import Refusal
from espei_hpc.exit_codes import ExitCode
from espei_hpc.fit.impossible import refuse_impossible, stuck
from espei_hpc.fit.opening import Opening, checked
from espei_hpc.forecast.measure import measure
from espei_hpc.inputs import check
from espei_hpc.likelihood import Evaluated, UnitResult
from unit.inputs.tiny_problem import ACTIVITY, EQUILIBRIUM, TIE_LINES, TinyProblem

Change = Callable[[TinyProblem], object]
REFERENCE = ACTIVITY["reference_state"]
MIX = {"P": 101325, "T": 1400}


def activity(**changes: object) -> Change:
    return lambda tiny: tiny.datasets.update({"a.json": ACTIVITY | changes})


def equilibrium(**changes: object) -> Change:
    return lambda tiny: tiny.datasets.update({"e.json": EQUILIBRIUM | changes})


RAISES: dict[str, tuple[Change, str]] = {
    "a reference without a composition": (
        activity(reference_state={"phases": ["LIQUID"], "conditions": MIX}),
        "data/a.json: reference_state: no composition for 2 components (CU, MG), which need 1",
    ),
    "a reference phase that is not active": (
        activity(reference_state=REFERENCE | {"phases": ["HCP_A3"]}),
        "data/a.json: its reference_state names HCP_A3, not among the active phases FCC_A1, LIQUID",
    ),
    "the activity of an element that is not there": (
        activity(output="ACR_ZN"),
        "data/a.json: ACR_ZN is the activity of ZN, and the components are CU, MG",
    ),
    "one composition too many for an activity": (
        activity(conditions=MIX | {"X_MG": [0.3, 0.5], "X_CU": [0.7, 0.5]}),
        "data/a.json: conditions: 2 compositions (X_CU, X_MG) for 2 components (CU, MG), which need 1",
    ),
    "one composition too many": (
        equilibrium(conditions=MIX | {"X_MG": [0.3, 0.5], "X_CU": [0.7, 0.5]}),
        "data/e.json: conditions: 2 compositions (X_CU, X_MG) for 2 components (CU, MG), which need 1",
    ),
    "a property that needs reference states": (
        equilibrium(output="HMR"),
        "data/e.json: HMR is HM relative to a reference, and reference_states is missing",
    ),
    "a property that pycalphad lacks": (
        equilibrium(output="XYZ"),
        "data/e.json: pycalphad has no property XYZ",
    ),
    "a reference state's unknown phase": (
        equilibrium(output="HMR", reference_states={"CU": {"phase": "FCC_A1"}, "MG": {"phase": "HCP_A3"}}),
        "data/e.json: its reference_states name HCP_A3 for MG, which the starting database does not have",
    ),
    "a weight in quotes": (
        lambda t: t.mixing.update(weight="10"),
        "data/mixing.json: weight must be a number, not '10'; write it without quotes",
    ),
    "an activity of 0": (
        activity(conditions=MIX | {"X_MG": [0.0, 0.5]}, values=[[[0.0, 0.2]]]),
        "data/a.json: has the activity 0, whose logarithm is not finite",
    ),
}


@pytest.mark.parametrize(("change", "expected"), RAISES.values(), ids=RAISES)
def test_what_cannot_be_evaluated_is_refused_with_dataset_and_reason(
    tiny: TinyProblem, change: Change, expected: str
) -> None:
    tiny.datasets["z.json"] = TIE_LINES
    change(tiny)
    path = tiny.write()

    with pytest.raises(Refusal) as caught:
        check(path, evaluate=True)

    assert [str(fault) for fault in caught.value.faults if str(fault).startswith(expected)], str(caught.value)
    assert len(caught.value.faults) == 1, str(caught.value)
    assert caught.value.code == ExitCode.BAD_INPUT
    # Stock raises, or never leaves minus infinity.
    try:
        _, sampler = run_espei(copy.deepcopy(tiny.input))
    except Exception:
        return
    assert np.isneginf(sampler.lnprobability).all()


def test_a_generated_start_is_evaluated_too(tiny: TinyProblem) -> None:
    tiny.generate(mcmc=True)
    check(tiny.write(), evaluate=True)
    activity(output="ACR_ZN")(tiny)
    path = tiny.write()

    with pytest.raises(Refusal) as caught:
        check(path, evaluate=True)

    assert [fault.where for fault in caught.value.faults] == ["data/a.json"]


def test_all_datasets_that_cannot_be_evaluated_are_told_at_once(tiny: TinyProblem) -> None:
    for change, _ in (RAISES["a property that pycalphad lacks"], RAISES["a reference without a composition"]):
        change(tiny)
    tiny.mcmc["iterations"] = 1
    path = tiny.write()

    with pytest.raises(Refusal) as caught:
        check(path, evaluate=True)

    assert {fault.where for fault in caught.value.faults} == {
        "data/a.json",
        "data/e.json",
        "x.yaml: mcmc.iterations",
    }


def test_it_is_evaluated_before_a_cluster_starts_and_once_for_a_chain(tiny: TinyProblem) -> None:
    activity(output="ACR_ZN")(tiny)
    opening = Opening(tiny.write(), Path("x.run"))

    with pytest.raises(Refusal, match="ACR_ZN"):
        checked(opening, lambda _: None)
    Path("x.run").mkdir()
    with pytest.raises(Refusal, match="ACR_ZN"):
        checked(opening, lambda _: None)


def test_a_start_that_only_some_walkers_leave_is_a_note(tiny: TinyProblem) -> None:
    # No walker starts with the symbol where it is, so the walkers decide.
    tiny.mcmc.update(prior={"name": "uniform", "loc_shift_relative": -0.1, "scale_relative": 0.2})
    tiny.mcmc["chains_per_parameter"] = 6

    problem = check(tiny.write(), evaluate=True)

    assert problem.outside
    (note,) = problem.notes
    assert note.startswith(
        f"mcmc.prior: {len(problem.outside)} of 12 walkers start outside the uniform prior of"
    )
    assert "VV0000, VV0001" in note
    _, sampler = run_espei(copy.deepcopy(problem.settings))
    # Those that have not moved yet are the ones that were named.
    first = np.flatnonzero(np.isneginf(sampler.lnprobability[:, 0])) + 1
    assert set(first) <= set(problem.outside)


def test_a_prior_that_no_walker_starts_in_is_refused(tiny: TinyProblem) -> None:
    trace = np.random.default_rng(1).normal((-35000, 5000), (100, 10), (4, 3, 2))
    np.save("old.npy", trace * 2)
    tiny.mcmc.update(
        restart_trace="old.npy", prior={"name": "uniform", "loc_shift_relative": -0.1, "scale_relative": 0.2}
    )

    with pytest.raises(Refusal, match="all 4 walkers start outside the uniform prior of VV0000, VV0001"):
        check(tiny.write())


def test_a_chain_of_impossible_walkers_is_refused() -> None:
    with pytest.raises(Refusal, match="of all 4 starting walkers is minus infinity") as caught:
        refuse_impossible(np.full(4, -np.inf))
    assert caught.value.code == ExitCode.BAD_INPUT
    refuse_impossible(np.array([-np.inf, -3.0]))
    refuse_impossible(np.empty(0))


def test_the_summary_names_the_walkers_that_never_had_a_finite_log_probability() -> None:
    last = np.array([-3.0, -np.inf, -4.0, -np.inf])
    assert stuck(np.array([-3.0]), (1,)) == []
    (line,) = stuck(last, (2, 3, 4))
    assert "2 of 4 walkers (2, 4) never had a finite log-probability: they started outside the prior" in line
    (line,) = stuck(last, (2,))
    assert "the prior or the data exclude where they are" in line


def test_failures_are_not_timed() -> None:
    def evaluate(parameters: np.ndarray) -> Evaluated:
        failed = UnitResult(short_circuited=True)
        return Evaluated(0.0, results={0: UnitResult(), 1: failed}, seconds={0: 0.1, 1: 0.1})

    with pytest.raises(Refusal, match="no starting walker could be evaluated completely"):
        measure(evaluate, np.zeros(1), np.zeros((3, 1)))
