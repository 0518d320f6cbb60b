import shutil
import subprocess
from pathlib import Path

import pytest

from espei_hpc.errors import Refusal
from espei_hpc.exit_codes import ExitCode
from espei_hpc.mpi.host.options import ENGINES, Engine, Mount, options


def _refusal(mounts: list[Mount], variables: dict[str, str]) -> Refusal:
    with pytest.raises(Refusal) as caught:
        options("apptainer", mounts, variables)
    return caught.value


@pytest.mark.parametrize(
    ("engine", "expected"),
    [
        ("apptainer", ("--bind", "/a:/b:ro", "--env", "X=1")),
        ("podman", ("--volume", "/a:/b:ro", "--env", "X=1")),
        ("docker", ("--volume", "/a:/b:ro", "--env", "X=1")),
    ],
)
def test_each_engine_has_its_own_words(engine: Engine, expected: tuple[str, ...]) -> None:
    assert options(engine, [Mount("/a", "/b")], {"X": "1"}) == expected


@pytest.mark.parametrize("engine", ENGINES)
def test_a_mount_is_read_only_unless_it_says_so(engine: Engine) -> None:
    assert options(engine, [Mount("/a", "/a", writable=True)], {})[1] == "/a:/a"


@pytest.mark.parametrize("engine", ENGINES)
def test_a_mount_below_another_comes_after_it(engine: Engine) -> None:
    words = options(engine, [Mount("/x", "/opt/cray/lib"), Mount("/y", "/opt/cray")], {})
    assert words[1::2] == ("/y:/opt/cray:ro", "/x:/opt/cray/lib:ro")


def test_the_same_mount_twice_is_one() -> None:
    assert options("podman", [Mount("/a", "/a"), Mount("/a", "/a")], {}) == ("--volume", "/a:/a:ro")


def test_nothing_to_mount_is_no_option() -> None:
    assert options("docker", [], {}) == ()


@pytest.mark.parametrize("path", ["/a:b", "/a,b", "/a\nb"])
@pytest.mark.parametrize("side", ["source", "target"])
def test_a_path_that_engines_would_split_is_refused_with_the_reason(path: str, side: str) -> None:
    mount = Mount(path, "/t") if side == "source" else Mount("/s", path)
    refusal = _refusal([mount], {})
    assert refusal.code == ExitCode.CONFIGURATION
    assert "at which container engines split a mount" in str(refusal)
    assert repr(path) in str(refusal)


def test_a_relative_path_is_refused() -> None:
    assert "is not an absolute path" in str(_refusal([Mount("a", "/a")], {}))


def test_two_sources_for_one_target_are_refused_by_name() -> None:
    assert "/a and /b would both be mounted there" in str(
        _refusal([Mount("/a", "/t"), Mount("/b", "/t")], {})
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("1X", "1"),
        ("X Y", "1"),
        ("", "1"),
        ("X", "a\nb"),
        ("X", 'say "a"'),
        ("X", "$HOME"),
        ("X", "`id`"),
        ("X", "\\n"),
    ],
)
def test_a_variable_that_cannot_be_handed_over_is_refused(name: str, value: str) -> None:
    assert "variable" in str(_refusal([], {name: value}))


def test_all_that_is_wrong_is_told_at_once() -> None:
    assert len(_refusal([Mount("a", "/t:"), Mount("/s,", "/u")], {"1": ""}).faults) == 4


@pytest.fixture(scope="session")
def box(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root for Apptainer in which there is hardly more than `env`."""
    box = tmp_path_factory.mktemp("box")
    for name in ("dev", "etc", "home", "opt", "proc", "root", "sys", "tmp", "var/tmp"):
        (box / name).mkdir(parents=True)
    libraries = subprocess.run(["ldd", "/usr/bin/env"], capture_output=True, text=True, check=True).stdout
    needed = [Path(word) for word in libraries.split() if word.startswith("/")]
    for source in [Path("/usr/bin/env"), Path("/bin/sh"), *needed]:
        target = box / str(source).lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)
    return box


@pytest.mark.needs("Apptainer")
def test_apptainer_hands_over_what_was_meant(box: Path) -> None:
    # Several "=" and commas in one value are what Apptainer splits.
    meant = {
        "A": "x=1,B=2",
        "C": "1,2",
        "D": "",
        "E": "^tcp,self",
        "F": "a=b",
        "G": "it's; a #&*~ {1..2} !",
        "UCX_TLS": "tcp,posix",
    }
    command = ["apptainer", "--quiet", "exec", *options("apptainer", [], meant), str(box), "/usr/bin/env"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    seen = dict(line.split("=", 1) for line in run.stdout.splitlines() if "=" in line)
    assert {name: seen.get(name) for name in meant} == meant
    assert "B" not in seen


@pytest.mark.needs("Apptainer")
def test_apptainer_mounts_what_was_meant(box: Path, tmp_path: Path) -> None:
    (tmp_path / "a file").touch()
    words = options("apptainer", [Mount(str(tmp_path / "a file"), "/opt/x/the file")], {})
    command = ["apptainer", "--quiet", "exec", *words, str(box), "/bin/sh", "-c", "test -f '/opt/x/the file'"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
