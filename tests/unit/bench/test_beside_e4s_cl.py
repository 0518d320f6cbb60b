"""What ranks became is told by all of them, or not at all."""

import importlib
from types import ModuleType
from typing import Any

import pytest


@pytest.fixture
def outcome() -> ModuleType:
    return importlib.import_module("beside_e4s_cl.outcome")


def ranks(*sizes: int, message: bool = True) -> list[dict[str, Any]]:
    return [{"size": size, "message": message} for size in sizes]


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (ranks(3, 3, 3), "one world"),
        (ranks(3, 3, 3, message=False), "one world, but the message did not arrive"),
        (ranks(1, 1, 1), "3 worlds of 1"),
        (ranks(3, 3), "crash"),
        (ranks(1), "crash"),
        ([], "crash"),
    ],
)
def test_a_world_is_one_only_where_every_rank_says_so(
    outcome: ModuleType, told: list[dict[str, Any]], words: str
) -> None:
    assert outcome.in_words(told) == words
