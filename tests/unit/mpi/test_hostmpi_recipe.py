import os
import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from espei_hpc.errors import Refusal
from espei_hpc.exit_codes import ExitCode
from espei_hpc.mpi.host.recipe import all_recipes, for_family, for_site, load
from espei_hpc.mpi.host.schema import Bind, Match, Recipe, Reference
from support import ROOT

PAGE = ROOT / "docs" / "host-mpi.md"
SHIPPED = all_recipes({"HOME": "/nonexistent"})
SITES = [recipe for recipe in SHIPPED if recipe.kind == "site"]


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """An environment whose user may have recipes."""
    return {"HOME": str(tmp_path)}


def _write(tmp_path: Path, text: str, name: str = "mine", below: str = ".config") -> Path:
    path = tmp_path / below / "espei-hpc" / "host-mpi" / f"{name}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def _refusal(home: dict[str, str], name: str = "mine") -> Refusal:
    with pytest.raises(Refusal) as caught:
        load(name, home)
    return caught.value


# --- what is shipped


def test_the_families_asked_for_are_there() -> None:
    asked = {"openmpi-4", "openmpi-5", "mpich", "intel", "mvapich", "cray-pals", "cray-slurm"}
    assert asked == {recipe.name for recipe in SHIPPED if recipe.kind == "family"}


def test_the_sites_asked_for_are_there() -> None:
    asked = "alps aurora frontera frontier gadi lumi perlmutter polaris roar-collab stampede3"
    assert set(asked.split()) <= {recipe.name for recipe in SITES}
    assert len(SITES) >= 12
    assert sum(recipe.scheduler == "pbs" for recipe in SITES) >= 3
    assert sum(recipe.scheduler == "slurm" for recipe in SITES) >= 5


@pytest.mark.parametrize("recipe", SHIPPED, ids=lambda recipe: recipe.name)
def test_a_shipped_recipe_says_what_was_run_or_that_nothing_was(recipe: Recipe) -> None:
    assert bool(recipe.tested) != bool(recipe.untested)


@pytest.mark.parametrize("recipe", SHIPPED, ids=lambda recipe: recipe.name)
def test_what_was_not_run_names_its_source(recipe: Recipe) -> None:
    assert recipe.tested or recipe.reference


@pytest.mark.parametrize("recipe", SITES, ids=lambda recipe: recipe.name)
def test_what_is_bound_at_a_site_has_a_way_and_a_launcher(recipe: Recipe) -> None:
    assert not recipe.bind or (recipe.way and recipe.launcher)


def test_no_cluster_is_taken_for_another() -> None:
    for recipe in SITES:
        for pattern in recipe.match.hostname:
            # A host name that the pattern is for: each choice taken as its first, each * as a word.
            hostname = re.sub(r"\[(.)[^]]*\]", r"\1", pattern).replace("*", "x")
            assert for_site(SITES, hostname, {}) is recipe


def test_a_cluster_is_recognised_by_a_variable_too() -> None:
    recipe = for_site(SITES, "login01", {"LMOD_SYSTEM_NAME": "frontier"})
    assert recipe is not None
    assert recipe.name == "frontier"


def test_an_unknown_host_is_no_cluster() -> None:
    assert for_site(SITES, "laptop", {"LMOD_SYSTEM_NAME": "another", "HOME": "/home/me"}) is None


@pytest.mark.parametrize(
    ("family", "version", "launcher", "name"),
    [
        ("openmpi", "4.1.4", None, "openmpi-4"),
        ("openmpi", "5.0.11", "mpirun", "openmpi-5"),
        ("mpich", None, None, "mpich"),
        ("cray", "8.1.29", "srun", "cray-slurm"),
        ("cray", "8.1.29", "mpiexec", "cray-pals"),
        ("intel", "2021.18", "srun", "intel"),
    ],
)
def test_a_family_is_found_by_version_and_launcher(
    family: str, version: str | None, launcher: str | None, name: str
) -> None:
    recipe = for_family(SHIPPED, family, version, launcher)
    assert recipe is not None
    assert recipe.name == name


