"""Lines with a host and a number of ranks, which several batch systems write."""

from collections import Counter


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
