"""Every launcher of this host with every variant of the image: what is predicted is what happens."""

import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from container.conftest import Apptainer
from container.machine import HERE, VARIANTS
from espei_hpc.doctor import probe
from espei_hpc.mpi.host.binding import LIBRARIES
from espei_hpc.mpi.host.predict import Outcome
from mpi_support import LAUNCHERS, MORE_RANKS_THAN_CORES, path_of
from support import ROOT, wait_until

RANKS = 3
N = ("-n", str(RANKS))
APPTAINER = ("apptainer", "--quiet", "exec")
SECONDS = 200
"""After which the ranks end themselves; a pair that works takes three."""
OWN = "its own"
"""Asks for the MPI that the launcher belongs to."""
ASKED = ("auto", "none", OWN)
PAGE = ROOT / "docs" / "host-mpi.md"
BEGIN, END = "<!-- written by test_host_mpi.py -->\n", "<!-- until here -->"

# mpirun.openmpi, and mpirun.mpich in the image with MPICH alone, are but what mpirun links to there.
INSIDE = [("mpirun", "both"), ("mpirun.mpich", "both"), ("mpirun", "openmpi"), ("mpirun", "mpich")]
"""Launchers of the image and the variants that have them."""
ITSELF = Path("the image itself")
"""Stands for the host's launcher where there is none."""
NAMES: dict[Path, str] = {ITSELF: str(ITSELF)}
"""Make and version of each launcher."""
LOADED = {"bind": f"{LIBRARIES}/", "hybrid": "/opt/espei/mpi/", "inside": "/opt/espei/mpi/"}
"""Where the library comes from, by way."""


@dataclass
class Cell:
    """One image, with a launcher of the host or without."""

    apptainer: Apptainer
    launcher: Path | None = None

    def looked_at(self, asked: str) -> dict[str, Any]:
        """Return what is said of it beforehand."""
        return dict(json.loads(self._host_mpi(asked, "--json")))

    def ranks(self, asked: str) -> list[dict[str, Any]]:
        """Start ranks by the host's launcher, with the options that are printed; return what they tell."""
        assert self.launcher
        options = self._host_mpi(asked, "--options", "apptainer").splitlines() if asked else []
        return self._tell(self.launcher, *N, *APPTAINER, *options, self.apptainer.sif, *self._probe())

    def ranks_inside(self, mpirun: str) -> list[dict[str, Any]]:
        """Start ranks by a launcher of the image."""
        return self._tell(*APPTAINER, self.apptainer.sif, mpirun, *N, *self._probe())

    def _tell(self, *words: str | Path) -> list[dict[str, Any]]:
        commands = self.apptainer.commands
        as_user = [HERE / "as-user", commands.directory]
        command = commands.start(*as_user, *words, env=MORE_RANKS_THAN_CORES | self._path())
        try:
            command.finish(2 * SECONDS)
            wait_until(lambda: not commands.left(), f"{words} leaves nothing behind", seconds=120)
        except subprocess.TimeoutExpired:
            # Of a container that was killed Apptainer's squashfuse lives on, and holds the rank's standard
            # output, whose end a Hydra waits for.
            commands.end_all()
        print(command.output)
        return probe.reports(command.output)

    def _path(self) -> dict[str, str]:
        return {"PATH": path_of(self.launcher)} if self.launcher else {}

    def _probe(self) -> list[str]:
        place = self.apptainer.commands.directory / "trial"
        place.mkdir()
        place.chmod(0o777)
        return ["espei-hpc", "probe", "--dir", str(place), *("--ranks", N[1]), *("--seconds", str(SECONDS))]

    def _host_mpi(self, asked: str, *options: str) -> str:
        words = ["espei-hpc", "host-mpi", *options, "--path", self._path().get("PATH", "/nowhere")]
        if self.launcher:
            prefix = str(self.launcher.resolve().parents[1])
            words += ["--launcher", str(self.launcher), "--host-mpi", prefix if asked == OWN else asked]
        result = self.apptainer.host(
            "bash",
            "-c",
            'exec apptainer --quiet exec --bind /:/host:ro "$@" 2>/dev/null',
            "bash",
            self.apptainer.sif,
            *words,
        )
        return result.output


def became(ranks: list[dict[str, Any]]) -> Outcome:
    """Tell what ranks became by what each of them told."""
    sizes = {rank.get("size") for rank in ranks}
    if len(ranks) == RANKS and sizes == {RANKS} and all(rank.get("message") for rank in ranks):
        return Outcome.ONE_WORLD
    return Outcome.SINGLETONS if sizes == {1} else Outcome.CRASH


def loaded_from(ranks: list[dict[str, Any]], way: str) -> bool:
    """Tell whether each rank has loaded the library that belongs to a way, and no other."""
    return all(path.startswith(LOADED[way]) for rank in ranks for path in rank["library"].split(", "))


