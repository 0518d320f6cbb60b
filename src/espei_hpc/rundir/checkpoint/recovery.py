"""Finding the longest whole chain among the files of a checkpoint, changing nothing."""

import os
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from espei_hpc.errors import Fault, Refusal
from espei_hpc.exit_codes import ExitCode
from espei_hpc.rundir.checkpoint.segment import NO_SEGMENT, Damaged, Link, Name, check_digest, link_of


@dataclass
class Recovered:
    """What the files of a checkpoint are worth.

    Attributes:
        chain: whole segments from the start on, in order; empty if there is no start.
        unusable: the segments not in it.
        notes: one sentence for each thing wrong.
    """

    chain: list[Link] = field(default_factory=list)
    unusable: list[Name] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def segments(directory: Path) -> list[Name]:
    """Return the names of the files that are segments by their name; nobody else's files count."""
    with os.scandir(directory) as entries:
        files = [entry.name for entry in entries if entry.is_file()]
    return sorted(name for file in files if (name := Name.parse(file)))


def find(directory: Path) -> Recovered:
    """Find the longest whole chain.

    Raises:
        Refusal: (BAD_INPUT) if there are segments, but their start is damaged, missing or another run's.
        OSError: if a file cannot be read.
    """
    names = segments(directory)
    candidates: dict[int, list[Name]] = defaultdict(list)
    for name in names:
        candidates[name.number].append(name)
    found = Recovered()
    _find_start(directory, candidates, found)
    while found.chain and (link := _next(directory, candidates, found)) is not None:
        found.chain.append(link)
    used = {whole.name for whole in found.chain}
    found.unusable = [name for name in names if name not in used]
    _note_rest(found)
    return found


def read(directory: Path, name: Name) -> tuple[Link, bytes]:
    """Read a segment.

    Raises:
        Damaged: if it is not what was written under this name.
        OSError: if it cannot be read.
    """
    content = (directory / str(name)).read_bytes()
    check_digest(content, name)
    link = link_of(content)
    if link.name != name:
        raise Damaged(f"is {link.name} under another name")
    return link, content


def _find_start(directory: Path, candidates: Mapping[int, list[Name]], found: Recovered) -> None:
    """Begin the chain, or refuse where guessing could take the samples of another run."""
    wholes = [_whole(directory, name, found) for name in candidates.get(0, [])]
    starts = [link for link in wholes if link is not None and link.previous == NO_SEGMENT]
    if len(starts) > 1:
        raise _refusal(
            directory, f"there are {len(starts)} starts, so which samples are this run's is not known"
        )
    following = any(number > 0 for number in candidates)
    if not starts and following:
        why = "is damaged" if candidates.get(0) else "is missing"
        raise _refusal(directory, f"the start of the chain {why}, without which the rest cannot be trusted")
    found.chain += starts


def _next(directory: Path, candidates: Mapping[int, list[Name]], found: Recovered) -> Link | None:
    """Return the whole segment that continues the chain.

    There can be two: the disk took a segment and reported a failure all the same, so that it
    was written again later with more in it. The longer one holds both.
    """
    last = found.chain[-1]
    number = last.name.number + 1
    beyond = max(candidates) >= number
    if number not in candidates and beyond:
        found.notes.append(f"{directory}: segment {number} is missing")
    strangers = []
    for name in sorted(candidates.get(number, []), key=lambda name: -name.end):
        link = _whole(directory, name, found)
        if link is None:
            continue
        if link.previous == last.digest and name.first == last.name.end < name.end:
            return link
        strangers.append(name)
    if strangers and last.name.number == 0:
        raise _refusal(directory, f"its start and {strangers[0]} are of different runs")
    if beyond and last.name.number == 0:
        why = "is damaged" if number in candidates else "is missing"
        raise _refusal(directory, f"segment 1 {why}, and nothing else shows that the start is this run's")
    found.notes += [f"{directory / str(name)} does not continue this chain" for name in strangers]
    return None


def _whole(directory: Path, name: Name, found: Recovered) -> Link | None:
    """Return a segment's place in the chain; None, with a note, if it is damaged."""
    try:
        return read(directory, name)[0]
    except Damaged as damage:
        found.notes.append(f"{directory / str(name)} {damage}")
        return None


def _note_rest(found: Recovered) -> None:
    """Say how much is given up."""
    done = found.chain[-1].name.end if found.chain else 0
    last = max((name.end for name in found.unusable), default=0)
    if last > done:
        found.notes.append(f"iterations {done + 1} to {last} are computed again")


def _refusal(directory: Path, what: str) -> Refusal:
    fault = Fault(
        str(directory),
        f"the checkpoint cannot be used: {what}; nothing was changed",
        "put the missing or whole file back from a backup, or take the files that are not this run's out, "
        "or begin anew with the directory moved away",
    )
    return Refusal(ExitCode.BAD_INPUT, [fault])
