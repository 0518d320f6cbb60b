"""One segment of the chain: consecutive iterations and the random state after them, in a plain .npz file.

A segment's name has its number, the iterations done before and after it, and the
first digits of the SHA-256 of its content, so that damage is detected. Its content
has the SHA-256 of the segment before it, so that only segments of one run, in
order, form a chain. Segment 0 is the start: positions and random state before the
first evaluation. A segment has about 4 kB in addition to its samples.
"""

import hashlib
import io
import re
import zipfile
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from espei_hpc.sampler import FloatArray, State

GENERATOR = "MT19937"
DIGITS = 16
"""Hexadecimal digits of the SHA-256 in a name: enough to detect damage."""
NO_SEGMENT = bytes(hashlib.sha256().digest_size)
"""Used as the digest of the segment before the start."""
_NAME = re.compile(rf"(\d{{6,12}})_(\d{{1,15}})-(\d{{1,15}})_([0-9a-f]{{{DIGITS}}})\.npz")


class Damaged(Exception):
    """A segment's content is not what was written; the message says why."""


@dataclass(frozen=True, order=True)
class Name:
    """The name of a segment's file.

    Attributes:
        number: its place in the chain, 0 for the start.
        first: iterations done before it.
        end: iterations done after it.
        digest: the first DIGITS hexadecimal digits of the SHA-256 of its content.
    """

    number: int
    first: int
    end: int
    digest: str

    @classmethod
    def parse(cls, name: str) -> Self | None:
        """Parse a file's name; None if it is not a segment's."""
        if (matched := _NAME.fullmatch(name)) is None:
            return None
        number, first, end, digest = matched.groups()
        parsed = cls(int(number), int(first), int(end), digest)
        return parsed if str(parsed) == name else None

    def __str__(self) -> str:
        """The file's name."""
        return f"{self.number:06d}_{self.first}-{self.end}_{self.digest}.npz"


@dataclass(frozen=True)
class Link:
    """An intact segment's place in the chain.

    Attributes:
        name: its name.
        digest: SHA-256 of its content.
        previous: SHA-256 of the content of the segment before it.
    """

    name: Name
    digest: bytes
    previous: bytes


def encode(after: Link | None, block: tuple[FloatArray, FloatArray] | None, state: State) -> bytes:
    """Return the content of a segment's file.

    Args:
        after: the segment before it; None for the start.
        block: positions (walkers, n, parameters) and log-probabilities (walkers, n); None for the start.
        state: the state at its end.
    """
    generator, key, position, has_gauss, gauss = state.random
    if generator != GENERATOR:
        raise ValueError(f"random numbers of {generator}, not of {GENERATOR}")
    number, first = (after.name.number + 1, after.name.end) if after else (0, 0)
    positions, log_probabilities = block or (state.positions, state.log_probabilities)
    file = io.BytesIO()
    # Compressed: a walker that does not move repeats its position.
    np.savez_compressed(
        file,
        place=np.array([number, first, state.iteration], dtype=np.int64),
        previous=np.frombuffer(after.digest if after else NO_SEGMENT, dtype=np.uint8),
        positions=np.asarray(positions, dtype=np.float64),
        # Empty if they are not known yet.
        log_probabilities=np.asarray(
            [] if log_probabilities is None else log_probabilities, dtype=np.float64
        ),
        accepted=np.asarray(state.accepted, dtype=np.int64),
        random_key=np.asarray(key, dtype=np.uint32),
        random_place=np.array([position, has_gauss], dtype=np.int64),
        random_gauss=np.array(gauss, dtype=np.float64),
    )
    return file.getvalue()


def link_of(content: bytes) -> Link:
    """Return the place in the chain of a segment, from its content.

    Raises:
        Damaged: if the content is not a segment's.
    """
    digest = hashlib.sha256(content)
    place, previous = _members(content, "place", "previous")
    number, first, end = (int(value) for value in place)
    return Link(Name(number, first, end, digest.hexdigest()[:DIGITS]), digest.digest(), previous.tobytes())


def check_digest(content: bytes, name: Name) -> None:
    """Check that a file's content matches the digest in its name; call before parsing the content.

    Raises:
        Damaged: if it does not.
    """
    if hashlib.sha256(content).hexdigest()[:DIGITS] != name.digest:
        raise Damaged("is damaged: its content is not what was written")


def block_of(content: bytes) -> tuple[FloatArray, FloatArray]:
    """Return the positions (walkers, n, parameters) and log-probabilities (walkers, n) of a segment."""
    positions, log_probabilities = _members(content, "positions", "log_probabilities")
    return positions, log_probabilities


def state_of(content: bytes) -> State:
    """Return the state at the end of a segment.

    Raises:
        Damaged: if the content is no segment's.
    """
    place, accepted, key = _members(content, "place", "accepted", "random_key")
    (position, has_gauss), gauss = _members(content, "random_place", "random_gauss")
    positions, log_probabilities = block_of(content)
    if positions.ndim == 3:
        positions, log_probabilities = positions[:, -1].copy(), log_probabilities[:, -1].copy()
    try:
        return State(
            iteration=int(place[2]),
            positions=positions,
            log_probabilities=log_probabilities if log_probabilities.size else None,
            accepted=accepted,
            random=(GENERATOR, key, int(position), int(has_gauss), float(gauss)),
        )
    except ValueError as error:
        raise Damaged(f"is not a segment ({error})") from error


def _members(content: bytes, *names: str) -> list[NDArray[Any]]:
    """Return some of the arrays in a segment."""
    try:
        archive = np.load(io.BytesIO(content), allow_pickle=False)
        return [archive[name] for name in names]
    except (ValueError, KeyError, IndexError, EOFError, zipfile.BadZipFile) as error:
        raise Damaged(f"is not a segment ({error})") from error
