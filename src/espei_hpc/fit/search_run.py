"""One start of a search for the best fit: what it does in place of sampling."""

from pathlib import Path

from espei_hpc.errors import Refusal
from espei_hpc.exit_codes import ExitCode
from espei_hpc.fit.run import FitRun
from espei_hpc.fit.search import BestFit
from espei_hpc.fit.stop import Stopped
from espei_hpc.fit.where import ClusterOptions, find
from espei_hpc.inputs.search import Search
from espei_hpc.rundir.run_directory import OPTIMUM


class SearchRun(FitRun):
    """One start of a search."""

    def run(self, wanted: ClusterOptions) -> int:
        """Search on, and return the exit code."""
        if self.directory.found(self.problem, self._search.starts):
            self.say("already found; --force-new searches again")
            return ExitCode.OK
        return self.on_cluster(find(self.problem, wanted))

    @property
    def _search(self) -> Search:
        return self.opening.search or Search()

    def _fit(self, scheduler_file: Path | None) -> int:
        self._keep_image()
        try:
            BestFit(
                self.problem,
                self.directory,
                scheduler_file,
                self.stopper,
                self._search.starts,
                self.opening.verify,
                self.say,
            ).run()
        except (Refusal, Stopped):
            raise
        except Exception as error:
            if self.stopper.lost:
                raise self._lost("during the search") from error
            raise self._failed(error) from error
        for path in (self.problem.output_db, self.directory.path / OPTIMUM):
            self.say(f"written          {path}")
        return ExitCode.OK

    def _stopped_early(self) -> int:
        if self.stopper.over is None and self.stopper.signal is None:
            raise self._lost("during the search")
        why = self.stopper.over or f"signal {self.stopper.signal}"
        self.say(f"stopped: {why}; all evaluations are saved; run the same command to resume")
        return ExitCode.STOPPED
