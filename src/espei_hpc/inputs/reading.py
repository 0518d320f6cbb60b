"""Reading the input file as ESPEI does, with one line per fault."""

from pathlib import Path
from typing import Any

from espei_hpc.errors import Fault, Refusal, refuse_input
from espei_hpc.exit_codes import ExitCode
from espei_hpc.parsing import parse_json, parse_yaml, read_text

YAML_ENDINGS = (".yaml", ".yml")
JSON_ENDINGS = (".json",)


def read_input(path: Path | str) -> dict[str, Any]:
    """Read an ESPEI input file, YAML or JSON according to its ending.

    Args:
        path: the file, relative to the working directory.

    Returns:
        The settings as written, not yet checked.

    Raises:
        Refusal: naming the line of a syntax error, and duplicate keys.
    """
    settings, faults = parse_input(path)
    if faults:
        raise Refusal(ExitCode.BAD_INPUT, faults)
    return settings


def parse_input(path: Path | str) -> tuple[dict[str, Any], list[Fault]]:
    """Read an input as :func:`read_input` does, but return the faults after which checks can continue.

    Raises:
        Refusal: naming the line of a syntax error.
    """
    path = Path(path)
    if path.suffix not in YAML_ENDINGS + JSON_ENDINGS:
        ending = f"the ending {path.suffix!r}" if path.suffix else "a name without an ending"
        refuse_input(f"{path}", f"ESPEI does not read {ending}", "use .yaml, .yml or .json")
    text = read_text(path)
    if not text.strip():
        refuse_input(f"{path}", "the file is empty", "see ESPEI's documentation for the settings of an input")
    settings, repeated = parse_json(text, path) if path.suffix in JSON_ENDINGS else parse_yaml(text, path)
    if not isinstance(settings, dict):
        kind = "nothing" if settings is None else f"a {type(settings).__name__}"
        refuse_input(
            f"{path}",
            f"must be a mapping of keys to values, not {kind}",
            "write the sections system, output and mcmc or generate_parameters",
        )
    cure = "keep one: ESPEI would silently use the last one"
    return settings, [Fault(f"{path}", f"duplicate key {key}", cure) for key in repeated]
