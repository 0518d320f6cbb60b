"""The best fit by least squares: ESPEI reads the input and writes the database, the search is ours."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from espei_hpc.errors import Fault, Refusal
from espei_hpc.exit_codes import ExitCode
from espei_hpc.fit import graph_optimizer
from espei_hpc.fit.connecting import connected
from espei_hpc.fit.engine import Differs
from espei_hpc.fit.stop import Stopped, Stopper
from espei_hpc.fit.waves import Waves
from espei_hpc.inputs import Problem
from espei_hpc.likelihood import Description, Evaluated, Evaluator, LikelihoodRecipe
from espei_hpc.likelihood import rows as sums
from espei_hpc.rundir.evaluations import EvaluationsFile
from espei_hpc.rundir.files import write_json
from espei_hpc.rundir.run_directory import DIFFERENCE, OPTIMUM, RunDirectory
from espei_hpc.sampler import FloatArray, State
from espei_hpc.sampler.determined import Determined, determined
from espei_hpc.sampler.least_squares import NoStart, Optimum, maximum
from espei_hpc.text import counted
from espei_hpc.workers.pool import Pool

SUM_TOLERANCE = 1e-6
"""Largest relative change of what should be constant: ESPEI's log-probability less the sum of squares."""
LARGEST_PROMISE = 1.0
"""Gain that the derivatives at a best fit may promise if a chain begins there: it is a small one."""
SHOWN_GAIN = 0.01
"""Gain of the log-probability that is worth a line."""

Then = Callable[["Evaluations", FloatArray], FloatArray]
"""Goes on from the best parameters, shape (parameters,), and may evaluate more."""


