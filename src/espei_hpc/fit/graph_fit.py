"""A fit by our own engine: resumes the chain from its checkpoint, on any number of workers."""

import contextlib
import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from espei_hpc.errors import Fault, Refusal
from espei_hpc.exit_codes import ExitCode
from espei_hpc.fit import around, graph_optimizer
from espei_hpc.fit.chain import Chain
from espei_hpc.fit.connecting import connected
from espei_hpc.fit.cutting import Cutter
from espei_hpc.fit.engine import Differs, Engine, EvaluationFailed
from espei_hpc.fit.ensemble import check_walkers
from espei_hpc.fit.impossible import refuse_impossible
from espei_hpc.fit.observer import Observer
from espei_hpc.fit.sample_files import SampleFiles
from espei_hpc.fit.search import BestFit
from espei_hpc.fit.stop import Stopper
from espei_hpc.fit.walltime import Walltime
from espei_hpc.inputs import Problem
from espei_hpc.likelihood import Difference, Evaluator, LikelihoodRecipe
from espei_hpc.rundir.files import write_json
from espei_hpc.rundir.run_directory import DIFFERENCE, FAILED_PARAMETERS, RunDirectory
from espei_hpc.sampler import Block, Graph, NotANumber, State
from espei_hpc.sampler.goal import Goal, judge, last_due, next_due
from espei_hpc.sampler.moves import LAPLACE, MOVES, STRETCH, Move
from espei_hpc.sampler.sampling import Sampling
from espei_hpc.sampler.state import FloatArray
from espei_hpc.workers.pool import Pool


