"""The saved chain of a run; reading it changes no files, because the fit may be running."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from espei_hpc.errors import Fault, Refusal
from espei_hpc.exit_codes import ExitCode
from espei_hpc.inputs.reading import read_input
from espei_hpc.rundir import best_fit
from espei_hpc.rundir.checkpoint import Store
from espei_hpc.rundir.record import Record
from espei_hpc.rundir.run_directory import CHECKPOINT
from espei_hpc.rundir.status.runs import Run, find
from espei_hpc.sampler import State
from espei_hpc.sampler.gaussian import Around
from espei_hpc.sampler.moves import LAPLACE, MOVES, Part
from espei_hpc.text import counted

FloatArray = NDArray[np.float64]
DEFAULT_OUTPUT = "out.tdb"
"""ESPEI's default of ``output.output_db``."""
FEWEST = 2
"""Minimum number of iterations for a report."""


@dataclass(frozen=True)
class Samples:
    """The chain of a run.

    Attributes:
        run: the run.
        positions: (walkers, iterations, symbols), in the symbols' own units.
        log_probabilities: (walkers, iterations).
        accepted: (walkers,) accepted proposals.
        start: the ensemble before the first evaluation.
        around: the density around the best fit, from which the sampler ``laplace`` began; None for another
            sampler, or if it is not readable.
        independent: fraction of the proposals that ``laplace`` draws from its density; None as before.
        symbols: name of each symbol, in ESPEI's order.
        record: the record of the run.
        settings: its input as written; empty if it is no longer next to the run directory.
    """

    run: Run
    positions: FloatArray
    log_probabilities: FloatArray
    accepted: NDArray[np.int64]
    start: State
    around: Around | None
    independent: float | None
    symbols: tuple[str, ...]
    record: Record
    settings: Mapping[str, Any]

    @property
    def walkers(self) -> int:
        """Number of walkers."""
        return len(self.positions)

    @property
    def iterations(self) -> int:
        """Number of saved iterations."""
        return int(self.positions.shape[1])

    @property
    def asked(self) -> int | None:
        """Iterations requested in the input now; None if unknown."""
        asked = (self.settings.get("mcmc") or {}).get("iterations")
        return asked if isinstance(asked, int) else None

    @property
    def best(self) -> FloatArray:
        """(symbols,) the position with the highest log-probability."""
        walker, iteration = np.unravel_index(np.argmax(self.log_probabilities), self.log_probabilities.shape)
        best: FloatArray = self.positions[walker, iteration]
        return best

    @property
    def part(self) -> Part:
        """The part of the chain that counts."""
        return MOVES[self.record.sampler].part

    @property
    def kept(self) -> slice:
        """The iterations used; those before are discarded as burn-in."""
        return slice(self.part.begin(self.iterations), None)

    @property
    def possible(self) -> NDArray[np.bool_]:
        """(walkers,) whether the log-probability of a walker is finite in all iterations used.

        A walker that starts where a prior or the data are impossible stays there, at minus infinity, until
        it happens to leave; until then it is no sample. If there are only such walkers, all count.
        """
        finite: NDArray[np.bool_] = np.all(np.isfinite(self.log_probabilities[:, self.kept]), axis=1)
        return finite if finite.any() else np.ones_like(finite)

    @property
    def used(self) -> FloatArray:
        """(walkers, iterations, symbols) the positions that count."""
        return self.positions[self.possible][:, self.kept]

    @property
    def database(self) -> Path | None:
        """The starting database, or the fitted one if the fit generated it; None if it does not exist."""
        name = (self.settings.get("mcmc") or {}).get("input_db")
        if name is None:
            name = (self.settings.get("output") or {}).get("output_db", DEFAULT_OUTPUT)
        file = self.file(name)
        return file if file.is_file() else None

    def file(self, name: str) -> Path:
        """Find a file of the input: in the working directory, as ESPEI does, else next to the input."""
        here = Path(name)
        if here.exists() or self.run.input_file is None:
            return here
        return self.run.input_file.parent / name


def read(path: Path) -> Samples:
    """Read a run's samples.

    Args:
        path: its input, or its run directory.

    Raises:
        Refusal: (BAD_INPUT) if there is no such run, or it has no samples; (CANNOT_CREATE) if a file is
            not readable.
    """
    runs, faults = find([path])
    if faults:
        raise Refusal(ExitCode.BAD_INPUT, faults)
    (run,) = runs
    store = Store(run.directory / CHECKPOINT)
    saved, record = store.look(), Record.read(run.directory)
    if saved is None or record is None or saved.state.iteration < FEWEST:
        done = saved.state.iteration if saved else 0
        what = f"{counted(done, 'iteration')} saved: too few for a report"
        cure = "wait for more; see espei-hpc status"
        raise Refusal(ExitCode.BAD_INPUT, [Fault(run.name, what, cure)])
    settings = read_input(run.input_file) if run.input_file else {}
    number = saved.positions.shape[2]
    kept = best_fit.proposals(run.directory) if record.sampler == LAPLACE else None
    return Samples(
        run=run,
        positions=saved.positions,
        log_probabilities=saved.log_probabilities,
        accepted=saved.state.accepted,
        start=store.start(),
        around=best_fit.best(run.directory) if record.sampler == LAPLACE else None,
        independent=kept.independent if kept else None,
        symbols=_symbols(record, settings, run.directory.absolute().parent, number),
        record=record,
        settings=settings,
    )


def _symbols(record: Record, settings: Mapping[str, Any], beside: Path, number: int) -> tuple[str, ...]:
    """Return the recorded symbols of the run; for a generated database those of the fitted one."""
    written = tuple(record.fingerprint.get("symbols", "").split())
    if len(written) == number:
        return written
    database = beside / (settings.get("output") or {}).get("output_db", DEFAULT_OUTPUT)
    fitted = _fitted(database)
    return fitted if len(fitted) == number else tuple(f"parameter {index + 1}" for index in range(number))


def _fitted(database: Path) -> tuple[str, ...]:
    if not database.exists():
        return ()
    from pycalphad import Database

    from espei_hpc.likelihood.upstream import espei as upstream

    return tuple(upstream.database_symbols_to_fit(Database(str(database))))