@dataclass
class BestFit:
    """Finds the best fit.

    Attributes:
        problem: the checked input.
        directory: the run directory, held by this process.
        scheduler_file: the cluster's scheduler file.
        stopper: checked between two results.
        starts: number of starting points.
        verify: one evaluation in this many of a prepared unit is compared with ESPEI's own; 0 to prepare
            none.
        say: prints a line.
    """

    problem: Problem
    directory: RunDirectory
    scheduler_file: Path | None
    stopper: Stopper
    starts: int
    verify: int
    say: Callable[[str], None]

    def run(self) -> None:
        """Search; afterwards the database is written, and the optimum in the run directory.

        Raises:
            Refusal: if no starting point can be evaluated, or a file cannot be written.
            Stopped: if stopped; the evaluations so far are saved.
        """
        graph_optimizer.run(self.problem.settings, self._sample)
        self.directory.finish(0)

    def _sample(self, start: State, recipe: Callable[[], LikelihoodRecipe]) -> tuple[FloatArray, FloatArray]:
        """Return the best point as a chain, from which ESPEI takes the parameters of the database."""
        self.directory.begin(self.problem)
        best = self.found(start.positions, recipe, lambda _, optimum: optimum)
        positions = np.repeat(best[np.newaxis, np.newaxis], graph_optimizer.FEWEST_ITERATIONS, axis=1)
        return positions, np.zeros(positions.shape[:2])

    def found(
        self,
        walkers: FloatArray,
        recipe: Callable[[], LikelihoodRecipe],
        then: Then,
        *,
        to_sample: bool = False,
    ) -> FloatArray:
        """Search, and return what ``then`` returns, which may evaluate more.

        Args:
            walkers: further starting points, shape (walkers, parameters).
            recipe: makes the recipe from which workers build the likelihood.
            then: called when the best fit is found and written.
            to_sample: whether to refuse a best fit around which no chain can begin.

        Raises:
            Refusal: if no starting point can be evaluated, or a file cannot be written.
            Stopped: if stopped; the evaluations so far are saved.
        """
        verify = 0 if self.directory.differed else self.verify
        try:
            return self._on_cluster(walkers, replace(recipe(), verify=verify), then, to_sample)
        except Differs as found:
            write_json(self.directory.path / DIFFERENCE, found.difference._asdict())
            EvaluationsFile(self.directory.path).path.unlink(missing_ok=True)
            self.say(
                f"ALARM: the prepared evaluation of {found.difference.unit} differs from ESPEI's own; the "
                "search begins anew with ESPEI's own functions only, several times slower"
            )
            return self._on_cluster(walkers, replace(recipe(), verify=0), then, to_sample)
        except Refusal as refusal:
            if refusal.code not in (ExitCode.UNAVAILABLE, ExitCode.DEADLINE):
                raise
            # Handled like a stop: the evaluations are saved, and another cluster may go on.
            self.stopper.lost = str(refusal)
            raise Stopped from refusal

    def _on_cluster(
        self,
        walkers: FloatArray,
        recipe: LikelihoodRecipe,
        then: Then,
        to_sample: bool,
    ) -> FloatArray:
        with connected(self.scheduler_file) as client, Pool(client, Evaluator, recipe.packed()) as pool:
            description = pool.start(self.stopper.check)
            if description.note:
                self.say(description.note)
            evaluations = Evaluations(self, pool, description, recipe.priors)
            self.stopper.sampling()
            try:
                return then(evaluations, self._searched(walkers, description, evaluations, to_sample))
            finally:
                evaluations.file.save()

    def _searched(
        self, walkers: FloatArray, description: Description, evaluations: "Evaluations", to_sample: bool
    ) -> FloatArray:
        bounds = sums.bounds(evaluations.priors, len(description.symbols))
        initial = np.array(description.initial)
        found: list[Optimum | None] = []
        for number, start in enumerate([initial, *walkers][: self.starts], start=1):
            if self.starts > 1:
                self.say(f"start {number} of {self.starts}")
            evaluations.best = -np.inf
            try:
                optimum = maximum(start, bounds.lower, bounds.upper, evaluations)
            except NoStart:
                self.say("the log-probability of this start is minus infinity")
                found.append(None)
                continue
            found.append(optimum)
            self.say(
                f"log-probability {evaluations.at(optimum):.4f} "
                f"{'' if optimum.converged else 'when the search was given up '}"
                f"after {counted(len(evaluations.file), 'evaluation')}"
            )
        reached = [one for one in found if one is not None]
        if not reached:
            cure = "espei-hpc check names the datasets or the prior that exclude it; start from other values"
            what = "the log-probability of every start is minus infinity"
            raise Refusal(ExitCode.BAD_INPUT, [Fault("search", what, cure)])
        best = max(reached, key=evaluations.at)
        known = determined(best.jacobian)
        content = self._content(description, evaluations, initial, best, found, known)
        write_json(self.directory.path / OPTIMUM, content)
        if to_sample and (faults := [*_edge(best), *_not_determined(known, description.symbols)]):
            raise Refusal(ExitCode.BAD_INPUT, faults)
        return best.parameters

    def _content(
        self,
        description: Description,
        evaluations: "Evaluations",
        initial: FloatArray,
        best: Optimum,
        found: Sequence[Optimum | None],
        known: Determined,
    ) -> dict[str, Any]:
        """Return what ``optimum.json`` keeps, all of it as plain numbers and text."""
        before = evaluations.file.get(initial)
        return {
            "database": str(self.problem.output_db.resolve()),
            "symbols": list(description.symbols),
            "initial": initial.tolist(),
            "parameters": best.parameters.tolist(),
            "errors": [error if np.isfinite(error) else None for error in known.errors.tolist()],
            "covariance": known.covariance.tolist(),
            "root": known.root.tolist(),
            "undetermined": [
                {"members": list(one.members), "change": list(one.change)} for one in known.undetermined
            ],
            "log_probability": evaluations.at(best),
            "log_probability_before": before and before[0],
            "starts": [None if one is None else evaluations.at(one) for one in found],
            "converged": best.converged,
            "promised": best.promised,
            "evaluations": len(evaluations.file),
            "units": list(description.units),
            "kinds": [
                residual.kind.value
                for unit in range(len(description.units))
                for residual in description.residuals
                if unit in residual.units
            ],
            "rows": {
                "unit": evaluations.file.units.tolist(),
                "before": before and before[1].tolist(),
                "after": best.rows.tolist(),
                "leverage": known.leverage.tolist(),
                "shares": known.shares.tolist(),
            },
        }


