"""Damaged, missing, doubled and foreign files: the right beginning of the chain, or a refusal."""

import shutil
from pathlib import Path

import pytest
from hypothesis import assume
from hypothesis import strategies as st

from amounts import few_and_many, try_examples
from espei_hpc.errors import Refusal
from espei_hpc.exit_codes import ExitCode
from espei_hpc.rundir.checkpoint.segment import Name
from espei_hpc.rundir.checkpoint.store import ASIDE, Saved, Store
from unit.rundir.made_chain import block, expected, filled, same, start

LENGTHS = (2, 1, 3, 1, 2)
"""Segments 1 to 5; they end at iterations 2, 3, 6, 7, 9."""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    filled(tmp_path / "checkpoint", *LENGTHS)
    return tmp_path / "checkpoint"


def segments(directory: Path) -> list[Path]:
    return sorted(path for path in directory.iterdir() if Name.parse(path.name))


def load(directory: Path) -> tuple[Saved, list[str]]:
    store = Store(directory)
    saved = store.load()
    assert saved is not None
    return saved, store.notes


def contents(directory: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()
    }


def flip(path: Path, bit: int) -> None:
    content = bytearray(path.read_bytes())
    content[bit // 8 % len(content)] ^= 1 << bit % 8
    path.write_bytes(content)


def test_flipped_bit_costs_only_what_comes_after(directory: Path) -> None:
    damaged = segments(directory)[3]
    flip(damaged, 12_345)
    saved, notes = load(directory)
    assert same(saved, expected(3))
    assert any(damaged.name in note and "damaged" in note for note in notes)
    assert any("iterations 4 to 9 will be recomputed" in note for note in notes)


def test_unusable_segments_are_set_aside_not_deleted(directory: Path) -> None:
    flip(segments(directory)[3], 12_345)
    before = sorted(contents(directory).values())
    _, notes = load(directory)
    assert sorted(contents(directory).values()) == before
    assert len(list((directory / ASIDE).iterdir())) == 3
    assert any("3 segments" in note and ASIDE in note for note in notes)


def test_chain_goes_on_after_damage_as_if_never_damaged(directory: Path) -> None:
    flip(segments(directory)[4], 99)
    store = Store(directory)
    saved = store.load()
    assert saved is not None
    block(saved.state, 5).append_to(store)
    again, notes = load(directory)
    assert same(again, expected(11))
    assert notes == []


def test_nothing_set_aside_is_written_over(directory: Path) -> None:
    damaged = segments(directory)[5]
    kept = []
    for bit in (7, 77):
        whole = damaged.read_bytes()
        flip(damaged, bit)
        kept.append(damaged.read_bytes())
        load(directory)
        damaged.write_bytes(whole)
    assert sorted(path.read_bytes() for path in (directory / ASIDE).iterdir()) == sorted(kept)


def test_leftover_temporary_files_are_removed(directory: Path) -> None:
    leftover = directory / f".{segments(directory)[5].name}.0123abcd.tmp"
    leftover.write_bytes(b"half")
    saved, notes = load(directory)
    assert same(saved, expected(9))
    assert not leftover.exists()
    assert notes == []


def test_files_of_others_are_left_alone(directory: Path) -> None:
    (directory / "README.txt").write_text("mine")
    (directory / ".notes.0123abcd.tmp").write_text("mine too")
    (directory / f"{segments(directory)[2].name} (1)").write_text("a copy")
    (directory / "000009_9-12_0123456789abcdef.npz").mkdir()
    before = contents(directory)
    saved, notes = load(directory)
    assert same(saved, expected(9))
    assert contents(directory) == before
    assert notes == []


@pytest.mark.parametrize("spoil", [Path.unlink, lambda path: flip(path, 4_000)], ids=["missing", "damaged"])
def test_segments_without_their_start_are_refused_and_left(directory: Path, spoil: object) -> None:
    assert callable(spoil)
    spoil(segments(directory)[0])
    before = contents(directory)
    with pytest.raises(Refusal, match="start of the chain") as refused:
        Store(directory).load()
    assert refused.value.code == ExitCode.BAD_INPUT
    assert contents(directory) == before


@pytest.mark.parametrize("spoil", [Path.unlink, lambda path: flip(path, 4_000)], ids=["missing", "damaged"])
def test_start_that_no_segment_shows_to_be_this_runs_is_refused_and_left(
    directory: Path, spoil: object
) -> None:
    assert callable(spoil)
    spoil(segments(directory)[1])
    before = contents(directory)
    with pytest.raises(Refusal, match=r"segment 1 is (missing|damaged)") as refused:
        Store(directory).load()
    assert refused.value.code == ExitCode.BAD_INPUT
    assert contents(directory) == before


def test_damaged_start_alone_is_set_aside(tmp_path: Path) -> None:
    filled(tmp_path)
    flip(segments(tmp_path)[0], 4_000)
    store = Store(tmp_path)
    assert store.load() is None
    assert len(list((tmp_path / ASIDE).iterdir())) == 1
    store.begin(start())
    assert same(load(tmp_path)[0], expected(0))


def test_start_of_another_run_is_refused(directory: Path, tmp_path: Path) -> None:
    filled(tmp_path / "other", seed=1)
    segments(directory)[0].unlink()
    shutil.copy(segments(tmp_path / "other")[0], directory)
    before = contents(directory)
    with pytest.raises(Refusal, match="different runs"):
        Store(directory).load()
    assert contents(directory) == before


def test_two_starts_are_refused(directory: Path, tmp_path: Path) -> None:
    filled(tmp_path / "other", seed=1)
    shutil.copy(segments(tmp_path / "other")[0], directory)
    with pytest.raises(Refusal, match="2 starts"):
        Store(directory).load()


def test_segment_of_another_run_cannot_slip_in(directory: Path, tmp_path: Path) -> None:
    filled(tmp_path / "other", *LENGTHS, seed=1)
    segments(directory)[3].unlink()
    shutil.copy(segments(tmp_path / "other")[3], directory)
    saved, notes = load(directory)
    assert same(saved, expected(3))
    assert any("does not continue" in note for note in notes)


def test_segment_that_was_written_though_reported_lost_does_no_harm(directory: Path) -> None:
    store = Store(directory)
    state = store.recover()
    assert state is not None
    unaware = Store(directory)
    unaware.recover()
    block(state, 1).append_to(store)
    block(state, 3).append_to(unaware)
    assert len(segments(directory)) == 1 + len(LENGTHS) + 2
    assert same(load(directory)[0], expected(12))


Damage = tuple[str, int, int]
KINDS = ("flip", "truncate", "lose", "empty", "renumber", "other run", "foreign", "copy")
damages = st.lists(
    st.tuples(st.sampled_from(KINDS), st.integers(0, len(LENGTHS)), st.integers(0, 50_000)), max_size=4
)


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("pristine")
    filled(place / "ours", *LENGTHS)
    filled(place / "other", *LENGTHS, seed=1)
    return place


@few_and_many("examples", 40, 4000)
def test_any_damage_leaves_the_right_beginning_or_a_refusal(pristine: Path, examples: int) -> None:
    def holds(done: list[Damage]) -> None:
        assert_right_beginning_or_refusal(pristine, done)

    try_examples(examples, holds, done=damages)


def assert_right_beginning_or_refusal(pristine: Path, done: list[Damage]) -> None:
    directory = pristine / "damaged"
    shutil.rmtree(directory, ignore_errors=True)
    shutil.copytree(pristine / "ours", directory)
    for kind, number, amount in done:
        spoil(pristine, directory, kind, number, amount)
    names = [path.name for path in segments(pristine / "ours")]
    intact = [unharmed(directory / name, pristine / "ours" / name) for name in names]
    whole = (*intact, False).index(False)
    others = {number for kind, number, _ in done if kind == "other run"}
    # A start and a first segment that were both changed for another run's are that run's checkpoint.
    assume(not {0, 1} <= others)
    before = sorted(contents(directory).values())
    refused: Refusal | None = None
    try:
        saved, _ = load(directory)
    except Refusal as refusal:
        refused = refusal
    if refused is not None:
        assert refused.code == ExitCode.BAD_INPUT
        # Segment 1 is what shows whose the start is.
        assert whole <= 1 or 0 in others
        assert sorted(contents(directory).values()) == before
    else:
        assert whole > 1
        assert same(saved, expected(sum(LENGTHS[: whole - 1])))
        assert sorted(contents(directory).values()) == before
        assert same(load(directory)[0], saved)


def unharmed(path: Path, original: Path) -> bool:
    return path.exists() and path.read_bytes() == original.read_bytes()


def spoil(pristine: Path, directory: Path, kind: str, number: int, amount: int) -> None:
    name = segments(pristine / "ours")[number].name
    path = directory / name
    if kind == "other run":
        shutil.copy(segments(pristine / "other")[number], directory)
    elif kind == "foreign":
        (directory / f"{amount}.npz").write_bytes(b"foreign")
    elif path.exists() and kind == "copy":
        shutil.copy(path, directory / f"copy of {name}")
    elif path.exists() and kind == "renumber":
        shutil.copy(path, directory / name.replace("00000", "00001", 1))
    elif path.exists():
        damage(path, kind, amount)


def damage(path: Path, kind: str, amount: int) -> None:
    content = path.read_bytes()
    if kind == "flip" and content:
        flip(path, amount)
    elif kind == "truncate":
        path.write_bytes(content[: amount % max(1, len(content))])
    elif kind == "lose":
        path.unlink()
    else:
        path.write_bytes(b"")
