"""The way follows what is predicted: hybrid where the image's MPI does, bind where only the host's does."""

from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from elf_support import WHEELS
from espei_hpc.errors import Refusal
from espei_hpc.exit_codes import ExitCode
from espei_hpc.mpi.host import find, image
from espei_hpc.mpi.host.asked import Asked
from espei_hpc.mpi.host.binding import LIBRARIES, Host
from espei_hpc.mpi.host.find import HostMpi
from espei_hpc.mpi.host.image import Image
from espei_hpc.mpi.host.launcher import Launcher, identify
from espei_hpc.mpi.host.options import Mount
from espei_hpc.mpi.host.predict import Outcome
from espei_hpc.mpi.host.recipe import Recipe, all_recipes
from espei_hpc.mpi.host.ways import Way, choose
from mpi_support import HERE, PREFIXES

HOST = Host(HERE, {"PATH": "/usr/bin"}, all_recipes({}))
BOTH = image.this()
MPIS = [find.at(HERE, prefix) for prefix in PREFIXES]
OPEN_MPI, MPICH = MPIS[:2]
SRUN = Launcher(("srun",), "srun", "22.05.8", None, (), ("none", "pmi2", "pmix"))
OTHER = Launcher(("start",), "unknown", None, None, chosen=False)


def holding(*families: str) -> Image:
    """Return the image built with fewer MPIs."""
    return replace(BOTH, libraries=tuple(each for each in BOTH.libraries if each.family.key in families))


def launcher(of: HostMpi) -> Launcher:
    """Return an MPI's launcher."""
    return identify(HERE, [str(of.launcher)], HOST.environment)


def recipe(**keys: Any) -> Recipe:
    """Make a recipe."""
    return Recipe.model_validate({"name": "mine", "title": "Mine", **keys})


def refused(*of: Any) -> str:
    """Return why a choice is refused."""
    with pytest.raises(Refusal) as caught:
        choose(*of)
    assert caught.value.code is ExitCode.CONFIGURATION
    return str(caught.value)


@pytest.mark.parametrize("mpi", MPIS, ids=lambda mpi: str(mpi.prefix))
@pytest.mark.parametrize("asked", ["auto", "none"])
def test_an_image_with_both_needs_nothing_of_the_host(mpi: HostMpi, asked: Asked) -> None:
    way = choose(launcher(mpi), MPIS, BOTH, asked, HOST)
    assert (way.name, way.outcome, way.mounts, dict(way.variables)) == ("hybrid", Outcome.ONE_WORLD, (), {})
    # Intel MPI's launcher serves the image's MPICH.
    assert way.library_family == mpi.family.abi


def test_the_user_is_told_in_one_sentence() -> None:
    way = choose(launcher(OPEN_MPI), MPIS, BOTH, "auto", HOST)
    held = BOTH.libraries[0].version
    assert way.line == (
        f"MPI: hybrid: host's mpirun (Open MPI {OPEN_MPI.version}) starts the ranks, "
        f"each loads the image's Open MPI {held}"
    )


@pytest.mark.parametrize(
    ("mpi", "held"), [(OPEN_MPI, "mpich"), (MPICH, "openmpi"), (OPEN_MPI, ""), (MPICH, "")]
)
def test_where_the_image_lacks_the_family_the_launchers_own_mpi_is_bound(mpi: HostMpi, held: str) -> None:
    way = choose(launcher(mpi), MPIS[::-1], holding(held), "auto", HOST)
    assert (way.name, way.outcome, way.library_family) == ("bind", Outcome.ONE_WORLD, mpi.family.key)
    assert way.line.endswith(f"each loads the host's {mpi.name} of {mpi.prefix}")
    assert way.variables["MPI4PY_LIBMPI"] == f"{LIBRARIES}/{mpi.family.soname}"


def sources(way: Way) -> dict[str, str]:
    """Return what is mounted, by where."""
    return {mount.target: mount.source for mount in way.mounts}