@dataclass
class GraphFit:
    """Samples with our own engine.

    Attributes:
        problem: the checked input.
        directory: the run directory, held by this process.
        scheduler_file: the cluster's scheduler file; None if the checkpoint has all iterations.
        stopper: checked between two results.
        walltime: receives the duration of iterations and saving; checked at the end of each iteration.
        verify: one evaluation in this many of a prepared unit is compared with ESPEI's own; 0 to prepare
            none.
        report: called when the sampling begins and as iterations finish.
        say: prints a line.
        goal: goal that ends the sampling before all iterations are done; None for no goal.
        sampler: name of the move.
        sampling: the progress of the sampling.
    """

    problem: Problem
    directory: RunDirectory
    scheduler_file: Path | None
    stopper: Stopper
    walltime: Walltime
    verify: int
    report: Callable[[Sampling], None]
    say: Callable[[str], None]
    goal: Goal | None = None
    sampler: str = STRETCH
    sampling: Sampling = field(default_factory=Sampling)
    _workers: int = 1
    """The largest number of workers so far."""
    _observer: Observer = field(init=False)

    def __post_init__(self) -> None:
        self.sampling.iterations, self.sampling.job_end = self.problem.iterations, self.walltime.end
        self.sampling.judged, self.sampling.sampler = self.directory.judged, self.sampler
        self._observer = Observer(self.sampling, self.directory.path, self.report)

    def run(self) -> Sampling:
        """Fit; afterwards arrays and database are written from all finished iterations.

        Raises:
            Refusal: if an evaluation failed, or a file could not be written.
            Stopped: if stopped before there were enough iterations to write a database.
        """
        graph_optimizer.run(self.problem.settings, self.sample)
        if self.sampling.done >= self.sampling.iterations or self.sampling.reached:
            self.directory.finish(self.sampling.done, self.sampling.judged)
        return self.sampling

    def sample(self, start: State, recipe: Callable[[], LikelihoodRecipe]) -> tuple[FloatArray, FloatArray]:
        """Sample until all iterations are done, the goal is reached, or a stop is requested.

        Args:
            start: the initial state, used if the checkpoint is empty.
            recipe: makes the recipe from which workers build the likelihood.

        Returns:
            positions, shape (walkers, finished iterations, parameters), and log-probabilities, shape
            (walkers, finished iterations).
        """
        problem, directory = self.problem, self.directory
        # Before the sampling, the number of walkers is not known if the symbols are generated in this run.
        advice = check_walkers(problem, self.sampler, *start.positions.shape)
        if advice and problem.walkers is None:
            self.say(advice)
        if directory.saved is None:
            directory.begin(problem, self.sampler)
            if self.sampler == LAPLACE:
                start = self._around(start, recipe)
        files = SampleFiles(problem.trace, problem.lnprob, problem.iterations)
        chain = Chain(directory, files, start, problem.iterations, problem.save_interval)
        try:
            if not directory.complete(problem):
                self._sample_prepared(chain, recipe)
        finally:
            chain.save()
            chain.write_arrays()
            self._observer.ends(chain)
        return chain.positions, chain.log_probabilities

    def _around(self, start: State, recipe: Callable[[], LikelihoodRecipe]) -> State:
        """Return a start around the best fit."""
        search = BestFit(
            *(self.problem, self.directory, self.scheduler_file, self.stopper),
            starts=1,
            verify=self.verify,
            say=self.say,
        )
        return around.started(search, start, recipe)

    def _move(self) -> Move:
        return around.move(self.directory.path) if self.sampler == LAPLACE else MOVES[self.sampler]

    def _sample_prepared(self, chain: Chain, recipe: Callable[[], LikelihoodRecipe]) -> None:
        """Sample; if the prepared likelihood proves wrong, go back and continue without it."""
        if self.verify and self.directory.differed:
            self.say(f"nothing is prepared: {self.directory.path / DIFFERENCE} records an earlier difference")
            self.verify = 0
        try:
            self._sample_on_cluster(chain, replace(recipe(), verify=self.verify))
        except Differs as found:
            before = chain.done
            chain.go_back(self._far_enough(chain), self.problem, found.difference)
            for line in _alarm(found.difference, before, chain.done, self.directory.path / DIFFERENCE):
                self.say(line)
            self._sample_on_cluster(chain, replace(recipe(), verify=0))

    def _far_enough(self, chain: Chain) -> int:
        """Return the last iteration after which each worker has compared every unit about twice."""
        window = math.ceil(self.verify * self._workers / len(chain.state.positions))
        return max(0, chain.done - 2 * window - 1)

    def _sample_on_cluster(self, chain: Chain, recipe: LikelihoodRecipe) -> None:
        try:
            with connected(self.scheduler_file) as client, Pool(client, Evaluator, recipe.packed()) as pool:
                self._sample(chain, pool)
        except NotANumber as error:
            raise self._refusal(EvaluationFailed(error.parameters, f"ValueError: {error}")) from error
        except EvaluationFailed as error:
            raise self._refusal(error) from error
        except Refusal as refusal:
            if refusal.code not in (ExitCode.UNAVAILABLE, ExitCode.DEADLINE):
                raise
            # Handled like a stop: the finished iterations are written first.
            self.stopper.lost = str(refusal)

    def _sample(self, chain: Chain, pool: Pool) -> None:
        description = pool.start(self.stopper.check)
        if description.note:
            self.say(description.note)
        graph = Graph(chain.state, self.problem.iterations, move=self._move())
        graph.pause_at = self._until(chain)
        cutter = Cutter(tuple(range(len(description.units))), len(chain.state.positions), self.sampler)
        self.stopper.sampling()
        self._observer.begins(chain)
        self.walltime.sampled(chain.done)

        def block_done(block: Block) -> None:
            if graph.starting is not None and block.first == 0:
                refuse_impossible(graph.starting)
                self.sampling.start = graph.starting
            chain.add(block)
            self._judge(chain)
            graph.pause_at = self._until(chain)
            self._observer.iterated(chain, pool.workers, pool.making)
            self.walltime.sampled(chain.done)
            self.stopper.over = self.stopper.over or self.walltime.over_for_an_iteration()

        def turn() -> bool:
            for notes in (pool.notes, engine.notes):
                while notes:
                    self.say(notes.pop(0))
            self._workers = max(self._workers, pool.workers)
            chain.save_if_due()
            self._observer.turned(chain, pool.workers)
            self.walltime.saved(chain.saving)
            return not (self.stopper.asked or self.sampling.reached)

        engine = Engine(graph, pool, description, cutter, self._observer.evaluated)
        with contextlib.closing(cutter):
            engine.run(block_done, turn)

    def _judge(self, chain: Chain) -> None:
        """Compare the chain with the goal, at the fixed iterations only."""
        if self.goal is not None and last_due(chain.done) == chain.done:
            self.sampling.judged = judge(self.goal, chain.positions, MOVES[self.sampler].part)

    def _until(self, chain: Chain) -> int:
        """Return the iteration at which the chain is judged next, or the last one."""
        if self.sampling.reached:
            return chain.done
        most = self.problem.iterations
        return most if self.goal is None else min(most, next_due(chain.done))

    def _refusal(self, error: EvaluationFailed) -> Refusal:
        """Save the parameters and the traceback of a failed evaluation, and return the refusal."""
        path = self.directory.path / FAILED_PARAMETERS
        values = [float(value) for value in error.parameters]
        names = self.problem.symbols or [f"parameter {number}" for number in range(len(values))]
        kept = {"why": str(error), "parameters": dict(zip(names, values, strict=True))}
        write_json(path, {**kept, "traceback": error.traceback.splitlines()})
        fault = Fault(
            "fit",
            f"ESPEI could not evaluate one parameter set: {error}",
            f"see {path} for the parameters and the traceback",
        )
        return Refusal(ExitCode.FAILED, [fault])


def _alarm(difference: Difference, before: int, now: int, path: Path) -> list[str]:
    return [
        f"ALARM: the prepared evaluation of {difference.unit} differs from ESPEI's own functions",
        f"ALARM: went back from iteration {before} to {now}; continuing with ESPEI's own functions only, "
        "several times slower",
        f"ALARM: please report {path} (parameters and both results) together with your input",
    ]
