"""Every check gives its line, whatever happens in it; people, programs and scripts read the same."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from espei_hpc.doctor import (
    Line,
    Options,
    Severity,
    as_json,
    as_text,
    examination,
    examine,
    exit_code,
    obstacles,
)
from espei_hpc.doctor.examination import Check
from espei_hpc.doctor.finding import fault, ok, warning


@pytest.fixture
def never() -> Iterator[threading.Event]:
    """An event that comes only when the test is over."""
    event = threading.Event()
    yield event
    event.set()


def test_check_without_an_end_is_a_warning_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, never: threading.Event
) -> None:
    def hang(options: Options) -> list[Line]:
        never.wait()
        return []

    monkeypatch.setattr(
        examination, "CHECKS", (Check("hanging", hang), Check("after", lambda _: [ok("after", "fine")]))
    )
    hanging, after = examine(Options(tmp_path, cheap=True))
    assert (hanging.topic, hanging.state) == ("hanging", Severity.WARNING)
    assert "no answer within 0.8 s" in hanging.seen
    assert after == ok("after", "fine")


def test_check_that_fails_is_a_warning_without_a_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(options: Options) -> list[Line]:
        raise PermissionError(13, "Permission denied", "/proc/mounts")

    monkeypatch.setattr(examination, "CHECKS", (Check("failing", fail),))
    (line,) = examine(Options(tmp_path, cheap=True))
    assert line.state == Severity.WARNING
    assert "check failed (PermissionError" in line.seen


def test_cheap_part_starts_no_launcher(tmp_path: Path) -> None:
    topics = {line.topic for line in examine(Options(tmp_path, cheap=True))}
    assert {"engine", "directory", "interfaces", "open files"} <= topics
    assert not {"MPI world", "srun"} & topics


def test_fit_is_told_only_what_may_hinder_it(tmp_path: Path) -> None:
    assert [line.topic for line in obstacles(Options(tmp_path, cheap=True, ranks=5000))] >= ["cores"]
    assert "engine" not in {line.topic for line in obstacles(Options(tmp_path, environment={"PATH": ""}))}


def test_whole_examination_has_a_line_of_the_world(tmp_path: Path) -> None:
    topics = [line.topic for line in examine(Options(tmp_path, launcher=("no-such-mpirun",)))]
    assert topics[0] == "engine"
    assert topics[-1] == "MPI world"


def test_lines_for_people_stand_in_columns_with_the_cure_below() -> None:
    lines = [ok("libc", "2.41"), fault("open files", "at most\n100", "ulimit -n 320")]
    assert as_text(lines) == [
        "ok       libc        2.41",
        "fault    open files  at most 100",
        "                     -> ulimit -n 320",
    ]


def test_lines_for_a_program_say_the_same() -> None:
    content = json.loads(json.dumps(as_json([warning("cores", "few", "more")])))
    assert content == {
        "exit_code": 0,
        "lines": [{"topic": "cores", "state": "warning", "seen": "few", "cure": "more"}],
    }


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        ([], 0),
        ([ok("libc", ""), warning("cores", "")], 0),
        ([fault("directory", "", "")], 1),
        ([fault("MPI message", "", "")], 1),
        ([fault("directory", "", ""), fault("MPI world", "", "")], 69),
        ([warning("MPI world", "without MPI")], 0),
    ],
)
def test_exit_code_tells_no_world_from_other_faults(lines: list[Line], code: int) -> None:
    assert exit_code(lines) == code
