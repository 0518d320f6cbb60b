"""Reading the input file as ESPEI does, with every fault as one line."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import yaml

from espei_hpc.errors import Fault, Refusal
from espei_hpc.exit_codes import ExitCode
from espei_hpc.inputs.findings import reason

YAML_ENDINGS = (".yaml", ".yml")
JSON_ENDINGS = (".json",)


def read_input(path: Path | str) -> dict[str, Any]:
    """Read an ESPEI input file, YAML or JSON by its ending.

    Args:
        path: the file, relative to the working directory.

    Returns:
        The settings as written, not yet checked.

    Raises:
        Refusal: naming the line where the file cannot be understood, and keys that are given twice.
    """
    settings, faults = parse_input(path)
    if faults:
        raise Refusal(ExitCode.BAD_INPUT, faults)
    return settings


def parse_input(path: Path | str) -> tuple[dict[str, Any], list[Fault]]:
    """Read an input as :func:`read_input`, but return faults that leave the rest to be checked.

    Raises:
        Refusal: naming the line where the file cannot be understood.
    """
    path = Path(path)
    if path.suffix not in YAML_ENDINGS + JSON_ENDINGS:
        ending = f"the ending {path.suffix!r}" if path.suffix else "a name without an ending"
        _refuse(f"{path}", f"{ending} is none that ESPEI reads", "name it .yaml, .yml or .json")
    text = read_text(path)
    if not text.strip():
        _refuse(f"{path}", "the file is empty", "see ESPEI's documentation for what an input holds")
    settings, repeated = parse_json(text, path) if path.suffix in JSON_ENDINGS else _parse_yaml(text, path)
    if not isinstance(settings, dict):
        kind = "nothing" if settings is None else f"a {type(settings).__name__}"
        _refuse(
            f"{path}",
            f"the file holds {kind}, not keys with values",
            "write the sections system, output and mcmc or generate_parameters",
        )
    cure = "keep one: the last would silently win"
    return settings, [Fault(f"{path}", f"{key} is given twice", cure) for key in repeated]


def read_text(path: Path) -> str:
    """Read a text file that must be UTF-8.

    Raises:
        Refusal: if it is missing, unreadable or not text.
    """
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        _refuse(f"{path}: line {line}", "the file is not UTF-8 text", "save it as UTF-8")
    except FileNotFoundError:
        _refuse(f"{path}", f"no such file (looked from {Path.cwd()})")
    except IsADirectoryError:
        _refuse(f"{path}", "is a directory, not a file")
    except (OSError, ValueError) as error:
        _refuse(f"{path}", f"cannot be read: {getattr(error, 'strerror', None) or error}")


def parse_json(text: str, path: Path) -> tuple[Any, list[str]]:
    """Parse JSON text.

    Returns:
        The data, and the keys that are given twice, of which the last wins.

    Raises:
        Refusal: with the line of the first mistake.
    """
    repeated: list[str] = []

    def remember_repeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        counts = Counter(key for key, _ in pairs)
        repeated.extend(key for key, count in counts.items() if count > 1)
        return dict(pairs)

    try:
        return json.loads(text, object_pairs_hook=remember_repeated), repeated
    except json.JSONDecodeError as error:
        _refuse(f"{path}: line {error.lineno}", f"not valid JSON at column {error.colno}: {error.msg}")
    except RecursionError:
        _refuse(f"{path}", "not usable JSON: nested too deeply")


def _parse_yaml(text: str, path: Path) -> tuple[Any, list[str]]:
    try:
        return yaml.safe_load(text), list(_repeated_keys(yaml.compose(text, Loader=yaml.SafeLoader)))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{path}: line {mark.line + 1}" if mark else f"{path}"
        what = " ".join(part for part in (error.context, error.problem) if part)
        _refuse(where, f"not valid YAML{f' at column {mark.column + 1}' if mark else ''}: {what}")
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        # A control character, an impossible date, nesting without end.
        _refuse(f"{path}", f"not valid YAML: {reason(error)}")


def _repeated_keys(root: yaml.Node | None) -> Iterator[str]:
    """Find the keys of which PyYAML silently takes the last."""
    visited: set[int] = set()
    waiting = [root] if root else []
    while waiting:
        node = waiting.pop(0)
        if id(node) in visited:  # reached before, through an anchor
            continue
        visited.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            waiting.extend(node.value)
        elif isinstance(node, yaml.MappingNode):
            waiting.extend(value for _, value in node.value)
            counts = Counter(key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode))
            lines = {
                key.value: key.start_mark.line + 1
                for key, _ in node.value
                if isinstance(key, yaml.ScalarNode)
            }
            yield from (f"{key} (line {lines[key]})" for key, count in counts.items() if count > 1)


def _refuse(where: str, what: str, cure: str = "") -> NoReturn:
    raise Refusal(ExitCode.BAD_INPUT, [Fault(where, what, cure)])
