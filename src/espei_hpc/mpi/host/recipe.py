"""Find and read recipes: the user's own and those of this package."""

import difflib
import fnmatch
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from espei_hpc.errors import Fault, Refusal, refuse_input
from espei_hpc.exit_codes import ExitCode
from espei_hpc.mpi.host.schema import Bind, Match, Recipe, Reference
from espei_hpc.parsing import parse_yaml, read_text
from espei_hpc.shipped import shipped as find_shipped

__all__ = ["Recipe", "all_recipes", "for_family", "for_site", "load", "shipped", "users"]

KEYS = {key for part in (Recipe, Bind, Match, Reference) for key in part.model_fields} - {"name"}


def shipped() -> Path:
    """Return the directory of this package's recipes, installed or in the source tree."""
    return find_shipped("mpi/host/recipes", "host-mpi")


def users(environment: Mapping[str, str], root: Path = Path("/")) -> Path:
    """Return the directory of the user's own recipes, which may not exist.

    Args:
        environment: with the user's XDG_CONFIG_HOME and HOME.
        root: mount point of the user's file system.
    """
    configuration = environment.get("XDG_CONFIG_HOME", "")
    if not configuration.startswith("/"):  # as XDG says: anything but an absolute path is ignored
        configuration = f"{environment.get('HOME') or Path.home()}/.config"
    return root / configuration.lstrip("/") / "espei-hpc" / "host-mpi"


def load(name: str, environment: Mapping[str, str] = os.environ, root: Path = Path("/")) -> Recipe:
    """Read one recipe.

    Args:
        name: a file ending in ``.yaml``, or a recipe's name; the user's own takes precedence.
        environment: with the user's XDG_CONFIG_HOME and HOME.
        root: mount point of the user's file system.

    Raises:
        Refusal: (USAGE) if there is no such recipe; (BAD_INPUT) with all errors in the file.
    """
    if name.endswith((".yaml", ".yml")):
        return _accepted([Path(name)])[0]
    files = _files(environment, root)
    if name not in files:
        close = difflib.get_close_matches(name, files, n=1)
        cure = f"did you mean {close[0]}?" if close else f"the recipes are {', '.join(files)}"
        raise Refusal(ExitCode.USAGE, [Fault(f"recipe '{name}'", "there is no such recipe", cure)])
    return _accepted([files[name]])[0]


def all_recipes(environment: Mapping[str, str] = os.environ, root: Path = Path("/")) -> list[Recipe]:
    """Read all recipes, sorted by name; the user's own replace this package's of the same name.

    Raises:
        Refusal: (BAD_INPUT) with all errors in all files.
    """
    return _accepted(_files(environment, root).values())


def for_family(
    recipes: Iterable[Recipe], family: str, version: str | None, launcher: str | None = None
) -> Recipe | None:
    """Return the recipe of an MPI's family; None if there is none.

    Args:
        recipes: the recipes to choose from.
        family: key of the family.
        version: version of the MPI; None if not known: then the family's first recipe.
        launcher: name of the launcher program, which distinguishes recipes of one family.
    """
    fitting = [
        recipe
        for recipe in recipes
        if recipe.kind == "family" and recipe.family == family and _covers(recipe, version)
    ]
    same_launcher = [recipe for recipe in fitting if (recipe.launcher or "").split()[:1] == [launcher]]
    return next(iter(same_launcher or fitting), None)


def for_site(recipes: Iterable[Recipe], hostname: str, environment: Mapping[str, str]) -> Recipe | None:
    """Return the recipe of this cluster; None if it is not recognised."""
    return next((recipe for recipe in recipes if _matches(recipe.match, hostname, environment)), None)


def _covers(recipe: Recipe, version: str | None) -> bool:
    return not recipe.versions or version is None or version.startswith(recipe.versions)


def _matches(match: Match, hostname: str, environment: Mapping[str, str]) -> bool:
    return any(fnmatch.fnmatchcase(hostname, pattern) for pattern in match.hostname) or any(
        fnmatch.fnmatchcase(environment.get(name, ""), pattern) for name, pattern in match.environment.items()
    )


def _files(environment: Mapping[str, str], root: Path) -> dict[str, Path]:
    """Return the file of each recipe by name; the user's own come last, and so take precedence."""
    own = users(environment, root)
    files = [*shipped().glob("*/*.yaml"), *own.glob("*.yaml")]
    return dict(sorted({file.stem: file for file in files}.items()))


def _accepted(files: Iterable[Path]) -> list[Recipe]:
    recipes = []
    faults: list[Fault] = []
    for file in files:
        try:
            recipes.append(_read(file))
        except Refusal as refusal:
            faults += refusal.faults
    if faults:
        raise Refusal(ExitCode.BAD_INPUT, faults)
    return recipes


def _read(file: Path) -> Recipe:
    raw = _parse(file)
    faults = [Fault(f"{file}: {key}", what, cure) for key, what, cure in _contradictions(raw)]
    try:
        recipe = Recipe.model_validate({**raw, "name": file.stem})
    except ValidationError as error:
        faults += [_fault(file, details) for details in error.errors()]
    if faults:
        raise Refusal(ExitCode.BAD_INPUT, faults)
    return recipe


def _contradictions(raw: Mapping[str, Any]) -> Iterable[tuple[str, str, str]]:
    if "name" in raw:
        yield "name", "the recipe's name is the file's", "leave it out"
    if raw.get("kind") == "family" and "family" not in raw:
        yield "family", "is missing", "a recipe of kind family needs it"
    if "tested" in raw and "untested" in raw:
        yield "untested", "contradicts tested", "keep one of the two"


def _fault(file: Path, details: Any) -> Fault:
    """Convert an error of pydantic into a fault."""
    # The third part of a variable's location is the schema's own name for text or paths.
    place = [part for i, part in enumerate(details["loc"]) if (i, details["loc"][0]) != (2, "environment")]
    key = ".".join(map(str, place))
    what = details["msg"].removeprefix("Value error, ")
    cure = ""
    if details["type"] == "extra_forbidden":
        close = difflib.get_close_matches(str(details["loc"][-1]), KEYS, n=1)
        what, cure = "no such key", f"did you mean {close[0]}?" if close else "docs/host-mpi.md lists them"
    elif details["type"] == "missing":
        what = "is missing"
    elif details["type"] == "string_type":
        what, cure = f"must be text, not {details['input']!r}", "put it in quotes"
    return Fault(f"{file}: {key}", what, cure)


def _parse(file: Path) -> dict[str, Any]:
    raw, repeated = parse_yaml(read_text(file), file)
    if repeated:
        raise Refusal(
            ExitCode.BAD_INPUT, [Fault(f"{file}", f"duplicate key {key}", "keep one") for key in repeated]
        )
    if not isinstance(raw, dict) or not all(isinstance(key, str) for key in raw):
        refuse_input(f"{file}", "is not a mapping of keys to values", "see the example in docs/host-mpi.md")
    # A key of 0.1.0 without an effect.
    raw.pop("pmi", None)
    return raw
