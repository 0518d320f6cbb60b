"""What a soak has seen, written into docs/reliability.md."""

import os
from collections import Counter
from dataclasses import dataclass, field

from soak.faults import OK, Fault
from support import ROOT

PAGE = ROOT / "docs" / "reliability.md"
FIRST, LAST = "<!-- written by make soak -->", "<!-- until here -->"


@dataclass(frozen=True)
class Growth:
    """Memory, MB, and number of open files of a process, early and late in a long run."""

    memory_before: float
    memory_after: float
    files_before: int
    files_after: int


@dataclass
class Figures:
    """Counts of a soak.

    Attributes:
        minutes: how long it was to take.
        seed: of its random numbers.
        fits: that were finished, each with stock ESPEI's chain.
        damages: bits flipped in checkpoints.
        iterations: of the long run.
        growth: of its processes, by name.
        ends: exit codes of all starts, by fault.
        slowest: longest time from each fault to the end of a run that it ended, s.
    """

    minutes: float
    seed: int
    fits: int = 0
    damages: int = 0
    iterations: int = 0
    growth: dict[str, Growth] = field(default_factory=dict)
    ends: dict[Fault, Counter[int]] = field(default_factory=dict)
    slowest: dict[Fault, float] = field(default_factory=dict)

    def started(self, fault: Fault, code: int, seconds: float) -> None:
        """Count a start that a fault has struck."""
        self.ends.setdefault(fault, Counter())[code] += 1
        if code != OK:
            self.slowest[fault] = max(seconds, self.slowest.get(fault, 0.0))
        print(f"{fault.name}: exit code {code}", flush=True)


def write(figures: Figures) -> None:
    """Write the figures into the page, in place of those of the last soak."""
    text = PAGE.read_text()
    before, rest = text.split(FIRST)
    after = rest.split(LAST, 1)[1]
    PAGE.write_text(before + FIRST + "\n" + "\n".join(_lines(figures)) + "\n" + LAST + after)


def _lines(figures: Figures) -> list[str]:
    starts = sum(sum(codes.values()) for codes in figures.ends.values())
    lines = [
        f"{figures.minutes:g} minutes on {os.cpu_count()} cores, seed {figures.seed}: a fault "
        f"hit {starts} starts, {figures.damages} checkpoints were damaged, and {figures.fits} fits finished, "
        "each with stock ESPEI's chain bit for bit.",
        "",
        "| row | fault | starts | exit codes | longest until the end, s |",
        "|---|---|---|---|---|",
    ]
    for fault, codes in sorted(figures.ends.items(), key=lambda item: (item[0].row, item[0].name)):
        told = ", ".join(f"{code} ({number})" for code, number in sorted(codes.items()))
        slowest = f"{figures.slowest[fault]:.0f}" if fault in figures.slowest else ""
        lines.append(f"| {fault.row} | {fault.name} | {sum(codes.values())} | {told} | {slowest} |")
    lines += [
        "",
        f"One run of {figures.iterations} iterations without faults, second quarter → last quarter:",
        "",
        "| process | memory, MB | open files |",
        "|---|---|---|",
    ]
    for name, one in figures.growth.items():
        memory = f"{one.memory_before:.0f} → {one.memory_after:.0f}"
        lines.append(f"| {name} | {memory} | {one.files_before} → {one.files_after} |")
    return lines
