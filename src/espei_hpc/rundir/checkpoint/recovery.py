"""Finding the longest intact chain in the files of a checkpoint, without changing them."""

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
    """The usable files of a checkpoint.

    Attributes:
        chain: intact segments from the start on, in order; empty if there is no start.
        unusable: all other segments.
        notes: one sentence for each problem.
    """

    chain: list[Link] = field(default_factory=list)
    unusable: list[Name] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def segments(directory: Path) -> list[Name]:
    """Return the names of all segments; files with other names are ignored."""
    with os.scandir(directory) as entries:
        files = [entry.name for entry in entries if entry.is_file()]
    return sorted(name for file in files if (name := Name.parse(file)))


def find(directory: Path) -> Recovered:
    """Find the longest intact chain.

    Raises:
        Refusal: (BAD_INPUT) if there are segments, but the start is damaged, missing or of another run.
        OSError: if a file is not readable.
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
        Damaged: if its content is not what was written under this name.
        OSError: if it is not readable.
    """
    content = (directory / str(name)).read_bytes()
    check_digest(content, name)
    link = link_of(content)
    if link.name != name:
        raise Damaged(f"has been renamed from {link.name}")
    return link, content


def _find_start(directory: Path, candidates: Mapping[int, list[Name]], found: Recovered) -> None:
    """Find the start of the chain; refuse if it is ambiguous, which could mix in another run's samples."""
    wholes = [_whole(directory, name, found) for name in candidates.get(0, [])]
    starts = [link for link in wholes if link is not None and link.previous == NO_SEGMENT]
    if len(starts) > 1:
        raise _refusal(
            directory, f"it has {len(starts)} starts, so it is unclear which samples belong to this run"
        )
    following = any(number > 0 for number in candidates)
    if not starts and following:
        why = "is damaged" if candidates.get(0) else "is missing"
        raise _refusal(directory, f"the start of the chain {why}, so the rest cannot be trusted")
    found.chain += starts


def _next(directory: Path, candidates: Mapping[int, list[Name]], found: Recovered) -> Link | None:
    """Return the intact segment that continues the chain.

    There can be two: if a write succeeded but reported an error, the segment was written
    again later with more iterations. The longer one includes the other.
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
        raise _refusal(directory, f"its start and {strangers[0]} belong to different runs")
    if beyond and last.name.number == 0:
        why = "is damaged" if number in candidates else "is missing"
        raise _refusal(directory, f"segment 1 {why}, so it is unclear whether the start belongs to this run")
    found.notes += [f"{directory / str(name)} does not continue this chain" for name in strangers]
    return None


def _whole(directory: Path, name: Name, found: Recovered) -> Link | None:
    """Return a segment's place in the chain; if it is damaged, add a note and return None."""
    try:
        return read(directory, name)[0]
    except Damaged as damage:
        found.notes.append(f"{directory / str(name)} {damage}")
        return None


def _note_rest(found: Recovered) -> None:
    """Note how many iterations are lost."""
    done = found.chain[-1].name.end if found.chain else 0
    last = max((name.end for name in found.unusable), default=0)
    if last > done:
        found.notes.append(f"iterations {done + 1} to {last} will be recomputed")


def _refusal(directory: Path, what: str) -> Refusal:
    fault = Fault(
        str(directory),
        f"the checkpoint is not usable: {what}; nothing was changed",
        "restore the file from a backup, remove files of other runs, or move the directory away to start a "
        "new fit",
    )
    return Refusal(ExitCode.BAD_INPUT, [fault])
