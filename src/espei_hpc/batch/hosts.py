"""Parse the hosts of a job and the ranks granted on each, in the formats of batch systems."""

import itertools
import re
from collections import Counter
from collections.abc import Iterator

_HOST = re.compile(r"(?:[^][,]|\[[^][]*\])+")
_RANGE = re.compile(r"(\d+)(?:-(\d+))?")
_TASKS = re.compile(r"(\d+)(?:\(x(\d+)\))?")


def expand(text: str) -> tuple[str, ...]:
    """Expand Slurm's host list, in order: ``n[08-10,12],login`` has five hosts.

    Raises:
        ValueError: if it is not such a list.
    """
    hosts: list[str] = []
    for part in _parts(text):
        # Names and ranges alternate; with several ranges in a name, the last one varies fastest.
        pieces = re.split(r"\[([^][]*)\]", part)
        choices = [[piece] if number % 2 == 0 else _numbers(piece) for number, piece in enumerate(pieces)]
        hosts += map("".join, itertools.product(*choices))
    return tuple(hosts)


def tasks(text: str) -> tuple[int, ...]:
    """Expand Slurm's list of tasks per host: ``2(x3),1`` is 2, 2, 2, 1.

    Raises:
        ValueError: if it is not such a list.
    """
    counts: list[int] = []
    for part in text.split(","):
        match = _TASKS.fullmatch(part)
        if match is None:
            raise ValueError(f"not a list of tasks: {text!r}")
        counts += [int(match[1])] * int(match[2] or 1)
    return tuple(counts)


def lines(text: str) -> dict[str, int]:
    """Return the ranks on each host from a PBS node file, which has one line per rank."""
    return dict(Counter(text.split()))


def counted(text: str, *, host: int, number: int) -> dict[str, int]:
    """Return the ranks on each host from lines with a host and a number of ranks.

    Args:
        text: the lines, such as ``n1 4 all.q@n1 UNDEFINED`` in Grid Engine's host file.
        host: index of the host in the words of a line, from 0.
        number: index of the number.

    Raises:
        ValueError: if a line has too few words.
    """
    counts: Counter[str] = Counter()
    for line in filter(str.strip, text.splitlines()):
        words = line.split()
        if len(words) <= max(host, number):
            raise ValueError(f"no host with a number of ranks: {line!r}")
        counts[words[host]] += int(words[number])
    return dict(counts)


def _parts(text: str) -> Iterator[str]:
    """Split at commas outside of brackets."""
    end = 0
    while match := _HOST.match(text, end):
        yield match[0]
        if match.end() == len(text):
            return
        end = match.end() + 1
        if text[match.end()] != ",":
            break
    raise ValueError(f"not a list of hosts: {text!r}")


def _numbers(ranges: str) -> list[str]:
    """Return the numbers of ``08-10,12`` with their leading zeros."""
    numbers: list[str] = []
    for part in ranges.split(","):
        match = _RANGE.fullmatch(part)
        if match is None:
            raise ValueError(f"not a range of numbers: {part!r}")
        first, last = match[1], match[2] or match[1]
        numbers += [str(number).zfill(len(first)) for number in range(int(first), int(last) + 1)]
    return numbers
