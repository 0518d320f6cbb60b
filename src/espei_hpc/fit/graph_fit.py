"""A fit by our own engine: the chain goes on from its checkpoint, on whatever workers there are."""

import contextlib
import math
import resource
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import distributed

from espei_hpc.checkpoint import write_json
from espei_hpc.cluster.directory import read_json
from espei_hpc.exit_codes import ExitCode
from espei_hpc.faults import Fault, Refusal
from espei_hpc.fit import graph_optimizer
from espei_hpc.fit.chain import Chain
from espei_hpc.fit.cutting import Cutter
from espei_hpc.fit.engine import Differs, Engine, EvaluationFailed
from espei_hpc.fit.files import SampleFiles
from espei_hpc.fit.observer import Observer
from espei_hpc.fit.run_directory import DIFFERENCE, RunDirectory
from espei_hpc.fit.sampling import FloatArray, Sampling
from espei_hpc.fit.stop import Stopper
from espei_hpc.fit.walltime import Walltime
from espei_hpc.likelihood import Difference, Evaluator, Recipe
from espei_hpc.pool.pool import Pool
from espei_hpc.problem import Problem
from espei_hpc.sampler import Block, Graph, NotANumber, State

CONNECT_SECONDS = 60
CONNECTIONS = 65536
"""Limit of open connections to workers: each may have a call under way."""
FAILED_PARAMETERS = "failed-parameters.json"


@dataclass
class GraphFit:
    """Samples with our own engine.

    Attributes:
        problem: the checked input.
        directory: the run directory, held by this process.
        scheduler_file: of the cluster; None if the checkpoint has all iterations.
        stopper: asked between two answers.
        walltime: told how long iterations and saving take, asked at the end of each iteration.
        verify: one in how many evaluations of a prepared unit is compared with ESPEI's own; 0 to prepare
            none.
        report: called when the sampling begins and as iterations are done.
        say: prints a line.
        sampling: what is known of the sampling.
    """

    problem: Problem
    directory: RunDirectory
    scheduler_file: Path | None
    stopper: Stopper
    walltime: Walltime
    verify: int
    report: Callable[[Sampling], None]
    say: Callable[[str], None]
    sampling: Sampling = field(default_factory=Sampling)
    _workers: int = 1
    """The most there were."""
    _observer: Observer = field(init=False)

    def __post_init__(self) -> None:
        self.sampling.iterations, self.sampling.job_end = self.problem.iterations, self.walltime.end
        self._observer = Observer(self.sampling, self.directory.path, self.report)

    def run(self) -> Sampling:
        """Fit; afterwards arrays and database are written as far as the chain goes.

        Raises:
            Refusal: if an evaluation failed, or a file could not be written.
            Stopped: when stopped before there was anything to make a database of.
        """
        graph_optimizer.run(self.problem.settings, self.sample)
        if self.sampling.done >= self.sampling.iterations:
            self.directory.finish(self.sampling.done)
        return self.sampling

    def sample(self, start: State, recipe: Callable[[], Recipe]) -> tuple[FloatArray, FloatArray]:
        """Sample until all iterations are done, or a stop is asked for.

        Args:
            start: where the chain begins, if the checkpoint is empty.
            recipe: makes what the workers build the likelihood from.

        Returns:
            positions, shape (walkers, iterations done, parameters), and log-probabilities.
        """
        problem, directory = self.problem, self.directory
        if directory.saved is None:
            directory.begin(problem)
        files = SampleFiles(problem.trace, problem.lnprob, problem.iterations)
        chain = Chain(directory, files, start, problem.iterations, problem.save_interval)
        try:
            if chain.done < problem.iterations:
                self._sample_prepared(chain, recipe)
        finally:
            chain.save()
            chain.write_arrays()
            self._observer.ends(chain)
        return chain.positions, chain.log_probabilities

    def _sample_prepared(self, chain: Chain, recipe: Callable[[], Recipe]) -> None:
        """Sample; where a prepared likelihood proves wrong, go back and on without."""
        if self.verify and self.directory.differed:
            self.say(f"nothing is prepared: {self.directory.path / DIFFERENCE} tells of a difference")
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
        """Return the iteration since which each worker has compared every unit about twice."""
        window = math.ceil(self.verify * self._workers / len(chain.state.positions))
        return max(0, chain.done - 2 * window - 1)

    def _sample_on_cluster(self, chain: Chain, recipe: Recipe) -> None:
        try:
            with self._client() as client, Pool(client, Evaluator, recipe.packed()) as pool:
                self._sample(chain, pool)
        except NotANumber as error:
            raise self._refusal(EvaluationFailed(error.parameters, f"ValueError: {error}")) from error
        except EvaluationFailed as error:
            raise self._refusal(error) from error
        except Refusal as refusal:
            if refusal.code not in (ExitCode.UNAVAILABLE, ExitCode.DEADLINE):
                raise
            # Like a stop: what there is gets written first.
            self.stopper.lost = str(refusal)

    def _sample(self, chain: Chain, pool: Pool) -> None:
        description = pool.start(self.stopper.check)
        graph = Graph(chain.state, self.problem.iterations)
        cutter = Cutter(tuple(range(len(description.units))), len(chain.state.positions))
        self.stopper.sampling()
        self._observer.begins(chain)
        self.walltime.sampled(chain.done)

        def block_done(block: Block) -> None:
            chain.add(block)
            if graph.starting is not None and block.first == 0:
                self.sampling.start = graph.starting
            self._observer.iterated(chain, pool.workers)
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
            return not self.stopper.asked

        engine = Engine(graph, pool, description, cutter, self._observer.evaluated)
        with contextlib.closing(cutter):
            engine.run(block_done, turn)

    def _client(self) -> distributed.Client:
        told = read_json(self.scheduler_file) if self.scheduler_file else None
        if not told:
            fault = Fault(str(self.scheduler_file), "is no longer a whole scheduler file")
            raise Refusal(ExitCode.UNAVAILABLE, [fault])
        # Each worker takes two connections, and many systems allow 1,024 open files until asked for more.
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        try:
            # By address: a Client waits for its scheduler file without end.
            return distributed.Client(
                told["address"],
                timeout=CONNECT_SECONDS,
                set_as_default=False,
                direct_to_workers=True,
                connection_limit=CONNECTIONS,
            )
        except (OSError, TimeoutError) as error:
            fault = Fault("cluster", f"the scheduler at {told['address']} does not answer ({error})")
            raise Refusal(ExitCode.UNAVAILABLE, [fault]) from error

    def _refusal(self, error: EvaluationFailed) -> Refusal:
        """Keep the parameters and the traceback of a failed evaluation, and say where."""
        path = self.directory.path / FAILED_PARAMETERS
        values = [float(value) for value in error.parameters]
        names = self.problem.symbols or [f"parameter {number}" for number in range(len(values))]
        kept = {"why": str(error), "parameters": dict(zip(names, values, strict=True))}
        write_json(path, {**kept, "traceback": error.traceback.splitlines()})
        fault = Fault(
            "fit",
            f"the log-probability of some parameters cannot be had: {error}",
            f"the parameters and the traceback are in {path}",
        )
        return Refusal(ExitCode.FAILED, [fault])


def _alarm(difference: Difference, before: int, now: int, path: Path) -> list[str]:
    return [
        f"ALARM: prepared, {difference.unit} gave another result than ESPEI's own functions do",
        f"ALARM: back from iteration {before} to {now}, and on from there with ESPEI's own functions alone, "
        "several times slower",
        f"ALARM: {path} has the parameters and both results: please report it with your input",
    ]
