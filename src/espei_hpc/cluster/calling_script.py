"""The script ``espei-mpi`` as Python sees it: its environment, its answers, the commands that it runs.

On a host without Python this process runs in an image, so only the script can start the host's commands. It
writes its environment to this process, then runs each text that this process writes, up to a NUL.
"""

import os
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

from espei_hpc.mpi.host.options import Engine

END = b"\0"


@dataclass(frozen=True)
class CallingScript:
    """The script, on its host.

    Attributes:
        environment: variables of the host.
        hpc: the command that runs ``espei-hpc`` here: in an image it begins with the container engine.
        source: where its answers come from.
        sink: where it reads.
    """

    environment: Mapping[str, str]
    hpc: tuple[str, ...]
    source: BinaryIO
    sink: BinaryIO

    @classmethod
    def greet(cls, hpc: Sequence[str]) -> "CallingScript":
        """Read the script's environment from standard input.

        What anything else in this process writes to standard output goes to standard error from now on.
        """
        source, sink = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
        os.dup2(2, 1)
        environment = {"PWD": os.getcwd()} | dict(_variables(source))
        return cls(environment, tuple(hpc), source, sink)

    @property
    def engine(self) -> Engine | None:
        """The container engine around this process; None if there is none."""
        if len(self.hpc) == 1:
            return None
        name = self.hpc[0].rpartition("/")[2]
        return "apptainer" if name == "singularity" else name  # type: ignore[return-value]

    @property
    def container(self) -> tuple[str, ...]:
        """The command of the container engine, up to the image."""
        return self.hpc[:-2]

    @property
    def image(self) -> str:
        """The image."""
        return self.hpc[-2]

    def ask(self, *words: str) -> str:
        """Return the standard output of a command that the script runs on its host; empty if it fails."""
        self._write(f"reply {shlex.join(words)}")
        return _until_end(self.source).decode(errors="surrogateescape").rstrip("\n")

    def run(self, orders: "Orders") -> None:
        """Give the script its orders."""
        self._write(orders.text())

    def show(self, text: str) -> None:
        """Have the script print a text for its user; the last of all."""
        self.sink.write(text.encode(errors="surrogateescape"))
        self.sink.close()

    def _write(self, text: str) -> None:
        self.sink.write(text.encode(errors="surrogateescape") + END)
        self.sink.flush()


@dataclass
class Orders:
    """What the script is to run.

    Attributes:
        exported: variables to export first.
        lists: the script's lists of words, by name.
        values: the script's single values, by name.
    """

    exported: dict[str, str] = field(default_factory=dict)
    lists: dict[str, Sequence[str]] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)

    def text(self) -> str:
        """Return them as assignments of bash, one in a line."""
        lines = [f"export {name}={shlex.quote(value)}" for name, value in self.exported.items()]
        lines += [f"{name}={shlex.quote(value)}" for name, value in self.values.items()]
        lines += [f"{name}=({shlex.join(words)})" for name, words in self.lists.items()]
        return "\n".join(lines)


def _variables(source: BinaryIO) -> Iterator[tuple[str, str]]:
    """Read what ``env -0`` prints, and an empty entry."""
    while entry := _until_end(source).decode(errors="surrogateescape"):
        name, _, value = entry.partition("=")
        yield name, value


def _until_end(source: BinaryIO) -> bytes:
    read = bytearray()
    while (byte := source.read(1)) not in (b"", END):
        read += byte
    return bytes(read)