@pytest.mark.parametrize("mpi", MPIS, ids=lambda mpi: str(mpi.prefix))
def test_what_is_bound_is_there_and_lies_beside_nothing_of_the_image(mpi: HostMpi) -> None:
    way = choose(None, MPIS, holding(), mpi, HOST)
    mounted = sources(way)
    assert len(mounted) == len(way.mounts)
    assert mounted[f"{LIBRARIES}/{mpi.family.soname}"] == str(Path(mpi.library).resolve())
    for target, source in mounted.items():
        assert Path(source).exists()
        assert (
            PurePosixPath(target).parent == PurePosixPath(LIBRARIES) or str(Path(target).resolve()) == source
        )
        assert "/libc.so" not in target
        assert "/ld-linux" not in target


@pytest.mark.parametrize("mpi", MPIS[:2], ids=lambda mpi: mpi.family.key)
def test_plugins_stay_at_their_path_where_what_they_lie_with_is_found(mpi: HostMpi) -> None:
    way = choose(None, MPIS, holding(), mpi, HOST)
    plugins = str(mpi.prefix / "lib" / mpi.family.key)
    assert Mount(plugins, plugins) in way.mounts
    first, *beside = way.variables["LD_LIBRARY_PATH"].split(":")
    assert first == LIBRARIES
    assert plugins in beside
    named = {path.name for path in Path(plugins).glob("*.so*")}
    assert not named & {PurePosixPath(target).name for target in sources(way)}


@pytest.mark.needs("Debian's MPIs")
def test_debians_mpich_gets_the_name_that_mpi4py_loads() -> None:
    debian = [mpi for mpi in find.search(HERE, {}, seconds=0).mpis if mpi.soname == "libmpich.so.12"]
    mounted = sources(choose(None, MPIS, holding(), debian[0], HOST))
    assert mounted[f"{LIBRARIES}/libmpi.so.12"].endswith(str(Path(debian[0].library).resolve()))


def test_with_none_nothing_is_bound_and_the_way_out_is_told() -> None:
    why = refused(launcher(OPEN_MPI), MPIS, holding("mpich"), "none", HOST)
    assert "hybrid with the image's MPICH" in why
    assert "fails" in why
    assert "MPI=both" in why
    assert "bind" not in why


def test_a_library_that_cannot_load_in_the_image_is_refused_with_its_path() -> None:
    foreign = replace(holding(), offered=replace(BOTH.offered, machine="riscv64"))
    why = refused(launcher(MPICH), [MPICH], foreign, "auto", HOST)
    assert "hybrid: the image has no MPI" in why
    assert f"({MPICH.library}) is built for" in why
    assert "the image for riscv64" in why


def test_an_mpi_that_mpi4py_does_not_know_is_refused() -> None:
    old = replace(OPEN_MPI, soname="libmpi.so.20")
    assert "libmpi.so.20" in refused(launcher(OPEN_MPI), [old], BOTH, old, HOST)


def test_an_mpi_asked_for_brings_its_own_launcher() -> None:
    way = choose(None, [], BOTH, MPICH, HOST)
    assert (way.name, way.launcher) == ("bind", (str(MPICH.launcher),))
    why = refused(None, [], BOTH, replace(MPICH, launcher=None), HOST)
    assert "no launcher" in why
    assert "--launcher" in why


def test_an_mpi_asked_for_that_does_not_fit_the_launcher_is_refused() -> None:
    why = refused(launcher(MPICH), MPIS, BOTH, OPEN_MPI, HOST)
    assert "a world of its own" in why
    assert "--host-mpi auto" in why


def test_srun_without_a_pmi_starts_ranks_without_mpi_and_names_the_better_one() -> None:
    for held, kind in (("openmpi", "pmix"), ("mpich", "pmi2")):
        way = choose(SRUN, MPIS, holding(held), "auto", HOST)
        assert (way.name, way.library_family, way.mounts) == ("without", None, ())
        assert way.line.startswith("MPI: none: host's srun (Slurm 22.05.8)")
        assert f"with --mpi={kind} they would use the image's MPI" in way.notes
    bound = refused(SRUN, MPIS, BOTH, OPEN_MPI, HOST)
    assert "use srun --mpi=pmix" in bound


def test_under_srun_the_library_follows_its_pmi() -> None:
    for pmi, family in (("pmix", "openmpi"), ("pmi2", "mpich")):
        way = choose(replace(SRUN, pmi=(pmi,)), MPIS, BOTH, "auto", HOST)
        assert (way.name, way.library_family) == ("hybrid", family)


