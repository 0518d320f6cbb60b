"""Checking the input's keys and values with ESPEI's own schema."""

import copy
import difflib
import math
from collections.abc import Iterator
from typing import Any

from espei.espei_script import get_run_settings
from espei.utils import import_qualified_object
from espei.validation import schema

from espei_hpc import user_code
from espei_hpc.errors import reason
from espei_hpc.inputs.findings import Findings

Settings = dict[str, Any]
Path = tuple[str, ...]
SECTIONS = ("system", "output", "generate_parameters", "mcmc")


def check_settings(raw: Settings, findings: Findings) -> Settings:
    """Check the keys and values of an input with ESPEI's schema.

    Args:
        raw: the input as written.
        findings: collects the faults.

    Returns:
        ESPEI's settings with its defaults, as plain data. Faulty values are
        removed, so that the rest can still be checked.
    """
    plain = {key: copy.deepcopy(value) for key, value in raw.items() if _usable(key, value, findings)}
    _check_sections_present(raw, findings)
    generate = plain.get("generate_parameters", {})
    description = generate.get("fitting_description")
    if isinstance(description, str):
        # ESPEI imports it during validation and replaces it by the object;
        # checked separately, so that a wrong name hides no other fault.
        try:
            import_qualified_object(description)
        except Exception as error:
            what = f"cannot import {description}: {reason(error)}"
            cure = user_code.CURE if isinstance(error, ModuleNotFoundError) else ""
            findings.fault("generate_parameters.fitting_description", what, cure)
        del generate["fitting_description"]
    settings = _validated(plain, findings)
    if "generate_parameters" in settings:
        default = schema.schema["generate_parameters"]["schema"]["fitting_description"]["default"]
        settings["generate_parameters"]["fitting_description"] = description or default
    return settings


def _usable(name: object, value: object, findings: Findings) -> bool:
    """Whether a section is a mapping; ESPEI raises on others before it validates."""
    if name not in SECTIONS or isinstance(value, dict):
        return True
    kind = "nothing" if value is None else f"a {type(value).__name__}"
    findings.fault(str(name), f"must be a mapping of keys to values, not {kind}")
    return False


def _check_sections_present(raw: Settings, findings: Findings) -> None:
    """Check for sections that are optional in the schema although ESPEI cannot run without them."""
    if "system" not in raw:
        findings.fault("system", "is missing", "add it, with the keys phase_models and datasets")
    if "mcmc" not in raw and "generate_parameters" not in raw:
        findings.fault("mcmc", "nothing to run", "add a section mcmc, generate_parameters or both")


def _validated(plain: Settings, findings: Findings) -> Settings:
    try:
        settings: Settings = get_run_settings(plain)
        return settings
    except ValueError as error:
        errors = error.args[0] if error.args else None
        if not isinstance(errors, dict):
            findings.fault("the file", reason(error))
            return {}
    except Exception as error:
        findings.fault("the file", f"ESPEI cannot read these settings: {reason(error)}")
        return {}
    settings = schema.normalized(plain) or {}
    mcmc = settings.get("mcmc")
    if mcmc is not None and mcmc.get("restart_trace") is None:
        mcmc.setdefault("chains_per_parameter", 2)  # ESPEI's default, which its schema does not have
    for path, message in _flatten(errors, ()):
        findings.fault(".".join(path), *_explain(path, message, _value(plain, path)))
        _drop(settings, path)
    return settings


def _flatten(errors: dict[Any, Any], path: Path) -> Iterator[tuple[Path, str]]:
    """Flatten cerberus' nested errors: lists of messages and of further mappings."""
    for key, entries in errors.items():
        if str(key).startswith("oneof definition"):
            continue  # why each alternative failed; the message of the rule itself is enough
        below = path if str(key).startswith("allof definition") else (*path, str(key))
        for entry in entries:
            if isinstance(entry, dict):
                yield from _flatten(entry, below)
            elif "definitions don't validate" not in entry:
                yield below, entry


PLAIN_WORDS = {
    "required field": "is missing",
    r"value does not match regex '.*\.json$'": "must be the name of a file ending in .json",
    r"value does not match regex '.*\.npy$'": "must be the name of a file ending in .npy",
    r"value does not match regex '.*\.npy$|None'": "must be the name of a file ending in .npy, or None",
    r"value does not match regex 'dask|.*\.json$'": "must be dask, null or a file ending in .json",
    "value does not match regex 'linear'": "must be linear",
}
"""Plain versions of messages of ESPEI's schema."""


def number_as_text(value: object) -> str:
    """Return what to write for a number that YAML, or quotes, have made a text; empty if it is none."""
    try:
        number = float(value) if isinstance(value, str) else None
    except ValueError:
        return ""
    if number is None or not math.isfinite(number):
        return ""
    written = str(int(number)) if number == int(number) else repr(number)
    return f"{value!r} is text in YAML, which has no number of this form: write {written}"


def _value(plain: Settings, path: Path) -> object:
    value: Any = plain
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _explain(path: Path, message: str, value: object) -> tuple[str, str]:
    """Translate a message of cerberus to plain English, with a cure if one is known."""
    if message == "unknown field":
        return "no such setting", _suggest(path)
    if message == "none or more than one rule validate":
        return (
            "the starting values must come from exactly one source",
            "use either mcmc.input_db or a section generate_parameters",
        )
    if message == "must be of integer type" and isinstance(value, float) and value.is_integer():
        return "must be a whole number", f"write {value:.0f}, without a decimal point"
    if message.startswith("must be of ") and (cure := number_as_text(value)):
        return message, cure
    if message == "Must be an even number":
        return "must be an even number", "the sampler moves the walkers in two halves"
    if "must not be present with" in message:
        return message, "the walkers come from the restart trace"
    return PLAIN_WORDS.get(message, message), ""


def _suggest(path: Path) -> str:
    *sections, name = path
    known = schema.schema
    for section in sections:
        known = known[section].get("schema", {})
    close = difflib.get_close_matches(name, [str(key) for key in known], n=1)
    if close:
        return f"did you mean {close[0]}?"
    elsewhere = [section for section in SECTIONS if name in schema.schema[section]["schema"]]
    if elsewhere:
        return f"it belongs under {' or '.join(elsewhere)}"
    return f"known settings: {', '.join(sorted(str(key) for key in known))}"


def _drop(settings: Settings, path: Path) -> None:
    """Remove a wrong value; a whole section is kept, since its other keys may be right."""
    *sections, name = path
    if not sections and name in SECTIONS:
        return
    holder: Any = settings
    for section in sections:
        holder = holder.get(section, {})
    for key in [key for key in holder if str(key) == name]:
        del holder[key]
