"""The segments of a chain: what is kept, and in what form."""

import stat
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from espei_hpc.errors import Refusal
from espei_hpc.exit_codes import ExitCode
from espei_hpc.rundir.checkpoint.segment import Name
from espei_hpc.rundir.checkpoint.store import Store
from unit.rundir.made_chain import block, blocks, expected, filled, same, same_state, start


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "checkpoint"


def test_nothing_is_loaded_where_nothing_was_begun(directory: Path) -> None:
    assert Store(directory).load() is None
    directory.mkdir()
    assert Store(directory).load() is None


def test_start_is_kept_before_the_first_evaluation(directory: Path) -> None:
    Store(directory).begin(start())
    saved = Store(directory).load()
    assert saved is not None
    assert same(saved, expected(0))


def test_known_starting_log_probabilities_are_kept(directory: Path) -> None:
    before = start()
    known = type(before)(0, before.positions, np.arange(4.0), before.accepted, before.random)
    Store(directory).begin(known)
    state = Store(directory).recover()
    assert state is not None
    assert same_state(state, known)


@pytest.mark.parametrize("lengths", [(1,), (3, 1, 7), (1,) * 20])
def test_chain_is_loaded_bit_for_bit(directory: Path, lengths: tuple[int, ...]) -> None:
    filled(directory, *lengths)
    saved = Store(directory).load()
    assert saved is not None
    assert same(saved, expected(sum(lengths)))


def test_chain_goes_on_after_loading_as_if_never_interrupted(directory: Path) -> None:
    filled(directory, 2, 3)
    store = Store(directory)
    saved = store.load()
    assert saved is not None
    block(saved.state, 4).append_to(store)
    again = Store(directory).load()
    assert again is not None
    assert same(again, expected(9))


def test_random_state_is_what_numpy_takes(directory: Path) -> None:
    filled(directory, 1)
    state = Store(directory).recover()
    assert state is not None
    random, kept = np.random.RandomState(), expected(1).state.random
    random.set_state(state.random)
    assert repr(random.get_state(legacy=True)) == repr(kept)


def test_minus_infinity_is_kept(directory: Path) -> None:
    store = filled(directory)
    made = block(start(), 2)
    made.log_probabilities[:, -1] = -np.inf
    state = type(made.state)(
        2, made.state.positions, np.full(4, -np.inf), made.state.accepted, made.state.random
    )
    store.append(made.positions, made.log_probabilities, state)
    saved = Store(directory).load()
    assert saved is not None
    assert np.isneginf(saved.log_probabilities[:, -1]).all()


def test_chain_can_be_read_into_larger_arrays(directory: Path) -> None:
    filled(directory, 2, 3)
    store = Store(directory)
    state = store.recover()
    assert state is not None
    positions, log_probabilities = np.full((4, 100, 3), np.pi), np.full((4, 100), np.pi)
    store.read(positions, log_probabilities)
    whole = expected(5)
    assert np.array_equal(positions[:, :5], whole.positions)
    assert np.array_equal(log_probabilities[:, :5], whole.log_probabilities)
    assert (positions[:, 5:] == np.pi).all()


def test_files_and_directory_are_private(directory: Path) -> None:
    filled(directory, 1)
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()} == {0o600}


def test_segments_are_only_added(directory: Path) -> None:
    store = filled(directory, 2)
    before = {path: (path.stat().st_ino, path.read_bytes()) for path in directory.iterdir()}
    block(block(start(), 2).state, 3).append_to(store)
    after = {path: (path.stat().st_ino, path.read_bytes()) for path in directory.iterdir()}
    assert len(after) == len(before) + 1
    assert before.items() <= after.items()