def test_a_version_that_no_recipe_is_for_has_none() -> None:
    assert for_family(SHIPPED, "openmpi", "3.1.6") is None


# --- a user's own


def test_a_users_own_recipe_is_found(tmp_path: Path, home: dict[str, str]) -> None:
    _write(tmp_path, "title: My cluster\nfamily: openmpi\n")
    assert load("mine", home).title == "My cluster"


def test_a_users_own_recipe_wins(tmp_path: Path, home: dict[str, str]) -> None:
    _write(tmp_path, "title: LUMI as I know it\n", name="lumi")
    assert load("lumi", home).title == "LUMI as I know it"
    assert [recipe.title for recipe in all_recipes(home) if recipe.name == "lumi"] == ["LUMI as I know it"]


def test_the_configuration_directory_of_xdg_is_heeded(tmp_path: Path, home: dict[str, str]) -> None:
    _write(tmp_path, "title: There\n", below="xdg")
    assert load("mine", {**home, "XDG_CONFIG_HOME": str(tmp_path / "xdg")}).title == "There"


def test_a_relative_configuration_directory_is_ignored_as_xdg_says(
    tmp_path: Path, home: dict[str, str]
) -> None:
    _write(tmp_path, "title: Here\n")
    assert load("mine", {**home, "XDG_CONFIG_HOME": "xdg"}).title == "Here"


def test_the_users_files_may_be_seen_from_a_container(tmp_path: Path) -> None:
    _write(tmp_path, "title: Below host\n", below="home/me/.config")
    assert load("mine", {"HOME": "/home/me"}, root=tmp_path).title == "Below host"


def test_a_recipe_may_be_named_by_its_file(tmp_path: Path, home: dict[str, str]) -> None:
    path = tmp_path / "any-where.yaml"
    path.write_text("title: A file\n")
    assert load(str(path), home).name == "any-where"


def test_a_wrong_name_is_refused_with_the_nearest(home: dict[str, str]) -> None:
    refusal = _refusal(home, "frontear")
    assert refusal.code == ExitCode.USAGE
    assert "did you mean frontera?" in str(refusal) or "did you mean frontier?" in str(refusal)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path, home: dict[str, str]) -> None:
    assert "no such file" in str(_refusal(home, str(tmp_path / "none.yaml")))


def test_all_that_is_wrong_is_told_at_once_by_file_and_key(tmp_path: Path, home: dict[str, str]) -> None:
    path = _write(
        tmp_path,
        "titel: My cluster\n"
        "name: mine\n"
        "family: lam\n"
        "environment:\n  X: no\n  Y: [relative]\n"
        "bind:\n  - relative\n  - source: /a\n    writeable: true\n"
        "  - /usr\n  - source: /a\n    target: /usr/lib64\n"
        "cores_per_node: {cpu: 0}\n"
        "tested: [this]\n"
        "untested: that\n",
    )
    refusal = _refusal(home)
    assert refusal.code == ExitCode.BAD_INPUT
    lines = str(refusal).splitlines()
    assert all(line.startswith(f"{path}: ") for line in lines)
    told = {fault.where.removeprefix(f"{path}: "): str(fault) for fault in refusal.faults}
    assert len(told) == len(lines)
    assert "leave it out" in told["name"]
    assert "is missing" in told["title"]
    assert "did you mean title?" in told["titel"]
    assert "openmpi" in told["family"]
    assert "absolute path" in told["environment.Y.0"]
    assert "contradicts" in told["untested"]
    assert "absolute path" in told["bind.0.source"]
    assert "did you mean writable?" in told["bind.1.writeable"]
    assert "hide files of the image" in told["bind.2"]
    assert "hide files of the image" in told["bind.3.target"]
    assert "greater than 0" in told["cores_per_node.cpu"]
    assert "must be text, not False; put it in quotes" in told["environment.X"]


