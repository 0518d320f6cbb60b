"""The pages promise no more of a short chain than the report says of it."""

import re
from pathlib import Path

import pytest

from docs.documents import DOCUMENTS
from support import ROOT

INPUTS = [ROOT / "examples/cu-mg/mcmc.yaml", ROOT / "src/espei_hpc/inputs/scaffold/templates/mcmc.yaml.j2"]


@pytest.mark.parametrize("path", [*DOCUMENTS, *INPUTS], ids=lambda path: str(path.relative_to(ROOT)))
def test_hundreds_of_iterations_are_nowhere_called_enough(path: Path) -> None:
    # The slowest symbol forgets where it was in some hundred iterations, and a hundred such times are wanted.
    text = " ".join(path.read_text().split())
    assert not re.search(r"(real fit|uncertainties|converge)[^.:]* hundreds", text, re.IGNORECASE)