class Evaluations:
    """Evaluates points on the workers, or takes them from an earlier start.

    Attributes:
        priors: ESPEI's distributions.
        file: all evaluations.
        best: the highest log-probability of this start.
    """

    def __init__(self, search: BestFit, pool: Pool, description: Description, priors: Sequence[Any]) -> None:
        self.file = EvaluationsFile(search.directory.path)
        self.priors = priors
        self.best = -np.inf
        self._search = search
        self._pool = pool
        self._description = description
        self._waves = Waves(pool, description, self._turn)
        self._constant: float | None = None
        if len(self.file):
            search.say(f"resuming after {counted(len(self.file), 'evaluation')}")

    def __call__(self, points: Sequence[FloatArray]) -> list[FloatArray | None]:
        """Return the rows at each point; None where its log-probability is minus infinity."""
        new = [point for point in points if point not in self.file]

        def came(number: int, evaluated: Evaluated | None) -> None:
            self.file.add(new[number], self._rows(new[number], evaluated))

        if new:
            self._waves.evaluate(new, came)
            self.file.save()
        found = [self.file[point] for point in points]
        self._show(max((one[0] for one in found if one), default=-np.inf))
        return [one and one[1] for one in found]

    def log_probabilities(self, points: Sequence[FloatArray]) -> FloatArray:
        """Return the log-probability at each point, shape (points,)."""
        self(points)
        found = [self.file[point] for point in points]
        return np.array([one[0] if one else -np.inf for one in found])

    def at(self, optimum: Optimum) -> float:
        """Return the log-probability of an optimum."""
        found = self.file[optimum.parameters]
        assert found is not None  # noqa: S101 (a maximum is finite)
        return found[0]

    def _turn(self) -> None:
        for notes in (self._pool.notes, self._waves.failures):
            while notes:
                self._search.say(notes.pop(0))
        self.file.save_if_due()
        self._search.stopper.check()

    def _show(self, log_probability: float) -> None:
        if log_probability > self.best + SHOWN_GAIN:
            self.best = log_probability
            done = counted(len(self.file), "evaluation")
            self._search.say(f"log-probability {log_probability:.2f} after {done}")

    def _rows(self, point: FloatArray, evaluated: Evaluated | None) -> tuple[float, FloatArray] | None:
        found = evaluated and sums.rows(self._description, self.priors, point, evaluated)
        if not found or evaluated is None:
            return None
        if names := sums.without_rows(self._description, evaluated):
            what = f"{' and '.join(names)} gives a log-likelihood only, and least squares needs differences"
            raise Refusal(
                ExitCode.BAD_INPUT, [Fault("search", what, "sample it with --sampler stretch or de")]
            )
        self.file.units = found.units
        self._check(found)
        return found.log_probability, found.values

    def _check(self, found: sums.Rows) -> None:
        """Refuse rows that do not add up to ESPEI's log-probability."""
        if self._constant is None:
            self._constant = found.constant
        size = 1.0 + abs(found.log_probability) + abs(self._constant)
        if abs(found.constant - self._constant) > SUM_TOLERANCE * size:
            what = (
                "ESPEI's log-probability is not a sum of the squared differences that its residuals give: "
                f"the rest changed from {self._constant:.6g} to {found.constant:.6g}"
            )
            raise Refusal(ExitCode.FAILED, [Fault("search", what, "please report this with your input")])


def _edge(best: Optimum) -> Iterator[Fault]:
    """Yield that a best fit is no maximum around which a density could be learned."""
    if best.promised > LARGEST_PROMISE:
        what = (
            "the best fit lies at an edge, where a residual jumps; without the jump the log-probability "
            f"could rise by {best.promised:.2g}"
        )
        yield Fault("search", what, "use --sampler de, or stretch, the default")


def _not_determined(known: Determined, symbols: Sequence[str]) -> Iterator[Fault]:
    """Yield what the data leave free."""
    if known.undetermined:
        cure = "give these symbols a prior, or fix them; with a flat prior no chain converges"
        what = "; ".join(direction.in_words(symbols) for direction in known.undetermined)
        yield Fault("search", f"not determined: {what}", cure)