def test_a_wrong_file_does_not_hide_another(tmp_path: Path, home: dict[str, str]) -> None:
    _write(tmp_path, "titel: x\n", name="one")
    _write(tmp_path, "titel: x\n", name="two")
    with pytest.raises(Refusal) as caught:
        all_recipes(home)
    assert {"one.yaml", "two.yaml"} == {Path(fault.where.split(":")[0]).name for fault in caught.value.faults}


def test_a_wrong_recipe_of_the_users_does_not_spoil_another(tmp_path: Path, home: dict[str, str]) -> None:
    _write(tmp_path, "titel: x\n", name="one")
    assert load("lumi", home).name == "lumi"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is not a mapping of keys to values"),
        ("- a list\n", "is not a mapping of keys to values"),
        ("1: 2\n", "is not a mapping of keys to values"),
        ("title: [\n", "line 2: not valid YAML"),
        ("title: a\ntitle: b\n", "duplicate key title (line 2)"),
        ("title: \x00\n", "not valid YAML"),
        ("title: !!python/object/apply:os.getcwd []\n", "not valid YAML"),
        ("title: a\nkind: family\n", "family: is missing"),
        ("title: a\nlauncher: 1\n", "launcher: must be text, not 1; put it in quotes"),
        ("title: a\nsetup: module load x\n", "setup: "),
        ("title: a\nlibrary: ['${']\n", "write a variable as ${NAME}"),
        ("title: a\nbind: [/]\n", "bind.0: would hide"),
        ("title: a\nplugins: [/usr]\n", "plugins.0: would hide"),
    ],
)
def test_a_file_that_is_no_recipe_is_refused_in_plain_words(
    text: str, told: str, tmp_path: Path, home: dict[str, str]
) -> None:
    _write(tmp_path, text)
    refusal = _refusal(home)
    assert refusal.code == ExitCode.BAD_INPUT
    assert told in str(refusal)


# --- the page


def _keys() -> str:
    return "\n\n".join(_key_table(part) for part in (Recipe, Bind, Match, Reference))


def _key_table(part: type[BaseModel]) -> str:
    title = {Bind: "Each of `bind`", Match: "`match`", Reference: "Each of `reference`"}.get(part, "A recipe")
    rows = [f"| `{key}` | {field.description} |" for key, field in part.model_fields.items()]
    return "\n".join([f"| {title} | |", "|---|---|", *rows])


def _recipes() -> str:
    rows = ["| name | of | batch system | way | launcher | what was run |", "|---|---|---|---|---|---|"]
    for recipe in sorted(SHIPPED, key=lambda recipe: (recipe.kind, recipe.name)):
        launcher = f"`{recipe.launcher}`" if recipe.launcher else ""
        run = "; ".join(recipe.tested) or f"nothing: {recipe.untested}"
        cells = (f"`{recipe.name}`", recipe.title, recipe.scheduler or "", recipe.way or "", launcher, run)
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


@pytest.mark.parametrize(("part", "made"), [("keys", _keys()), ("recipes", _recipes())])
def test_the_page_shows_all_of(part: str, made: str) -> None:
    begin, end = f"<!-- {part}: written by ESPEI_HPC_GOLDEN=write -->\n", f"\n<!-- end of {part} -->"
    before, rest = PAGE.read_text().split(begin)
    shown, after = rest.split(end)
    if os.environ.get("ESPEI_HPC_GOLDEN") == "write":
        PAGE.write_text(f"{before}{begin}{made}{end}{after}")
        shown = made
    assert shown == made


def test_the_pages_example_is_a_recipe_of_ten_lines(tmp_path: Path, home: dict[str, str]) -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert len(example.splitlines()) == 10
    _write(tmp_path, example)
    assert load("mine", home).launcher
