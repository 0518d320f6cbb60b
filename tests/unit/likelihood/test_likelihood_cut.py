"""How units are shared out over pieces."""

from hypothesis import given, settings
from hypothesis import strategies as st

from espei_hpc.likelihood import cut

SECONDS = st.dictionaries(
    st.integers(min_value=0, max_value=1000),
    st.floats(min_value=0, max_value=100, allow_nan=False),
    min_size=1,
    max_size=40,
)


@settings(deadline=None)  # the machine may be busy
@given(SECONDS, st.integers(min_value=1, max_value=60))
def test_every_unit_is_in_one_piece_and_no_piece_is_empty(seconds: dict[int, float], pieces: int) -> None:
    found = cut(seconds, pieces)
    assert sorted(unit for units in found for unit in units) == sorted(seconds)
    assert len(found) == min(pieces, len(seconds))
    assert all(found)


@settings(deadline=None)  # the machine may be busy
@given(SECONDS, st.integers(min_value=1, max_value=60))
def test_units_of_a_piece_are_in_espeis_order(seconds: dict[int, float], pieces: int) -> None:
    assert all(list(units) == sorted(units) for units in cut(seconds, pieces))


@settings(deadline=None)  # the machine may be busy
@given(SECONDS, st.integers(min_value=1, max_value=60))
def test_no_piece_is_longer_than_its_share_and_one_unit(seconds: dict[int, float], pieces: int) -> None:
    found = cut(seconds, pieces)
    longest = max(sum(seconds[unit] for unit in units) for units in found)
    share = sum(seconds.values()) / len(found)
    assert longest <= share + max(seconds.values()) + 1e-9


def test_longest_unit_has_its_own_piece_where_it_is_as_long_as_the_rest() -> None:
    assert cut({0: 1.0, 1: 3.0, 2: 1.0, 3: 1.0}, 2) == ((0, 2, 3), (1,))


def test_units_without_times_are_shared_out_evenly() -> None:
    assert sorted(map(len, cut(dict.fromkeys(range(10), 0.0), 4))) == [2, 2, 3, 3]


def test_fewer_than_one_piece_is_one() -> None:
    assert cut({3: 1.0, 1: 2.0}, 0) == ((1, 3),)
