"""One call of ``espei-hpc launch`` by a script, and the orders that it may be given."""

import shlex
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from espei_hpc import batch
from espei_hpc.cli.printing import say_aside
from espei_hpc.cluster.calling_script import CallingScript, Orders
from espei_hpc.cluster.launching import Launch, find, find_for_image, resolve
from espei_hpc.exit_codes import SIGNAL_BASE, ExitCode

if TYPE_CHECKING:
    from espei_hpc.rundir.cluster_directory import ClusterDirectory

PAST_TRIAL_SECONDS = 30
"""Each rank ends itself at its deadline; a launcher may not."""
REQUESTED_ENDS = (ExitCode.OK, ExitCode.STOPPED, *(SIGNAL_BASE + number for number in (1, 2, 10, 15)))
"""Exit codes after which nothing of the cluster is kept: 128 + HUP, INT, USR1, TERM."""


def print_words(words: Sequence[str]) -> None:
    """Print a command, quoted for a shell."""
    click.echo(shlex.join(words))


@dataclass(frozen=True)
class ScriptCall:
    """One call by the script.

    Attributes:
        program: the script's name.
        script: the script on its host.
        after: IDs of the lost starts before, oldest first.
        words: the words of its user.
        handed: variables with what only the host knows of the job.
    """

    program: str
    script: CallingScript
    after: tuple[str, ...]
    words: tuple[str, ...]
    handed: Mapping[str, str]

    @property
    def hpc(self) -> tuple[str, ...]:
        """The command that runs ``espei-hpc``."""
        return self.script.hpc

    def say(self, line: str) -> None:
        """Print a line, prefixed with the script's name."""
        click.echo(f"{self.program}: {line}", err=True)

    def may_start(self, restarts: int) -> bool:
        """Whether the cluster may be started, for the first time or once more; print if it is once more.

        Args:
            restarts: how often a lost cluster may be restarted.
        """
        again = len(self.after)
        if again > restarts:
            self.say(
                f"the cluster is not restarted (--restarts {restarts}); run the same command again to resume"
            )
        elif again:
            self.say(f"restarting the cluster ({again} of at most {restarts} times)")
        return again <= restarts

    def resolve(self, words: Sequence[str], host_mpi: str | None, *, named: bool) -> Launch:
        """Determine how ranks are started with a launcher, and print which MPI they load."""
        here = resolve(self.script, words, host_mpi, named=named)
        for line in here.notes:
            say_aside(line)
        return here

    def launcher(self, given: str, host_mpi: str | None) -> list[str] | None:
        """Return the launcher, [] if there is none; None if the script runs another one instead."""
        if host_mpi is not None and self.script.engine is None:
            raise click.UsageError("--host-mpi needs --image")
        if self.script.engine is None:
            return given.split() or list(find(self.script, say_aside))
        words = given.split() or list(find_for_image(self.script, host_mpi, say_aside))
        if not words:
            # The image's own launcher is to start the ranks.
            self.instead(
                [*self.script.container, self.script.image, self.program, *_without_image(self.words)]
            )
            return None
        if self.script.engine == "docker":
            raise click.UsageError(
                "docker's daemon, not --launcher, would start the ranks: use podman or an Apptainer image"
            )
        return words

    def instead(self, words: Sequence[str]) -> int:
        """Have the script replaced by a command."""
        if "--dry-run" in self.words:
            print_words(words)
        else:
            self.script.run(Orders(self._exported({}), lists={"instead": words}))
        return ExitCode.OK

    def start(
        self,
        here: Launch,
        directory: "ClusterDirectory",
        fit: Sequence[str] = (),
        excluding: Sequence[str] = (),
        scheduler_file: Path | None = None,
    ) -> None:
        """Have the script start ranks and fit."""
        ranks = directory.settings().ranks
        launched = ["--run-dir", str(directory.run_directory), "--id", directory.id]
        if ranks == 0:
            self.say("nothing left to sample: no cluster is started")
        else:
            self.say(f"starting the cluster: {' '.join(here.shown(ranks, excluding))}")
        self.script.run(
            Orders(
                self._exported(here.variables),
                lists={
                    "ranks": here.words(ranks, ["rank", *launched], excluding) if ranks != 0 else [],
                    "fit": fit,
                    "explain": [*here.hpc, "launcher-ended", *launched],
                    "requested_ends": [str(int(code)) for code in REQUESTED_ENDS],
                },
                values={
                    "cluster": str(directory.path),
                    "run_dir": str(directory.run_directory),
                    "id": directory.id,
                    "scheduler_file": str(scheduler_file or ""),
                },
            )
        )

    def show(self, here: Launch, ranks: int | None, what: Sequence[str], options: Sequence[str]) -> None:
        """Print the commands that prepare and start a cluster.

        Args:
            here: how the ranks are started.
            ranks: their number; None if it was not given.
            what: the options of ``prepare`` that name the input or the scheduler file.
            options: its further options.
        """
        as_launched = here.named and ranks is None
        count = ["--ranks", str(ranks)] if ranks else []
        more = [*(["--as-launched"] if as_launched else []), *(["--one-host"] if here.one_host else [])]
        print_words([*here.hpc, "prepare", *what, *count, *options, *more])
        placeholder = None if as_launched else ranks or "RANKS"
        print_words(here.words(placeholder, ["rank", "--run-dir", "RUN_DIR", "--id", "ID"]))

    def examine(self, here: Launch, ranks: int | None) -> int:
        """Have the script start the ranks of a trial on its host, and run the other checks."""
        from espei_hpc.doctor import probe
        from espei_hpc.doctor.options import RANKS, Options

        job = batch.allocation(self.script.environment)
        count = ranks or (job and job.ranks) or RANKS
        place = Path(tempfile.mkdtemp(prefix=".espei-doctor-", dir=Path.cwd()))
        (place / "ranks").mkdir()
        trial = here.words(count, probe.arguments(place / "ranks", count, None, Options.seconds))
        deadline = f"{Options.seconds + PAST_TRIAL_SECONDS:g}"
        log = ["--launched", str(place / "log"), "--launcher", shlex.join(here.launcher), "-n", str(count)]
        self.script.run(
            Orders(
                self._exported(here.variables),
                lists={
                    "trial": ["timeout", "-k", "5", deadline, *trial],
                    "doctor": [*here.hpc, "doctor", *log],
                },
                values={"place": str(place)},
            )
        )
        return ExitCode.OK

    def _exported(self, variables: Mapping[str, str]) -> dict[str, str]:
        """Return the variables that the script exports: for its launcher, and for the fit."""
        return {**variables, **self.handed, "ESPEI_HPC_PROGRAM": self.program}


def _without_image(words: Iterable[str]) -> list[str]:
    """Return the words of the user without those about the image."""
    kept: list[str] = []
    words = iter(words)
    for word in words:
        option, _, value = word.partition("=")
        if option not in ("--image", "--host-mpi"):
            kept.append(word)
        elif not value:
            next(words, None)
    return kept
