"""Read text, YAML and JSON files: syntax errors by file and line, and duplicate keys."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from espei_hpc.errors import reason, refuse_input


def read_text(path: Path) -> str:
    """Read a UTF-8 text file, with any kind of line ends, as ESPEI does.

    Raises:
        Refusal: if it is missing, unreadable or not UTF-8.
    """
    try:
        return path.read_bytes().decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        refuse_input(f"{path}: line {line}", "the file is not UTF-8 text", "save it as UTF-8")
    except FileNotFoundError:
        refuse_input(f"{path}", f"no such file (in {Path.cwd()})", unexpanded(path))
    except IsADirectoryError:
        refuse_input(f"{path}", "is a directory, not a file")
    except (OSError, ValueError) as error:
        refuse_input(f"{path}", f"cannot read the file: {getattr(error, 'strerror', None) or error}")


def unexpanded(path: Path) -> str:
    """Return what to do about a path with ``~`` or a variable; empty if it has none."""
    if str(path).startswith("~") or "$" in str(path):
        return "ESPEI does not replace ~ and $NAME, as a shell does: write the whole path"
    return ""


BOM = "\ufeff"
MARKS = {"\x1a": "Ctrl-Z, the end of a file in DOS", "\0": "NUL; the file may be UTF-16"}


def unreadable(text: str) -> str:
    """Return which invisible character hinders a reader of a text; empty if there is none.

    Neither JSON nor databases may have a byte-order mark or control characters.
    """
    if text.startswith(BOM):
        return "it begins with a byte-order mark (BOM): save it as UTF-8 without BOM"
    for number, line in enumerate(text.split("\n"), start=1):
        for character in line:
            if ord(character) < 32 and character not in "\t\f":
                name = MARKS.get(character, f"number {ord(character)}")
                return f"line {number} has a control character ({name}): remove it"
    return ""


def parse_json(text: str, path: Path) -> tuple[Any, list[str]]:
    """Parse JSON text.

    Returns:
        The data, and the duplicate keys, of which the last one is used.

    Raises:
        Refusal: naming the line of the first syntax error.
    """
    repeated: list[str] = []

    def remember_repeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        counts = Counter(key for key, _ in pairs)
        repeated.extend(key for key, count in counts.items() if count > 1)
        return dict(pairs)

    try:
        return json.loads(text, object_pairs_hook=remember_repeated), repeated
    except json.JSONDecodeError as error:
        if why := unreadable(text):
            refuse_input(f"{path}: line {error.lineno}", f"not valid JSON: {why}")
        refuse_input(f"{path}: line {error.lineno}", f"not valid JSON at column {error.colno}: {error.msg}")
    except RecursionError:
        refuse_input(f"{path}", "not valid JSON: nested too deeply")


def parse_yaml(text: str, path: Path) -> tuple[Any, list[str]]:
    """Parse YAML text; no tag makes an object.

    Returns:
        The data, and the duplicate keys, of which the last one is used.

    Raises:
        Refusal: naming the line of the first syntax error.
    """
    try:
        return yaml.safe_load(text), list(_repeated_keys(yaml.compose(text, Loader=yaml.SafeLoader)))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{path}: line {mark.line + 1}" if mark else f"{path}"
        what = " ".join(part for part in (error.context, error.problem) if part)
        refuse_input(where, f"not valid YAML{f' at column {mark.column + 1}' if mark else ''}: {what}")
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        # A control character, an impossible date, or too deep nesting.
        why = unreadable(text.removeprefix(BOM)) if isinstance(error, yaml.reader.ReaderError) else ""
        refuse_input(f"{path}", f"not valid YAML: {why or reason(error)}")


def _repeated_keys(root: yaml.Node | None) -> Iterator[str]:
    """Find duplicate keys, of which PyYAML silently uses the last one."""
    visited: set[int] = set()
    waiting = [root] if root else []
    while waiting:
        node = waiting.pop(0)
        if id(node) in visited:  # already visited, through an anchor
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
