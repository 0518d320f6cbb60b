from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from espei_hpc.errors import Refusal
from espei_hpc.exit_codes import ExitCode
from espei_hpc.mpi.host.expand import Expanded, expand
from espei_hpc.mpi.host.options import Mount
from espei_hpc.mpi.host.recipe import Recipe, all_recipes, for_family
from espei_hpc.mpi.host.root import Root

LIBRARY = PurePosixPath("/opt/mpi/lib/libmpi.so.12")
DEBIANS = sorted(Path("/usr/lib").glob("*-linux-gnu/libmpi.so.40"))


@pytest.fixture
def host(tmp_path: Path) -> Path:
    for file in (
        "opt/mpi/lib/libmpi.so.12",
        "opt/mpi/lib/plugins/a.so",
        "opt/a-1/lib/x.so",
        "opt/a-2/lib/x.so",
    ):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
    return tmp_path


def _expand(host: Path, outside: dict[str, str] | None = None, /, **keys: Any) -> Expanded:
    recipe = Recipe.model_validate({"name": "r", "title": "R", **keys})
    return expand(recipe, Root(host), outside or {}, LIBRARY if "library" not in keys else None)


def test_the_library_is_the_first_that_is_there(host: Path) -> None:
    expanded = _expand(host, library=["/opt/none/libmpi.so.12", str(LIBRARY), "/opt/a-1/lib/x.so"])
    assert expanded.library == LIBRARY
    assert expanded.absent == []


def test_a_library_that_is_nowhere_is_told(host: Path) -> None:
    expanded = _expand(host, library=["/opt/none", "/opt/neither"])
    assert (expanded.library, expanded.absent) == (None, ["/opt/none", "/opt/neither"])


def test_lib_and_prefix_are_where_the_library_is(host: Path) -> None:
    expanded = _expand(host, plugins=["${lib}/plugins"], environment={"ROOT": "${prefix}"})
    assert expanded.mounts == [Mount("/opt/mpi/lib/plugins", "/opt/mpi/lib/plugins")]
    assert expanded.plugins == [PurePosixPath("/opt/mpi/lib/plugins")]
    assert expanded.variables == {"ROOT": "/opt/mpi"}


def test_a_pattern_is_all_that_match(host: Path) -> None:
    assert _expand(host, dlopen=["/opt/a-*/lib/x.so"]).libraries == [
        PurePosixPath("/opt/a-1/lib/x.so"),
        PurePosixPath("/opt/a-2/lib/x.so"),
    ]


def test_a_variable_of_several_directories_is_searched_in_all(host: Path) -> None:
    expanded = _expand(host, {"DIRS": "/opt/a-2/lib:/opt/none::/opt/a-1/lib"}, search=["${DIRS}"])
    assert expanded.search == ["/opt/a-2/lib", "/opt/a-1/lib"]
    assert expanded.absent == []


def test_what_the_host_lacks_is_told_and_left_out(host: Path) -> None:
    expanded = _expand(host, bind=["/opt/none", "${UNSET}/x"], environment={"X": "${UNSET}"})
    assert (expanded.mounts, expanded.variables) == ([], {})
    assert expanded.absent == ["/opt/none", "${UNSET}/x (no variable UNSET)", "${UNSET} (no variable UNSET)"]


def test_a_mount_may_lie_elsewhere_and_be_written_to(host: Path) -> None:
    bind = [{"source": "/opt/a-1", "target": "/opt/a", "writable": True}]
    assert _expand(host, bind=bind).mounts == [Mount("/opt/a-1", "/opt/a", writable=True)]


def test_of_a_list_a_variable_is_the_first_path_that_is_there(host: Path) -> None:
    environment = {"P": ["/opt/none", "/opt/a-1", "/opt/a-2"], "Q": ["/opt/none"]}
    expanded = _expand(host, environment=environment)
    assert expanded.variables == {"P": "/opt/a-1"}
    assert expanded.absent == ["/opt/none"]


def test_two_dollars_are_one(host: Path) -> None:
    assert _expand(host, environment={"X": "5$$"}).variables == {"X": "5$"}


@pytest.mark.parametrize("prefix", ["/usr", "/", "/opt"])
def test_a_mount_that_would_hide_the_image_is_refused(host: Path, prefix: str) -> None:
    recipe = Recipe.model_validate({"name": "r", "title": "R", "bind": ["${prefix}"]})
    (host / "usr").mkdir()
    with pytest.raises(Refusal) as caught:
        expand(recipe, Root(host), {}, LIBRARY, PurePosixPath(prefix))
    assert caught.value.code == ExitCode.CONFIGURATION
    assert "would hide files of the image" in str(caught.value)


@pytest.mark.needs("Debian's MPIs")
def test_the_recipe_of_open_mpi_4_finds_debians_plugins_and_settings() -> None:
    recipe = for_family(all_recipes({"HOME": "/nonexistent"}), "openmpi", "4.1.4")
    assert recipe is not None
    expanded = expand(recipe, Root(Path("/")), {}, PurePosixPath(DEBIANS[0]), PurePosixPath("/usr"))
    plugins = {file.name for directory in expanded.plugins for file in Path(directory).rglob("*mca_*.so")}
    # One of Open MPI's own and one of PMIx's.
    assert {"mca_btl_tcp.so", "pmix_mca_prm_default.so"} <= plugins
    assert Mount("/etc/openmpi", "/etc/openmpi") in expanded.mounts
