"""One run per run directory (row 22 of the fault table)."""

import errno
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from espei_hpc.errors import Refusal
from espei_hpc.exit_codes import ExitCode
from espei_hpc.rundir import lock as lock_module
from espei_hpc.rundir.holder import Holder
from espei_hpc.rundir.lock import Lock
from support import ROOT, wait_until

CONFIRM_SECONDS = lock_module.CONFIRM_SECONDS
ELSEWHERE = replace(Holder.here("PBS job 7.server"), machine="another", host="node7", pid=4242)


@contextmanager
def holding(directory: Path, *options: str, **variables: str) -> Iterator["subprocess.Popen[str]"]:
    """Run a process that tries to hold the lock; what it says is read by the test."""
    paths = os.pathsep.join(filter(None, (str(ROOT / "tests"), os.environ.get("PYTHONPATH"))))
    process = subprocess.Popen(
        [sys.executable, "-m", "unit.rundir.holding", str(directory), *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": paths} | variables,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def write(directory: Path, holder: Holder | bytes, age: float) -> Path:
    """Write a lock as another machine leaves it."""
    path = directory / "lock"
    path.write_bytes(holder if isinstance(holder, bytes) else holder.packed())
    os.utime(path, (time.time() - age,) * 2)
    return path


def named(directory: Path) -> Holder | None:
    return Holder.parse((directory / "lock").read_bytes())


class Looks:
    """Counts the looks of a waiting lock, and acts at the second."""

    def __init__(self, act: Callable[[], object] = lambda: None) -> None:
        self.count = 0
        self.act = act

    def __call__(self) -> None:
        self.count += 1
        if self.count == 2:
            self.act()


@pytest.fixture(autouse=True)
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look often: what is found at a look is the same however long it is after the one before."""
    monkeypatch.setattr(lock_module, "LOOK_SECONDS", 0.1)
    monkeypatch.setattr(lock_module, "CONFIRM_SECONDS", 0.1)


@pytest.fixture
def lock(tmp_path: Path) -> Iterator[Lock]:
    made = Lock(tmp_path, "")
    yield made
    made.release()


def test_fault_22_second_run_is_refused_naming_host_process_and_job(tmp_path: Path, lock: Lock) -> None:
    with holding(tmp_path, PBS_JOBID="123.server") as first:
        assert line(first) == "held"
        looks = Looks()
        with pytest.raises(Refusal) as refused:
            lock.acquire(looks)
        assert looks.count == 2, "decided without waiting"
        assert refused.value.code == ExitCode.UNAVAILABLE
        words = str(refused.value)
        assert f"process {first.pid} on {socket.gethostname()}, PBS job 123.server, since 20" in words
        first.communicate("")  # untouched by the refusal, it ends by itself
        assert first.returncode == 0


def test_fault_22_slurm_job_is_named(tmp_path: Path) -> None:
    with holding(tmp_path, SLURM_JOB_ID="77") as first, holding(tmp_path) as second:
        said = {line(first).split(" ")[0], line(second).split(" ")[0]}
        assert said == {"held", "refused"}
        holder = named(tmp_path)
        assert holder is not None
        assert holder.job in ("Slurm job 77", "")


def test_fault_22_of_many_at_once_one_gets_in(tmp_path: Path) -> None:
    with ExitStack() as stack:
        processes = [stack.enter_context(holding(tmp_path / "x.run")) for _ in range(8)]
        said = [line(process).split(" ")[0] for process in processes]
        assert sorted(said) == ["held", *["refused"] * 7]


def test_fault_22_lock_is_free_once_released(tmp_path: Path, lock: Lock) -> None:
    with holding(tmp_path) as first:
        assert line(first) == "held"
        first.communicate("")
    assert list(tmp_path.iterdir()) == []
    lock.acquire()


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_fault_22_lock_is_free_at_once_after_a_kill(tmp_path: Path, lock: Lock, end: signal.Signals) -> None:
    with holding(tmp_path) as first:
        assert line(first) == "held"
        first.send_signal(end)
        first.wait()
    looks = Looks()
    lock.acquire(looks)
    assert looks.count == 1


@pytest.mark.parametrize("kind", ["fork", "exec"])
def test_fault_22_no_child_keeps_the_lock(tmp_path: Path, lock: Lock, kind: str) -> None:
    with holding(tmp_path, kind) as first:
        assert line(first) == "held"
        child = int(line(first))
        try:
            os.kill(first.pid, signal.SIGKILL)
            os.waitpid(first.pid, 0)
            os.kill(child, 0)  # lives
            lock.acquire()
        finally:
            os.kill(child, signal.SIGKILL)


def test_fault_22_lock_can_be_taken_again(tmp_path: Path, lock: Lock) -> None:
    for _ in range(2):
        lock.acquire()
        assert named(tmp_path) is not None
        lock.release()


def test_fault_22_lock_is_private(tmp_path: Path) -> None:
    lock = Lock(tmp_path / "x.run", "")
    lock.acquire()
    assert (tmp_path / "x.run").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "x.run" / "lock").stat().st_mode & 0o777 == 0o600
    lock.release()


def test_fault_22_place_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.run").write_text("in the way")
    with pytest.raises(Refusal) as refused:
        Lock(tmp_path / "x.run").acquire()
    assert refused.value.code == ExitCode.CANNOT_CREATE


@pytest.mark.parametrize("content", [ELSEWHERE, b"", b'{"half', b'["not", "a lock"]'])
def test_fault_22_lock_nobody_touched_for_long_is_taken(
    tmp_path: Path, lock: Lock, content: Holder | bytes
) -> None:
    write(tmp_path, content, age=61)
    looks = Looks()
    lock.acquire(looks)
    assert looks.count == 1
    holder = named(tmp_path)
    assert holder is not None
    assert holder.pid == os.getpid()


def test_fault_22_young_lock_of_another_machine_is_taken_when_it_got_old(tmp_path: Path, lock: Lock) -> None:
    write(tmp_path, ELSEWHERE, age=57)
    looks = Looks()
    lock.acquire(looks)
    assert looks.count > 2
    assert named(tmp_path) != ELSEWHERE


def test_fault_22_lock_that_another_machine_touches_is_refused(tmp_path: Path, lock: Lock) -> None:
    path = write(tmp_path, ELSEWHERE, age=30)
    looks = Looks(lambda: os.utime(path))
    with pytest.raises(Refusal, match=r"process 4242 on node7, PBS job 7\.server") as refused:
        lock.acquire(looks)
    assert refused.value.code == ExitCode.UNAVAILABLE
    assert looks.count == 2
    assert named(tmp_path) == ELSEWHERE


def test_fault_22_lock_that_another_machine_releases_is_taken(tmp_path: Path, lock: Lock) -> None:
    path = write(tmp_path, ELSEWHERE, age=0)
    looks = Looks(path.unlink)
    lock.acquire(looks)
    assert looks.count == 2


def test_fault_22_waiting_can_be_given_up_and_leaves_the_lock(tmp_path: Path, lock: Lock) -> None:
    path = write(tmp_path, ELSEWHERE, age=0)

    def stop() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        lock.acquire(Looks(stop))
    assert named(tmp_path) == ELSEWHERE
    with path.open("rb+") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_fault_22_who_waits_lets_the_maker_of_the_file_lock_it(tmp_path: Path, lock: Lock) -> None:
    """A file is made and locked in two steps; another process may look in between."""
    path = write(tmp_path, b"", age=0)

    def maker() -> None:
        with path.open("rb+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        path.unlink()

    lock.acquire(Looks(maker))


def test_fault_22_of_two_machines_that_take_an_old_lock_the_later_has_it(
    tmp_path: Path, lock: Lock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock_module, "CONFIRM_SECONDS", CONFIRM_SECONDS)
    path = write(tmp_path, b"", age=61)

    def take() -> None:
        wait_until(lambda: named(tmp_path), "the first machine's name")
        path.write_bytes(ELSEWHERE.packed())

    other = threading.Thread(target=take)
    other.start()
    with pytest.raises(Refusal, match="node7"):
        lock.acquire()
    other.join()
    assert named(tmp_path) == ELSEWHERE


def test_fault_22_holder_learns_that_another_machine_took_its_lock(tmp_path: Path, lock: Lock) -> None:
    lock.acquire()
    lock.check()
    write(tmp_path, ELSEWHERE, age=0)
    with pytest.raises(Refusal, match="node7") as refused:
        lock.check()
    assert refused.value.code == ExitCode.UNAVAILABLE
    lock.release()
    assert named(tmp_path) == ELSEWHERE


def test_fault_22_holder_touches_its_lock(
    tmp_path: Path, lock: Lock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock_module, "TOUCH_SECONDS", 0.05)
    lock.acquire()
    path = tmp_path / "lock"
    for _ in range(2):
        before = path.stat().st_mtime_ns
        wait_until(lambda before=before: path.stat().st_mtime_ns > before, "a touch")  # type: ignore[misc]


def test_fault_22_without_flock_content_and_age_decide(
    tmp_path: Path, lock: Lock, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What Lustre mounted without it answers, which a test cannot have.
    def refuses(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuses)
    lock.acquire()
    second = Lock(tmp_path, "")
    with pytest.raises(Refusal, match=f"process {os.getpid()} on"):
        second.acquire(Looks(lambda: os.utime(tmp_path / "lock")))
    lock.release()
    second.acquire()
    second.release()
    write(tmp_path, replace(ELSEWHERE, machine=Holder.here("").machine), age=58.5)
    looks = Looks()
    lock.acquire(looks)
    assert looks.count > 1


def test_fault_22_lock_names_who_holds_it_as_json(tmp_path: Path, lock: Lock) -> None:
    lock.acquire()
    content = json.loads((tmp_path / "lock").read_text())
    assert content["host"] == socket.gethostname()
    assert content["pid"] == os.getpid()
