"""The hosts of a job and the ranks granted on each, as batch systems write them."""

import itertools
import re
from collections import Counter
from collections.abc import Iterator

_HOST = re.compile(r"(?:[^][,]|\[[^][]*\])+")
_RANGE = re.compile(r"(\d+)(?:-(\d+))?")
_TASKS = re.compile(r"(\d+)(?:\(x(\d+)\))?")


def expand(text: str) -> tuple[str, ...]:
    """Return the hosts of Slurm's short list, in its order: ``n[08-10,12],login`` has five.

    Raises:
        ValueError: if it is no such list.
    """
    hosts: list[str] = []
    for part in _parts(text):
        # Names and ranges take turns; several ranges in a name count like digits, the last one fastest.
        pieces = re.split(r"\[([^][]*)\]", part)
        choices = [[piece] if number % 2 == 0 else _numbers(piece) for number, piece in enumerate(pieces)]
        hosts += map("".join, itertools.product(*choices))
    return tuple(hosts)


def tasks(text: str) -> tuple[int, ...]:
    """Return the tasks on each host from Slurm's short list: ``2(x3),1`` is 2, 2, 2, 1.

    Raises:
        ValueError: if it is no such list.
    """
    counts: list[int] = []
    for part in text.split(","):
        match = _TASKS.fullmatch(part)
        if match is None:
            raise ValueError(f"not a list of tasks: {text!r}")
        counts += [int(match[1])] * int(match[2] or 1)
    return tuple(counts)


def lines(text: str) -> dict[str, int]:
    """Return the ranks on each host from a PBS node file: a line for each rank."""
    return dict(Counter(text.split()))


def counted(text: str, *, host: int, number: int) -> dict[str, int]:
    """Return the ranks on each host from lines with a host and a number of ranks.

    Args:
        text: the lines, such as ``n1 4 all.q@n1 UNDEFINED`` in Grid Engine's host file.
        host: which word of a line is the host, from 0.
        number: which is the number.

    Raises:
        ValueError: if a line has no such words.
    """
    counts: Counter[str] = Counter()
    for line in filter(str.strip, text.splitlines()):
        words = line.split()
        if len(words) <= max(host, number):
            raise ValueError(f"no host with a number of ranks: {line!r}")
        counts[words[host]] += int(words[number])
    return dict(counts)


def _parts(text: str) -> Iterator[str]:
    """Split at commas that no bracket holds."""
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
    """Return the numbers of ``08-10,12``, as wide as they are written."""
    numbers: list[str] = []
    for part in ranges.split(","):
        match = _RANGE.fullmatch(part)
        if match is None:
            raise ValueError(f"not a range of numbers: {part!r}")
        first, last = match[1], match[2] or match[1]
        numbers += [str(number).zfill(len(first)) for number in range(int(first), int(last) + 1)]
    return numbers
