"""Lists of hosts and tasks, as Slurm shortens them, come out whole."""

import itertools

import pytest
from hypothesis import strategies as st

from amounts import few_and_many, try_examples
from espei_hpc.batch.slurm import expand, tasks

names = st.from_regex(r"[a-z][a-z0-9.-]{0,8}", fullmatch=True)


@st.composite
def ranges(draw: st.DrawFn) -> tuple[str, list[str]]:
    """Draw what stands in brackets, and the numbers it means."""
    width = draw(st.integers(1, 4))
    text, numbers = [], []
    for first, count in draw(
        st.lists(st.tuples(st.integers(0, 9999), st.integers(1, 6)), min_size=1, max_size=4)
    ):
        meant = [str(number).zfill(width) for number in range(first, first + count)]
        text.append(meant[0] if count == 1 else f"{meant[0]}-{meant[-1]}")
        numbers += meant
    return ",".join(text), numbers


@st.composite
def parts(draw: st.DrawFn) -> tuple[str, list[str]]:
    """Draw one name, with no, one or two ranges in it, and the hosts it means."""
    text, choices = draw(names), []
    choices.append([text])
    for shortened, numbers in draw(st.lists(ranges(), max_size=2)):
        after = draw(st.sampled_from(["", "-ib", "n"]))
        text += f"[{shortened}]{after}"
        choices += [numbers, [after]]
    return text, ["".join(pieces) for pieces in itertools.product(*choices)]


@few_and_many("examples", 50, 5000)
def test_short_list_of_hosts_means_all_of_them_in_order(examples: int) -> None:
    def holds(drawn: list[tuple[str, list[str]]]) -> None:
        text = ",".join(short for short, _ in drawn)
        assert list(expand(text)) == [host for _, meant in drawn for host in meant]

    try_examples(examples, holds, drawn=st.lists(parts(), min_size=1, max_size=4))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("node[1-3,7]", ["node1", "node2", "node3", "node7"]),
        ("nid[000098-000101]", ["nid000098", "nid000099", "nid000100", "nid000101"]),
        ("r[1-2]n[1-2]", ["r1n1", "r1n2", "r2n1", "r2n2"]),
        ("login,gpu-[09-10].cluster", ["login", "gpu-09.cluster", "gpu-10.cluster"]),
    ],
)
def test_lists_as_clusters_write_them(text: str, expected: list[str]) -> None:
    assert list(expand(text)) == expected


@pytest.mark.parametrize("text", ["", "n[1-", "n1]", "n[a]", "n[]", "n1,,n2", "n1,", "n[1-2-3]"])
def test_what_is_no_list_of_hosts_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a"):
        expand(text)


@few_and_many("examples", 50, 5000)
def test_short_list_of_tasks_means_one_number_for_each_host(examples: int) -> None:
    def holds(runs: list[tuple[int, int]]) -> None:
        text = ",".join(f"{number}(x{count})" if count > 1 else f"{number}" for number, count in runs)
        assert tasks(text) == tuple(number for number, count in runs for _ in range(count))

    some = st.tuples(st.integers(1, 256), st.integers(1, 9))
    try_examples(examples, holds, runs=st.lists(some, min_size=1, max_size=6))


@pytest.mark.parametrize("text", ["", "2(x3", "2(3)", "two", "2,,1"])
def test_what_is_no_list_of_tasks_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a list of tasks"):
        tasks(text)
