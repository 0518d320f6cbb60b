"""Every recipe with every engine, as the command line it comes to.

The golden files are rewritten by ESPEI_HPC_GOLDEN=write; what changed is then for the author to read.
"""

import difflib
import os
import shlex
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest

from espei_hpc.mpi.host.expand import Expanded, expand
from espei_hpc.mpi.host.options import ENGINES, Engine, options
from espei_hpc.mpi.host.recipe import Recipe, all_recipes
from espei_hpc.mpi.host.root import Root

GOLDEN = Path(__file__).parent / "golden"
ENVIRONMENT = {
    "CRAY_MPICH_DIR": "/opt/cray/pe/mpich/8.1.29/ofi/gnu/12.3",
    "CRAY_LD_LIBRARY_PATH": "/opt/cray/pe/mpich/8.1.29/ofi/gnu/12.3/lib:/opt/cray/libfabric/1.15.2.0/lib64",
    "LD_LIBRARY_PATH": "/opt/cray/pe/gcc-libs",
}
INSTALLED = {
    "openmpi-4": ("/usr/lib/x86_64-linux-gnu/libmpi.so.40", "/usr"),
    "openmpi-5": ("/apps/openmpi/5.0.11/lib/libmpi.so.40", "/apps/openmpi/5.0.11"),
    "mpich": ("/apps/mpich/5.0.2/lib/libmpi.so.12", "/apps/mpich/5.0.2"),
    "intel": ("/apps/intel/mpi/2021.13/lib/libmpi.so.12", "/apps/intel/mpi/2021.13"),
    "mvapich": ("/apps/mvapich/4.0/lib/libmpi.so.12", "/apps/mvapich/4.0"),
}
"""What a search of the host would have found, for the recipes that name no library themselves."""
IMAGE: dict[Engine, tuple[str, ...]] = {
    "apptainer": ("apptainer", "exec"),
    "podman": ("podman", "run", "--rm"),
    "docker": ("docker", "run", "--rm"),
}
RECIPES = {recipe.name: recipe for recipe in all_recipes({"HOME": "/nonexistent"})}


@pytest.fixture(scope="session")
def host(tmp_path_factory: pytest.TempPathFactory) -> Root:
    at = tmp_path_factory.mktemp("host")
    for line in (GOLDEN / "host.txt").read_text().splitlines():
        if line.startswith("/"):
            path = at / line.strip("/")
            (path if line.endswith("/") else path.parent).mkdir(parents=True, exist_ok=True)
            if not line.endswith("/"):
                path.touch()
    return Root(at)


@pytest.mark.parametrize("name", RECIPES)
def test_recipe_comes_to_its_golden_command_line(name: str, host: Root) -> None:
    recipe = RECIPES[name]
    library, prefix = map(PurePosixPath, INSTALLED[name]) if name in INSTALLED else (None, None)
    written = "\n".join(_lines(recipe, expand(recipe, host, ENVIRONMENT, library, prefix))) + "\n"
    golden = GOLDEN / f"{name}.txt"
    if os.environ.get("ESPEI_HPC_GOLDEN") == "write":
        golden.write_text(written)
    expected = golden.read_text() if golden.exists() else ""
    if written != expected:
        changes = difflib.unified_diff(
            expected.splitlines(), written.splitlines(), golden.name, "now", lineterm=""
        )
        pytest.fail("\n".join(changes), pytrace=False)


def test_no_golden_file_outlives_its_recipe() -> None:
    assert {path.stem for path in GOLDEN.glob("*.txt")} - {"host"} == set(RECIPES)


def _lines(recipe: Recipe, expanded: Expanded) -> Iterator[str]:
    yield f"# recipe {recipe.name} on the host of host.txt, without what its libraries need in turn"
    for title, values in (
        ("setup", recipe.setup),
        ("library", [expanded.library or "to be searched"] if recipe.way != "hybrid" else ["the image's"]),
        ("libraries", expanded.libraries),
        ("search", expanded.search),
        ("absent", expanded.absent),
    ):
        yield from (f"{title}: {value}" for value in values)
    for engine in ENGINES:
        yield ""
        words = list(options(engine, expanded.mounts, expanded.variables))
        image = "espei.sif" if engine == "apptainer" else "espei-hpc"
        command = [*(recipe.launcher or "LAUNCHER").split(), "-n", "3", *IMAGE[engine]]
        pairs = [f"{words[i]} {shlex.quote(words[i + 1])}" for i in range(0, len(words), 2)]
        yield " \\\n    ".join([shlex.join(command), *pairs, f"{image} espei-hpc rank --run-dir DIR --id ID"])
