"""Every launcher of this host with every variant of the image: what is predicted is what happens."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from container.conftest import Apptainer
from container.machine import VARIANTS
from espei_hpc.doctor import probe
from espei_hpc.hostmpi.predict import Outcome
from mpi_support import LAUNCHERS, MORE_RANKS_THAN_CORES
from support import ROOT

RANKS = 3
SECONDS = 60
"""After which the ranks end themselves; a pair that works takes three."""
OWN = "its own"
"""Asks for the MPI that the launcher belongs to."""
ASKED = ("auto", "none", OWN)
NAMES: dict[Path, str] = {}
"""Make and version of each launcher."""
README = ROOT / "README.md"
BEGIN, END = "<!-- written by test_host_mpi.py -->\n", "<!-- until here -->"


@dataclass
class Cell:
    """One launcher with one image."""

    apptainer: Apptainer
    launcher: Path

    def looked_at(self, asked: str) -> dict[str, Any]:
        """Return what is said of it beforehand."""
        return dict(json.loads(self._host_mpi(asked, "--json")))

    def outcome(self, asked: str) -> Outcome:
        """Start ranks with the options that are printed, and tell what they became."""
        options = self._host_mpi(asked, "--options", "apptainer").splitlines() if asked else []
        place = self.apptainer.commands.directory / "trial"
        place.mkdir()
        place.chmod(0o777)
        rank: list[str | Path] = [
            "espei-hpc",
            "probe",
            "--dir",
            place,
            "--ranks",
            str(RANKS),
            "--seconds",
            str(SECONDS),
        ]
        container: list[str | Path] = ["apptainer", "--quiet", "exec", *options, self.apptainer.sif]
        result = self.apptainer.host(
            self.launcher, "-n", str(RANKS), *container, *rank, env=MORE_RANKS_THAN_CORES
        )
        return became(probe.reports(result.output))

    def _host_mpi(self, asked: str, *options: str) -> str:
        if asked == OWN:
            asked = str(self.launcher.resolve().parents[1])
        words = ["espei-hpc", "host-mpi", "--host-mpi", asked, "--launcher", str(self.launcher), *options]
        result = self.apptainer.host(
            "bash",
            "-c",
            'exec apptainer --quiet exec --bind /:/host:ro "$@" 2>/dev/null',
            "bash",
            self.apptainer.sif,
            *words,
            "--path",
            os.environ["PATH"],
        )
        return result.output


def became(ranks: list[dict[str, Any]]) -> Outcome:
    """Tell what ranks became by what each of them told."""
    sizes = {rank.get("size") for rank in ranks}
    if len(ranks) == RANKS and sizes == {RANKS} and all(rank.get("message") for rank in ranks):
        return Outcome.ONE_WORLD
    return Outcome.SINGLETONS if sizes == {1} else Outcome.CRASH


@pytest.fixture
def cell(launcher: Path, variant: str, apptainer: Apptainer, sifs: dict[str, Path]) -> Cell:
    """One launcher with one image."""
    apptainer.sif = sifs[variant]
    return Cell(apptainer, launcher)


SEEN: dict[tuple[Path, str, str], str] = {}
"""What came of a launcher, what was asked for and a variant, in a word."""


@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("launcher", LAUNCHERS, ids=str)
def test_ranks_become_what_was_predicted(cell: Cell, launcher: Path, variant: str, asked: str) -> None:
    told = cell.looked_at(asked)
    way = told["way"]
    if way:
        outcome = cell.outcome(asked)
        assert outcome == way["outcome"], told
        SEEN[launcher, asked, variant] = way["name"] + (
            "" if outcome is Outcome.ONE_WORLD else f": {outcome}"
        )
    else:
        # What is refused would not have worked with what the image has.
        assert told["faults"]
        assert asked == "none"
        assert cell.outcome("") is not Outcome.ONE_WORLD
        SEEN[launcher, asked, variant] = "refused"
    if variant == "both" and asked == "auto":
        assert way["outcome"] == Outcome.ONE_WORLD
    NAMES[launcher] = told["launcher"]["name"].partition("(")[2].rstrip(")")


def test_table_in_the_readme_is_what_came_of_them() -> None:
    # After all of the tests above, whose outcomes it holds.
    rows = [["mpirun of", "`--host-mpi`", *VARIANTS], ["---"] * (2 + len(VARIANTS))]
    for launcher in LAUNCHERS:
        for asked in ASKED:
            cells = [SEEN.get((launcher, asked, variant), "?") for variant in VARIANTS]
            rows.append([NAMES.get(launcher, "?"), asked, *cells])
    table = "".join(f"| {' | '.join(row)} |\n" for row in rows)
    if os.environ.get("ESPEI_HPC_GOLDEN") == "write":
        before, _, rest = README.read_text().partition(BEGIN)
        README.write_text(f"{before}{BEGIN}{table}{END}{rest.partition(END)[2]}")
    assert table in README.read_text()
