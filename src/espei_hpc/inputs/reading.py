"""Reading the input file as ESPEI does, with every fault as one line."""

from pathlib import Path
from typing import Any, NoReturn

from espei_hpc.errors import Fault, Refusal
from espei_hpc.exit_codes import ExitCode
from espei_hpc.parsing import parse_json, parse_yaml, read_text

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
    settings, repeated = parse_json(text, path) if path.suffix in JSON_ENDINGS else parse_yaml(text, path)
    if not isinstance(settings, dict):
        kind = "nothing" if settings is None else f"a {type(settings).__name__}"
        _refuse(
            f"{path}",
            f"the file holds {kind}, not keys with values",
            "write the sections system, output and mcmc or generate_parameters",
        )
    cure = "keep one: the last would silently win"
    return settings, [Fault(f"{path}", f"{key} is given twice", cure) for key in repeated]


def _refuse(where: str, what: str, cure: str = "") -> NoReturn:
    raise Refusal(ExitCode.BAD_INPUT, [Fault(where, what, cure)])
