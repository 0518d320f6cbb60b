"""The tables of docs/e4s-cl.md."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from beside_e4s_cl.cases import Case
from beside_e4s_cl.commands import ROOT
from beside_e4s_cl.outcome import Start
from beside_e4s_cl.peer import Profile

PAGE = ROOT / "docs" / "e4s-cl.md"
BEGIN, END = "<!-- written by make compare -->\n", "<!-- until here -->"


@dataclass(frozen=True)
class Profiled:
    """A profile that e4s-cl has made.

    Attributes:
        name: make and version of the MPI.
        profile: what was made.
    """

    name: str
    profile: Profile


@dataclass(frozen=True)
class Row:
    """One case.

    Attributes:
        name: make and version of the launcher.
        case: what was started.
        documented: what came of it with e4s-cl as documented.
        helped: with help; None where none is needed.
        ours: with espei-hpc.
    """

    name: str
    case: Case
    documented: Start
    helped: Start | None
    ours: Start


def write(conditions: str, profiles: Sequence[Profiled], rows: Sequence[Row]) -> None:
    """Write the tables into the page, below the conditions that they were made under."""
    cases = [row for row in rows if not row.case.taken]
    mistakes = [row for row in rows if row.case.taken]
    parts = [
        conditions,
        "### Results",
        happened(cases),
        "### Predictions before the start",
        said(cases),
        "### What `e4s-cl` detected of each MPI",
        found(profiles),
        "### With the wrong MPI selected",
        mistaken(mistakes),
    ]
    before, _, rest = PAGE.read_text().partition(BEGIN)
    text = "\n\n".join(parts).replace(str(ROOT), "…")
    PAGE.write_text(f"{before}{BEGIN}{text}\n{END}{rest.partition(END)[2]}")


def happened(rows: Iterable[Row]) -> str:
    """What the ranks became, with exit code, number of binds and time."""
    lines = [
        [row.name, row.case.variant, cell(row.documented), cell(row.helped), cell(row.ours)] for row in rows
    ]
    return markdown(["launcher", "image", "e4s-cl, as documented", "e4s-cl, with help", "espei-hpc"], lines)


def said(rows: Iterable[Row]) -> str:
    """What each said before anything was started."""
    lines = [[row.name, row.case.variant, row.documented.said, row.ours.said] for row in rows]
    return markdown(
        [
            "launcher",
            "image",
            "`e4s-cl --dry-run launch`, without the command itself",
            "`espei-hpc host-mpi`",
        ],
        lines,
    )


def found(profiles: Iterable[Profiled]) -> str:
    """The profiles."""
    lines = []
    for name, profile in ((made.name, made.profile) for made in profiles):
        counts = [profile.mpi, len(profile.libraries), len(profile.files)]
        root = "yes" if "/" in profile.files else "no"
        lines.append([name, profile.how, *counts, root, profile.made.code, f"{profile.made.seconds:.0f}"])
    columns = ["MPI", "by", "MPI library in it", "libraries", "files", "`/` among them", "exit code", "s"]
    return markdown(columns, lines)


def mistaken(rows: Iterable[Row]) -> str:
    """What came of an MPI that does not fit the launcher."""
    lines = []
    for row in rows:
        taken = row.case.taken
        asked = taken.prefix.name if taken else ""
        lines.append(
            [row.name, asked, row.documented.said, cell(row.documented), row.ours.said, cell(row.ours)]
        )
    columns = ["launcher", "MPI selected", "message of e4s-cl", "result", "message of espei-hpc", "result"]
    return markdown(columns, lines)


def cell(start: Start | None) -> str:
    """One start in a few words."""
    if start is None:
        return ""
    end = "did not end" if start.code is None else f"exit code {start.code}"
    return f"{start.became}; {end}; {start.binds} binds; {start.seconds:.1f} s"


def markdown(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(
        "| " + " | ".join(str(word).replace("|", r"\|") for word in line) + " |" for line in lines
    )
