"""The chain shown to readers: whole, as numpy writes it, and never in place of anything else."""

import errno
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest
from hypothesis import strategies as st

from amounts import few_and_many, try_examples
from espei_hpc.errors import Refusal
from espei_hpc.exit_codes import ExitCode
from espei_hpc.rundir.checkpoint.arrays import check_array, write_array

CHAIN = np.random.RandomState(0).standard_normal((4, 50, 3))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "trace.npy"


@pytest.mark.parametrize(
    "array",
    [CHAIN, CHAIN[:, :7], CHAIN[..., 0], CHAIN[:, :7, 0], np.asfortranarray(CHAIN), CHAIN[:, :0]],
    ids=["whole", "beginning", "log-probabilities", "their beginning", "transposed", "none yet"],
)
def test_file_is_the_one_that_numpy_writes(path: Path, array: np.ndarray) -> None:
    write_array(path, array)
    np.save(path.with_name("numpy.npy"), np.ascontiguousarray(array))
    assert path.read_bytes() == path.with_name("numpy.npy").read_bytes()


def test_file_grows_with_the_chain(path: Path) -> None:
    for length in (1, 2, 20, 50):
        write_array(path, CHAIN[:, :length])
        check_array(path, CHAIN)
        assert np.array_equal(np.load(path), CHAIN[:, :length])
    assert [left.name for left in path.parent.iterdir()] == ["trace.npy"]


def test_file_may_be_read_by_whom_the_umask_lets(path: Path) -> None:
    write_array(path, CHAIN)
    path.with_name("other").touch()
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(path.with_name("other").stat().st_mode)


def test_reader_of_the_file_before_reads_on_undisturbed(path: Path) -> None:
    write_array(path, CHAIN[:, :2])
    with path.open("rb") as reader:
        write_array(path, CHAIN)
        assert np.array_equal(np.load(reader), CHAIN[:, :2])


@pytest.mark.parametrize("length", [20, 50])
def test_file_that_holds_all_that_is_to_be_written_stays(path: Path, length: int) -> None:
    write_array(path, CHAIN[:, :length])
    before = path.stat()
    write_array(path, CHAIN[:, :20])
    assert path.stat().st_ino == before.st_ino
    assert np.array_equal(np.load(path), CHAIN[:, :length])


def changed(position: tuple[int, int, int]) -> np.ndarray:
    array = CHAIN[:, :10].copy()
    array[position] = np.nextafter(array[position], np.inf)
    return array


FOREIGN = {
    "another chain": CHAIN[:, :10] + 1,
    "one sample changed": changed((3, 9, 2)),
    "other walkers": CHAIN[:2, :10],
    "other parameters": CHAIN[:, :10, :2],
    "log-probabilities": CHAIN[:, :10, 0],
    "another type": CHAIN[:, :10].astype(np.float32),
    "transposed": np.asfortranarray(CHAIN[:, :10]),
    "padded with zeros": np.concatenate([CHAIN[:, :10], np.zeros((4, 10, 3))], axis=1),
    "a longer chain that differs later": np.concatenate([CHAIN[:, :30], CHAIN], axis=1),
    "one number": np.array(1.0),
}


@pytest.mark.parametrize("foreign", FOREIGN.values(), ids=FOREIGN.keys())
def test_another_array_is_never_written_over(path: Path, foreign: np.ndarray) -> None:
    np.save(path, foreign)
    assert_left_alone(path)


