"""Everything an input names, checked before anything starts."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pycalphad import Database

from espei_hpc.problem.database import check_writable_as, initial_database, read_database
from espei_hpc.problem.datasets import Dataset, Datasets, check_datasets
from espei_hpc.problem.findings import Findings
from espei_hpc.problem.likelihood import check_builds
from espei_hpc.problem.outputs import Outputs, check_outputs, check_room, planned_outputs
from espei_hpc.problem.phase_models import PhaseModels, check_phase_models
from espei_hpc.problem.quiet import quiet
from espei_hpc.problem.reading import read_input
from espei_hpc.problem.sampling import (
    check_iterations,
    check_prior,
    check_restart_trace,
    check_spread,
    check_weights,
)
from espei_hpc.problem.settings import Settings, check_settings
from espei_hpc.problem.symbols import check_symbols, check_used_symbols
from espei_hpc.problem.system import System, check_generates, check_phases, check_used, describe_system


@dataclass(frozen=True)
class Problem:
    """An input that was checked and can run.

    Attributes:
        path: the input file.
        settings: ESPEI's settings with defaults, plain data that ``run_espei`` takes.
        generates: whether parameters are generated from the data.
        samples: whether MCMC runs.
        symbols: the symbols to fit, in ESPEI's order; empty while they are
            still to be generated.
        walkers: how many chains run; None while the symbols are unknown.
        iterations: how many iterations MCMC runs, 0 without it.
        save_interval: iterations between two checkpoints at the most; None where
            the user leaves it open.
        output_db: the database to be written.
        trace: where the samples go, None for nowhere.
        lnprob: where their log-probabilities go, None for nowhere.
        notes: what is overridden or left out, one line each.
    """

    path: Path
    settings: Settings
    generates: bool
    samples: bool
    symbols: tuple[str, ...]
    walkers: int | None
    iterations: int
    save_interval: int | None
    output_db: Path
    trace: Path | None
    lnprob: Path | None
    notes: tuple[str, ...]


def check(path: Path | str, own: Callable[[Path], bool] = lambda _: False) -> Problem:
    """Check an input and everything it names; paths in it are relative to the working directory.

    Args:
        path: the ESPEI input file.
        own: whether a file holds nothing but what an earlier start of this very fit has written.

    Returns:
        The problem, ready to run.

    Raises:
        Refusal: with every fault found, one line each.
    """
    path = Path(path)
    raw = read_input(path)
    findings = Findings(path)
    with quiet():
        settings = check_settings(raw, findings)
        checked = _Checked(settings, findings, own)
        checked.read_files()
        checked.check_system()
        checked.check_sampling()
        checked.check_outputs()
    _note_overridden(raw, findings)
    findings.refuse()
    return Problem(
        path=path,
        settings=settings,
        generates="generate_parameters" in settings,
        samples="mcmc" in settings,
        symbols=tuple(checked.initial),
        walkers=checked.walkers,
        iterations=settings.get("mcmc", {}).get("iterations", 0),
        save_interval=(raw.get("mcmc") or {}).get("save_interval"),
        output_db=Path(settings["output"]["output_db"]),
        trace=checked.outputs.trace,
        lnprob=checked.outputs.lnprob,
        notes=tuple(findings.notes),
    )


@dataclass
class _Checked:
    """The checks in their order; each leaves out what an earlier fault makes pointless."""

    settings: Settings
    findings: Findings
    own: Callable[[Path], bool]
    models: PhaseModels | None = None
    datasets: Datasets | None = None
    database: Database | None = None
    active: System | None = None
    initial: Mapping[str, float] = field(default_factory=dict)
    walkers: int | None = None
    usable: Mapping[Path, Dataset] = field(default_factory=dict)
    outputs: Outputs = field(init=False)

    def __post_init__(self) -> None:
        self.system = self.settings.get("system", {})
        self.mcmc: Settings | None = self.settings.get("mcmc")
        self.generate: Settings | None = self.settings.get("generate_parameters")
        self.outputs = planned_outputs(self.settings)

    def read_files(self) -> None:
        """Read the phase models, the datasets and the starting database."""
        if "phase_models" in self.system:
            self.models = check_phase_models(Path(self.system["phase_models"]), self.findings)
        if "datasets" in self.system:
            tags = self.system.get("tags", {})
            self.datasets = check_datasets(Path(self.system["datasets"]), tags, self.findings)
        if self.generate is None:
            self.database = self._read_start("mcmc", self.mcmc or {})
        elif self.models and "ref_state" in self.generate:
            start = self._read_start("generate_parameters", self.generate)
            if start is not None or "input_db" not in self.generate:
                self.database = initial_database(self.generate, self.models, start, self.findings)

    def _read_start(self, section: str, settings: Settings) -> Database | None:
        if "input_db" not in settings:
            return None
        return read_database(f"{section}.input_db", Path(settings["input_db"]), self.findings)

    def check_system(self) -> None:
        """Check that phase models, database and datasets belong together."""
        if self.models is None or self.database is None:
            return
        self.active = describe_system(self.models, self.database, self.findings)
        if self.active and self.generate is None:
            file = Path(self.system["phase_models"])
            check_phases(self.models, file, self.database, self.active, self.findings)
        if self.active and self.datasets:
            self.usable = check_used(self.datasets, self.active, self.mcmc is not None, self.findings)
            if self.generate and self.mcmc is not None and "input_db" not in self.generate:
                check_generates(self.datasets, self.active, self.findings)

    def check_sampling(self) -> None:
        """Check what the sampler needs: symbols, walkers, prior, weights, a likelihood that builds."""
        if self.mcmc is None:
            return
        check_iterations(self.mcmc, self.findings)
        check_spread(self.mcmc, self.findings)
        check_weights(self.mcmc, list(self.datasets.by_file.values()) if self.datasets else [], self.findings)
        if self.generate is None and self.database is not None:
            file = Path(self.mcmc["input_db"])
            self.initial = check_symbols(self.mcmc.get("symbols"), file, self.database, self.findings)
            if self.active:
                check_used_symbols(self.initial, file, self.database, self.active, self.findings)
        check_prior(self.mcmc, self.initial, self.findings)
        self.walkers = self._count_walkers(self.mcmc)
        if self.initial and self.database is not None and self.models is not None:
            check_builds(self.database, self.usable, self.models, list(self.initial), self.findings)

    def _count_walkers(self, mcmc: Settings) -> int | None:
        if "restart_trace" in mcmc:
            return check_restart_trace(Path(mcmc["restart_trace"]), list(self.initial), self.findings)
        chains = mcmc.get("chains_per_parameter")
        return chains * len(self.initial) if chains and self.initial else None

    def check_outputs(self) -> None:
        """Check the places to write to, and the room there."""
        check_outputs(self.outputs, self._inputs(), self.own, self.findings)
        if self.outputs.output_db is not None:
            check_writable_as(self.outputs.output_db, self.database, self.findings)
        if self.mcmc is not None and self.walkers:
            iterations = self.mcmc.get("iterations", 0)
            check_room(self.outputs, self.walkers, iterations, len(self.initial), self.findings)

    def _inputs(self) -> dict[str, Sequence[Path]]:
        named = {
            f"{section}.{key}": [Path(settings[key])]
            for section, settings in self.settings.items()
            for key in ("phase_models", "input_db", "restart_trace")
            if isinstance(settings, dict) and key in settings
        }
        datasets = self.datasets.files if self.datasets else ()
        return {"the input itself": [self.findings.path], **named, "system.datasets": datasets}


def _note_overridden(raw: Mapping[str, Any], findings: Findings) -> None:
    """Say what the launcher decides instead of the input."""
    mcmc = raw.get("mcmc")
    given = mcmc if isinstance(mcmc, dict) else {}
    scheduler, cores = given.get("scheduler"), given.get("cores")
    if scheduler == "dask":
        findings.note("mcmc.scheduler: dask is ignored: the fit runs on the cluster's workers")
    elif scheduler is not None:
        findings.note(f"mcmc.scheduler: {scheduler} counts for run-fit alone: espei-mpi uses its own cluster")
    if cores is not None:
        findings.note(f"mcmc.cores: {cores} is ignored: the fit runs on the cluster's workers")
