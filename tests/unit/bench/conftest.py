"""The modules of the bench, which are no package, can be imported."""

import pytest

from support import ROOT


@pytest.fixture(autouse=True)
def bench(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the bench on the path."""
    monkeypatch.syspath_prepend(str(ROOT / "bench"))