@pytest.fixture
def image(variant: str, apptainer: Apptainer, sifs: Callable[[str], Path]) -> Apptainer:
    """One variant of the image."""
    apptainer.sif = sifs(variant)
    return apptainer


SEEN: dict[tuple[Path, str, str], str] = {}
"""What came of a launcher, what was asked for and a variant, in a word."""
TELLING = {("both", "auto"), ("none", "auto")}
"""Variants and what is asked for in which each launcher's ranks get a library: hybrid, and bind."""
TELLING_OF_ONE = {("both", "none"), ("both", OWN), ("none", "none"), ("none", OWN)}
"""Those seen with one launcher of each family: the image's own MPI, the host's before it, and refused."""
FAMILIES = {LAUNCHERS[0], LAUNCHERS[1]}
CELLS = [
    pytest.param(
        launcher,
        variant,
        asked,
        marks=[]
        if (variant, asked) in TELLING or (launcher in FAMILIES and (variant, asked) in TELLING_OF_ONE)
        else pytest.mark.long,
        id=f"{launcher}-{variant}-{asked}",
    )
    for launcher, variant, asked in product(LAUNCHERS, VARIANTS, ASKED)
]


@pytest.mark.parametrize(("launcher", "variant", "asked"), CELLS)
def test_ranks_become_what_was_predicted(image: Apptainer, launcher: Path, variant: str, asked: str) -> None:
    cell = Cell(image, launcher)
    told = cell.looked_at(asked)
    way = told["way"]
    if way:
        ranks = cell.ranks(asked)
        outcome = became(ranks)
        assert outcome == way["outcome"], told
        assert loaded_from(ranks, way["name"])
        SEEN[launcher, asked, variant] = way["name"] + (
            "" if outcome is Outcome.ONE_WORLD else f": {outcome}"
        )
    else:
        # What is refused would not have worked with what the image has.
        assert told["faults"]
        assert asked == "none"
        assert became(cell.ranks("")) is not Outcome.ONE_WORLD
        SEEN[launcher, asked, variant] = "refused"
    if variant == "both" and asked == "auto":
        assert way["outcome"] == Outcome.ONE_WORLD
    NAMES[launcher] = told["launcher"]["name"].partition("(")[2].rstrip(")")


# In the images of one MPI it starts a fit (test_image.py).
@pytest.mark.parametrize(
    ("mpirun", "variant"),
    [pytest.param(*words, marks=[] if words[1] == "both" else pytest.mark.long) for words in INSIDE],
)
def test_images_own_launcher_starts_one_world(image: Apptainer, mpirun: str, variant: str) -> None:
    cell = Cell(image)
    way = cell.looked_at("auto")["way"]
    assert way["name"] == "inside"
    ranks = cell.ranks_inside(mpirun)
    assert became(ranks) == way["outcome"] == Outcome.ONE_WORLD
    assert loaded_from(ranks, "inside")
    SEEN[ITSELF, "auto", variant] = "inside"


@pytest.mark.parametrize("variant", ["none"])
def test_without_any_launcher_the_lack_is_told(image: Apptainer, variant: str) -> None:
    cell = Cell(image)
    told = cell.looked_at("auto")
    assert told["way"] is None
    assert "the image has no MPI, and no launcher of the host is found" in told["faults"][0]
    assert cell.ranks_inside("mpirun") == []
    SEEN[ITSELF, "auto", variant] = "refused"


def test_each_cell_of_the_table_in_the_page_is_what_came_of_it() -> None:
    table = PAGE.read_text().partition(BEGIN)[2].partition(END)[0]
    cells = {
        (name, asked, variant): cell
        for name, asked, *row in (line.strip("| ").split(" | ") for line in table.splitlines()[2:])
        for variant, cell in zip(VARIANTS, row, strict=True)
    }
    assert SEEN, "the tests above must have run before"
    for (launcher, asked, variant), seen in SEEN.items():
        assert cells[NAMES[launcher], asked, variant] == seen


@pytest.mark.long
def test_table_in_the_page_is_what_came_of_them() -> None:
    rows = [["mpirun of", "`--host-mpi`", *VARIANTS], ["---"] * (2 + len(VARIANTS))]
    for launcher, asked in [*product(LAUNCHERS, ASKED), (ITSELF, "auto")]:
        cells = [SEEN.get((launcher, asked, variant), "?") for variant in VARIANTS]
        rows.append([NAMES.get(launcher, "?"), asked, *cells])
    table = "".join(f"| {' | '.join(row)} |\n" for row in rows)
    assert "?" not in table, "it holds the outcomes of all tests above, which must have run before it"
    if os.environ.get("ESPEI_HPC_GOLDEN") == "write":
        before, _, rest = PAGE.read_text().partition(BEGIN)
        PAGE.write_text(f"{before}{BEGIN}{table}{END}{rest.partition(END)[2]}")
    assert table in PAGE.read_text()
