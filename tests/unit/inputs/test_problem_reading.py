"""The input file is read as ESPEI reads it, or refused with the line of the mistake."""

import json
from pathlib import Path

import pytest
import yaml

from espei_hpc.errors import Refusal
from espei_hpc.exit_codes import ExitCode
from espei_hpc.inputs import read_input
from unit.inputs.tiny_problem import INPUT


@pytest.fixture(autouse=True)
def _in_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", ["x.yaml", "x.yml", "über mich.yaml"])
def test_yaml_is_read(name: str) -> None:
    Path(name).write_text(yaml.safe_dump(INPUT), encoding="utf-8")

    assert read_input(name) == INPUT


def test_json_is_read() -> None:
    Path("x.json").write_text(json.dumps(INPUT))

    assert read_input("x.json") == INPUT


def test_yaml_anchors_and_merges_are_read() -> None:
    Path("x.yaml").write_text("a: &a {k: 1, l: 2}\nb:\n  <<: *a\n  k: 3\n")

    assert read_input("x.yaml")["b"] == {"k": 3, "l": 2}


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("x.txt", b"a: 1", "x.txt: ESPEI does not read the ending '.txt'"),
        ("x", b"a: 1", "x: ESPEI does not read a name without an ending"),
        ("x.YAML", b"a: 1", "x.YAML: ESPEI does not read the ending '.YAML'"),
        ("x.yaml", None, "x.yaml: no such file"),
        ("x.yaml", b"", "x.yaml: the file is empty"),
        ("x.yaml", b"# nothing yet\n", "x.yaml: must be a mapping of keys to values, not nothing"),
        ("x.yaml", b"- a\n- b\n", "x.yaml: must be a mapping of keys to values, not a list"),
        ("x.yaml", b"a: 1\nb: [1,\n", "x.yaml: line 3: not valid YAML at column 1"),
        ("x.yaml", b"a: 1\n\tb: 2\n", "x.yaml: line 2: not valid YAML"),
        ("x.yaml", b"a: 1\nb: !!python/object:os.system 1\n", "x.yaml: line 2: not valid YAML"),
        ("x.yaml", b"a: 2024-13-45\n", "x.yaml: not valid YAML: month must be in"),
        ("x.yaml", b"a: \x01\n", "x.yaml: not valid YAML"),
        ("x.yaml", b"a: 1\n---\nb: 1\n", "x.yaml: line 2: not valid YAML"),
        ("x.yaml", b"a: 1\nb: \xe9\n", "x.yaml: line 2: the file is not UTF-8 text"),
        ("x.yaml", b"a:\n  b: 1\n  b: 2\n", "x.yaml: duplicate key b (line 3)"),
        ("x.json", b'{"a": 1,\n"b" 2}', "x.json: line 2: not valid JSON at column 5"),
        ("x.json", b'{"a": {"b": 1, "b": 2}}', "x.json: duplicate key b"),
        ("x.json", b"[" * 100_000, "x.json: not valid JSON: nested too deeply"),
        ("x.yaml", b"[" * 10_000, "x.yaml: not valid YAML"),
    ],
)
def test_an_unreadable_input_is_refused_in_one_line(name: str, content: bytes | None, expected: str) -> None:
    if content is not None:
        Path(name).write_bytes(content)

    with pytest.raises(Refusal) as caught:
        read_input(name)

    assert str(caught.value).startswith(expected)
    assert "\n" not in str(caught.value)
    assert caught.value.code == ExitCode.BAD_INPUT


def test_a_directory_is_refused() -> None:
    Path("x.yaml").mkdir()

    with pytest.raises(Refusal, match=r"x\.yaml: is a directory, not a file"):
        read_input("x.yaml")