def test_what_is_not_known_is_tried_and_told_so() -> None:
    way = choose(OTHER, MPIS, BOTH, "auto", HOST)
    assert (way.name, way.outcome, way.library_family) == ("hybrid", Outcome.UNKNOWN, None)
    assert "checked at the start" in way.line
    assert all("was not measured" in note for note in way.notes)
    one = choose(OTHER, MPIS, holding("mpich"), "auto", HOST)
    assert (one.library_family, one.outcome) == ("mpich", Outcome.UNKNOWN)
    bound = choose(OTHER, MPIS, holding(), "auto", HOST)
    assert (bound.name, bound.outcome) == ("bind", Outcome.UNKNOWN)


def test_without_a_launcher_the_image_starts_its_own_or_refuses() -> None:
    way = choose(None, [], holding("mpich"), "auto", HOST)
    assert (way.name, way.launcher, way.library_family) == ("inside", (), "mpich")
    assert "on this machine only" in way.line
    assert "has no MPI" in refused(None, MPIS, holding(), "auto", HOST)


def test_a_sites_recipe_for_hybrid_adds_what_it_names(tmp_path: Path) -> None:
    mine = recipe(
        way="hybrid", launcher=str(MPICH.launcher), bind=[str(tmp_path), "/not/here"], environment={"A": "b"}
    )
    way = choose(None, MPIS, BOTH, mine, HOST)
    assert (way.name, way.mounts, dict(way.variables)) == (
        "hybrid",
        (Mount(str(tmp_path), str(tmp_path)),),
        {"A": "b"},
    )
    assert way.notes == ("this host does not have /not/here, which the recipe names",)


@pytest.mark.parametrize(
    ("known", "said"),
    [
        ({"untested": "not run"}, ("recipe mine: untested (not run)",)),
        (
            {"untested": "not run", "notes": "Mind the\ngap."},
            ("recipe mine: untested (not run); Mind the gap.",),
        ),
        ({"tested": ["a fit"], "notes": "Mind the gap."}, ("recipe mine: Mind the gap.",)),
        ({"tested": ["a fit"]}, ()),
    ],
)
def test_what_is_to_be_known_of_a_recipe_is_said_where_it_is_used(
    known: dict[str, object], said: tuple[str, ...]
) -> None:
    for way in ("hybrid", "bind"):
        mine = recipe(name="mine", way=way, launcher=str(MPICH.launcher), **known)
        assert choose(None, MPIS, BOTH, mine, HOST).notes[: len(said)] == said


def test_a_sites_recipe_for_bind_names_its_library_or_says_what_to_load(tmp_path: Path) -> None:
    words = {"way": "bind", "launcher": str(MPICH.launcher), "setup": ["module load cray-mpich"]}
    there = recipe(**words, library=[f"{WHEELS}/mpich/lib/libmpi.so.12"], environment={"A": "b"})
    way = choose(None, [], BOTH, there, HOST)
    assert (way.name, way.variables["A"]) == ("bind", "b")
    why = refused(None, MPIS, BOTH, recipe(**words, library=["${NO_SUCH}/libmpi.so.12"]), HOST)
    assert "${NO_SUCH}/libmpi.so.12" in why
    assert "run first: module load cray-mpich" in why


def test_a_recipe_that_leaves_it_open_is_decided_as_without_one() -> None:
    mine = recipe(family="mpich", launcher=str(MPICH.launcher))
    assert choose(None, MPIS, BOTH, mine, HOST).name == "hybrid"
    assert choose(None, MPIS, holding("openmpi"), mine, HOST).name == "bind"


def test_a_familys_recipe_means_to_bind_an_mpi_of_it() -> None:
    family = next(each for each in HOST.recipes if each.name == "mpich")
    way = choose(launcher(MPICH), MPIS, BOTH, family, HOST)
    assert (way.name, way.library_family) == ("bind", "mpich")
    assert "UCX_POSIX_USE_PROC_LINK" in way.variables
    assert "its MPI is not found here" in refused(launcher(MPICH), [OPEN_MPI], BOTH, family, HOST)
