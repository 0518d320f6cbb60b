"""Ten starts of ranks by e4s-cl and by espei-hpc, side by side: make compare. A few minutes.

Writes the tables of docs/e4s-cl.md. Needs the images of all variants in build, Apptainer, Debian's Open MPI
and MPICH, and a package index for e4s-cl itself.
"""

import os
import tempfile
from pathlib import Path

from beside_e4s_cl import peer, table
from beside_e4s_cl.cases import CASES, MISTAKES, MPIS, Case
from beside_e4s_cl.commands import ROOT, User
from beside_e4s_cl.ours import Ours
from beside_e4s_cl.peer import HELP, Peer

FORGOTTEN = [Path(name) for name in ("/tmp", "/run", "/dev", "/proc", "/sys")]  # noqa: S108 e4s-cl's own list


def main() -> None:
    """Run all cases and write the tables."""
    if any(ROOT.resolve().is_relative_to(place) for place in FORGOTTEN):
        raise SystemExit(
            f"{ROOT}: e4s-cl leaves out whatever lies there, so it would miss the MPIs: work elsewhere"
        )
    if missing := sorted({str(case.image) for case in CASES if not case.image.exists()}):
        raise SystemExit(f"not there: {', '.join(missing)}: make sif MPI=both|openmpi|mpich|none")
    peer.install()
    with tempfile.TemporaryDirectory(prefix="beside-e4s-cl-") as place:
        home = Path(place)
        home.chmod(0o777)
        user = User(home)
        table.write(_conditions(user), *_run(user))


def _conditions(user: User) -> str:
    apptainer = user.run("apptainer", "--version").output.strip()
    e4s_cl = next(line for line in peer.REQUIREMENTS.read_text().splitlines() if line.startswith("e4s-cl"))
    load = f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f} when it began"
    return f"{e4s_cl.replace('==', ' ')}, {apptainer}; {load}."


def _run(user: User) -> tuple[list[table.Profiled], list[table.Row]]:
    ours, theirs = Ours(user), Peer(user)
    profiles = []
    for mpi in MPIS:
        name = ours.name(Case(mpi, "both"))
        print(f"profile of {name}", flush=True)
        made = (theirs.documented(mpi), theirs.helped(mpi))
        profiles += [table.Profiled(name, profile) for profile in made if profile]
    rows = []
    for case in (*CASES, *MISTAKES):
        name = ours.name(Case(case.mpi, "both"))
        print(f"{name} with {case.image.name}{' by mistake' if case.taken else ''}", flush=True)
        helped = theirs.start(case, helped=True) if case.mpi.launcher in HELP else None
        rows.append(table.Row(name, case, theirs.start(case), helped, ours.start(case)))
    return profiles, rows


if __name__ == "__main__":
    main()