def test_segment_is_a_file_that_numpy_alone_can_read(directory: Path) -> None:
    filled(directory, 2, 3)
    last = max(directory.iterdir())
    script = (
        "import sys, numpy as np\n"
        "z = np.load(sys.argv[1], allow_pickle=False)\n"
        "print(z['positions'].shape, z['log_probabilities'].shape, z['accepted'].shape,"
        " z['random_key'].shape, z['place'].tolist())"
    )
    told = subprocess.run([sys.executable, "-c", script, last], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "(4, 3, 3) (4, 3) (4,) (624,) [2, 2, 5]"


def test_bytes_per_iteration_do_not_grow_with_the_chain(directory: Path) -> None:
    filled(directory, *[1] * 60)
    sizes = [path.stat().st_size for path in sorted(directory.iterdir())][1:]
    assert max(sizes) - min(sizes) < 100  # random digits, compressed
    assert max(sizes) < 6_000


def test_name_tells_number_and_iterations(directory: Path) -> None:
    filled(directory, 2, 3)
    names = [Name.parse(path.name) for path in sorted(directory.iterdir())]
    assert [(name.number, name.first, name.end) for name in names if name] == [
        (0, 0, 0),
        (1, 0, 2),
        (2, 2, 5),
    ]


def test_gap_in_the_iterations_is_refused(directory: Path) -> None:
    store = filled(directory, 2)
    _, _, later = blocks(start(), 2, 3, 1)
    with pytest.raises(ValueError, match="do not continue"):
        later.append_to(store)


def test_iterations_already_kept_are_refused(directory: Path) -> None:
    store = filled(directory, 2)
    with pytest.raises(ValueError, match="do not continue"):
        block(start(), 2).append_to(store)


def test_state_of_another_iteration_is_refused(directory: Path) -> None:
    store = filled(directory)
    made = block(start(), 2)
    with pytest.raises(ValueError, match="not the one at the end"):
        store.append(made.positions[:, ::-1], made.log_probabilities, made.state)


def test_log_probabilities_of_another_state_are_refused(directory: Path) -> None:
    store = filled(directory)
    made = block(start(), 2)
    with pytest.raises(ValueError, match="not the one at the end"):
        store.append(made.positions, made.log_probabilities[:, ::-1], made.state)


def test_append_before_begin_is_refused(directory: Path) -> None:
    with pytest.raises(ValueError, match="before begin"):
        block(start()).append_to(Store(directory))


def test_second_beginning_is_refused(directory: Path) -> None:
    filled(directory, 1)
    with pytest.raises(ValueError, match="already"):
        Store(directory).begin(start(1))


def test_place_that_is_no_directory_is_refused(directory: Path) -> None:
    directory.write_text("in the way")
    with pytest.raises(Refusal) as refused:
        Store(directory).begin(start())
    assert refused.value.code == ExitCode.CANNOT_CREATE


def test_long_chain_is_loaded_in_seconds(directory: Path) -> None:
    """A run of two days has 6000 segments: each is read twice, not once for every other."""
    filled(directory, *[1] * 150)
    begun = time.process_time()
    for path in directory.iterdir():
        with np.load(path) as archive:
            [archive[name] for name in archive.files]
    plain = time.process_time() - begun
    begun = time.process_time()
    saved = Store(directory).load()
    ours = time.process_time() - begun
    assert saved is not None
    assert saved.state.iteration == 150
    assert ours < 5 * plain


@pytest.mark.parametrize(("iteration", "left"), [(9, 9), (8, 5), (5, 5), (4, 2), (1, 0), (0, 0)])
def test_chain_goes_back_to_a_checkpoint_and_on_from_there(
    directory: Path, iteration: int, left: int
) -> None:
    store = filled(directory, 2, 3, 4)
    store.go_back(iteration)
    saved = store.load()
    assert saved is not None
    assert saved.state.iteration == left
    assert same(saved, expected(left))
    assert store.notes == []
    block(saved.state, 6).append_to(store)
    again = Store(directory).load()
    assert again is not None
    assert same(again, expected(left + 6))


def test_samples_that_were_taken_back_are_kept_aside(directory: Path) -> None:
    store = filled(directory, 2, 3)
    store.go_back(2)
    assert [path.name[:6] for path in (directory / "aside").iterdir()] == ["000002"]
