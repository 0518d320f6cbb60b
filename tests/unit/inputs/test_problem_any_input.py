"""Whatever an input holds, the answer is a problem or a refusal, never a traceback."""

import contextlib
import copy
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import strategies as st

from amounts import few_and_many, try_examples
from espei_hpc.errors import Refusal
from espei_hpc.inputs import check
from unit.inputs.tiny_problem import (
    ACTIVITY,
    DATABASE,
    GENERATE,
    INPUT,
    MIXING,
    MODELS,
    TIE_LINES,
    TinyProblem,
)

# No dot and no slash: a path made of them could name any directory of this machine.
words = st.text(st.characters(codec="utf-8", exclude_characters="./", exclude_categories=["C"]), max_size=8)
real_words = st.sampled_from(
    ["dask", "None", "zero", "out.tdb", "trace.npy", "x.yaml", "data", "VV0000", "CU", "VA"]
)
plain = st.none() | st.booleans() | st.integers() | st.floats() | words | real_words
anything = st.recursive(
    plain,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words | real_words, inner, max_size=3),
    max_leaves=5,
)

EXTRA = {"mcmc": {"symbols": ["VV0000"], "prior": {"name": "zero"}, "data_weights": {"HM": 1.0}}}
DELETE = object()


def places(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in items:
        yield (*path, key)
        yield from places(value, (*path, key))


@st.composite
def mutated(draw: st.DrawFn, original: Any) -> Any:
    """Replace, delete or add one or two values anywhere."""
    data = copy.deepcopy(original)
    for _ in range(draw(st.integers(1, 2))):
        *holders, last = draw(st.sampled_from(sorted(places(data), key=str) or [("x",)]))
        holder = data
        for key in holders:
            holder = holder[key]
        value = draw(anything | st.just(DELETE))
        if value is not DELETE:
            holder[last] = value
        elif isinstance(holder, dict):
            holder.pop(last, None)
        if isinstance(holder, dict) and draw(st.booleans()):
            holder[draw(words | st.integers())] = draw(anything)
    return data


def mcmc_input() -> dict[str, Any]:
    data = copy.deepcopy(INPUT)
    data["mcmc"].update(EXTRA["mcmc"])
    return data


def generate_input() -> dict[str, Any]:
    data = copy.deepcopy(INPUT)
    data["mcmc"].pop("input_db")
    return data | {"generate_parameters": GENERATE}


def check_is_refused_or_passes(tiny: TinyProblem) -> None:
    with contextlib.chdir(tiny.directory):
        path = tiny.write()
        try:
            check(path)
        except Refusal as refusal:
            faults = [str(fault) for fault in refusal.faults]
        else:
            return
    assert faults
    assert all("\n" not in fault for fault in faults)


@pytest.fixture(scope="module")
def directory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


@st.composite
def spoilt(draw: st.DrawFn, text: str) -> str:
    """Cut, double or replace a few characters or lines anywhere."""
    for _ in range(draw(st.integers(1, 3))):
        first = draw(st.integers(0, len(text)))
        last = min(len(text), first + draw(st.sampled_from([0, 1, 1, 5, 60])))
        text = (
            text[:first] + draw(st.sampled_from(["", "!", " ", text[first:last] * 2]) | words) + text[last:]
        )
    return text


def file(name: str, texts: st.SearchStrategy[str]) -> st.SearchStrategy[dict[str, Any]]:
    return texts.map(lambda text: {"texts": {name: text}})


CHANGED: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "input": file("x.yaml", (mutated(mcmc_input()) | mutated(generate_input())).map(yaml.safe_dump)),
    "phase models": mutated(MODELS).map(lambda models: {"models": json.loads(json.dumps(models))}),
    "dataset": (mutated(MIXING) | mutated(TIE_LINES) | mutated(ACTIVITY)).map(
        lambda dataset: {"datasets": {"mixing.json": MIXING, "any.json": dataset}}
    ),
    "database": spoilt(DATABASE).map(lambda database: {"database": database}),
    "text in place of the input": file("x.yaml", spoilt(yaml.safe_dump(INPUT))),
    "text in place of a dataset": file("data/mixing.json", spoilt(json.dumps(MIXING))),
}


@few_and_many("examples", 20, 2000)
@pytest.mark.parametrize("changed", CHANGED)
def test_whatever_is_changed_is_checked_without_a_traceback(
    directory: Path, changed: str, examples: int
) -> None:
    def holds(change: dict[str, Any]) -> None:
        check_is_refused_or_passes(TinyProblem(directory, **change))

    try_examples(examples, holds, change=CHANGED[changed])