@pytest.mark.parametrize("content", [b"mine", b"\x93NUMPY", b"\x93NUMPY\x01\x00\x10\x00{'descr': '<f8', "])
def test_a_file_of_another_kind_is_never_written_over(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    assert_left_alone(path)


def test_array_with_something_behind_it_is_never_written_over(path: Path) -> None:
    write_array(path, CHAIN[:, :10])
    with path.open("ab") as file:
        file.write(b"mine")
    assert_left_alone(path)


def test_truncated_array_is_never_written_over(path: Path) -> None:
    write_array(path, CHAIN[:, :10])
    os.truncate(path, path.stat().st_size - 8)
    assert_left_alone(path)


def assert_left_alone(path: Path) -> None:
    before = path.read_bytes()
    for act in (write_array, check_array):
        with pytest.raises(Refusal, match="safe in the checkpoint") as refused:
            act(path, CHAIN)
        assert refused.value.code == ExitCode.CANNOT_CREATE
        assert str(path) in str(refused.value)
    assert path.read_bytes() == before
    assert [left.name for left in path.parent.iterdir()] == [path.name]


def test_directory_and_dangling_link_are_refused(path: Path) -> None:
    path.mkdir()
    with pytest.raises(Refusal):
        write_array(path, CHAIN)
    path.rmdir()
    path.symlink_to("nowhere")
    with pytest.raises(Refusal):
        write_array(path, CHAIN)
    assert path.is_symlink()


def test_empty_file_holds_nothing_to_lose(path: Path) -> None:
    path.touch()
    write_array(path, CHAIN)
    assert np.array_equal(np.load(path), CHAIN)


def test_samples_are_another_fits_where_there_are_none_of_ours_yet(path: Path) -> None:
    np.save(path, CHAIN)
    for act in (write_array, check_array):
        with pytest.raises(Refusal):
            act(path, CHAIN[:, :0])
    assert np.array_equal(np.load(path), CHAIN)


def test_negative_zero_is_another_sample(path: Path) -> None:
    np.save(path, np.zeros((2, 3)))
    with pytest.raises(Refusal):
        write_array(path, -np.zeros((2, 4)))


def test_missing_directory_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="No such file or directory") as refused:
        write_array(tmp_path / "gone" / "trace.npy", CHAIN)
    assert refused.value.code == ExitCode.CANNOT_CREATE


def test_file_of_a_killed_writer_is_removed_by_the_next(path: Path) -> None:
    leftover = path.with_name(".trace.npy.0123abcd.tmp")
    leftover.write_bytes(b"half")
    mine = path.with_name(".trace.npy.notes.tmp")
    mine.touch()
    write_array(path, CHAIN)
    assert not leftover.exists()
    assert mine.exists()


def test_file_put_there_while_writing_is_not_written_over(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = np.save

    def interrupted(file: BinaryIO, array: np.ndarray) -> None:
        save(file, array)
        path.write_bytes(b"mine")

    monkeypatch.setattr(np, "save", interrupted)
    for there in (CHAIN[:, :0], CHAIN[:, :3]):
        path.unlink(missing_ok=True)
        if there.size:
            save(path, there)
        with pytest.raises(Refusal):
            write_array(path, CHAIN)
        assert path.read_bytes() == b"mine"


def test_file_system_without_hard_links_is_written_all_the_same(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What vfat answers, which a test cannot mount everywhere.
    def refuses(*_: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuses)
    write_array(path, CHAIN[:, :5])
    write_array(path, CHAIN)
    assert np.array_equal(np.load(path), CHAIN)
    path.write_bytes(b"mine")
    assert_left_alone(path)


READER = """
import sys, numpy as np
print("ready", flush=True)
lengths = set()
while len(lengths) < 2 or max(lengths) < 50:
    try:
        lengths.add(np.load(sys.argv[1]).shape[1])
    except FileNotFoundError:
        pass
"""


def test_reader_never_sees_half_a_file(path: Path) -> None:
    chain = np.repeat(CHAIN, 500, axis=2)
    with subprocess.Popen([sys.executable, "-c", READER, path], stdout=subprocess.PIPE) as reader:
        assert reader.stdout is not None
        reader.stdout.readline()
        for length in range(1, 51):
            write_array(path, chain[:, :length])
        assert reader.wait(60) == 0


@few_and_many("examples", 50, 5000)
def test_no_sample_ever_goes_missing(tmp_path_factory: pytest.TempPathFactory, examples: int) -> None:
    def holds(writes: list[tuple[int, bool]]) -> None:
        path = tmp_path_factory.mktemp("any") / "trace.npy"
        chains = {False: CHAIN, True: CHAIN + 1}
        longest: tuple[int, bool] | None = None
        for length, which in writes:
            try:
                write_array(path, chains[which][:, :length])
            except Refusal:
                assert longest is not None
                assert longest[1] != which
                continue
            if longest is None or longest[0] < length:
                longest = (length, which)
            kept = np.load(path)
            assert np.array_equal(kept, chains[longest[1]][:, : longest[0]])

    lengths = st.tuples(st.integers(1, 50), st.booleans())
    try_examples(examples, holds, writes=st.lists(lengths, max_size=6))
