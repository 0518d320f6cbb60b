"""Tests that try a few in `make test`, and the same with many more in `make test-long`."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

LONG = (pytest.mark.long, pytest.mark.timeout(7200))


def few_and_many(name: str, few: object, many: object) -> pytest.MarkDecorator:
    """Run a test twice, the second time as a long one.

    Args:
        name: of the argument that tells how much is tried.
        few: its value for a quick test.
        many: its value for a long one.
    """
    return pytest.mark.parametrize(name, [few, pytest.param(many, marks=LONG)], ids=["few", "many"])


def mostly_long(first: object, *others: object) -> list[object]:
    """Return the values of one argument: the first is tried for every change, the others for a release."""
    return [first, *(pytest.param(other, marks=pytest.mark.long) for other in others)]


def try_examples(number: int, holds: Callable[..., None], *, same: bool = False, **drawn: Any) -> None:
    """Have hypothesis look for arguments for which a property does not hold.

    Args:
        number: of examples.
        holds: asserts the property.
        same: whether the examples are the same ones each time.
        drawn: a strategy for each of its arguments.
    """
    # The machine may be busy.
    slow = settings(deadline=None, suppress_health_check=list(HealthCheck))
    settings(slow, max_examples=number, derandomize=same)(given(**drawn)(holds))()
