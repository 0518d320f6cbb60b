"""The checks of an input, in order."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pycalphad import Database

from espei_hpc.inputs.database import (
    check_reference_state,
    check_writable_as,
    initial_database,
    read_database,
)
from espei_hpc.inputs.datasets import Dataset, Datasets, check_datasets
from espei_hpc.inputs.findings import Findings
from espei_hpc.inputs.generation import generated_database, generated_from
from espei_hpc.inputs.likelihood import StartingLikelihood, check_likelihood
from espei_hpc.inputs.outputs import Outputs, check_outputs, check_room, planned_outputs
from espei_hpc.inputs.phase_models import CheckedModels, check_phase_models
from espei_hpc.inputs.priors import check_prior
from espei_hpc.inputs.sampling import (
    check_iterations,
    check_restart_trace,
    check_spread,
    check_weights,
)
from espei_hpc.inputs.settings import Settings
from espei_hpc.inputs.symbols import check_used_symbols, starting_values, symbols_to_fit
from espei_hpc.inputs.system import System, check_generates, check_phases, describe_system
from espei_hpc.inputs.used_datasets import check_tie_lines, check_used
from espei_hpc.inputs.walkers import Walkers, starting_walkers


@dataclass
class Checks:
    """The checks in order; each checks what is possible without the faulty files."""

    settings: Settings
    findings: Findings
    own: Callable[[Path], bool]
    evaluate: bool
    models: CheckedModels | None = None
    datasets: Datasets | None = None
    database: Database | None = None
    active: System | None = None
    symbols: Sequence[str] = ()
    initial: Mapping[str, float] = field(default_factory=dict)
    walkers: int | None = None
    start: Walkers | None = None
    outside: tuple[int, ...] = ()
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
        else:
            self.database = self._generation_start(self.generate)

    def _generation_start(self, generate: Settings) -> Database | None:
        start = self._read_start("generate_parameters", generate)
        if "ref_state" not in generate:
            return None
        ref_state, models = str(generate["ref_state"]), self.models
        components = models.sound["components"] if models else ()
        known = check_reference_state(ref_state, components, start, self.findings)
        if not known or models is None or not models.complete or (start is None and "input_db" in generate):
            return None
        return initial_database(ref_state, models.sound, start, self.findings)

    def _read_start(self, section: str, settings: Settings) -> Database | None:
        if "input_db" not in settings:
            return None
        return read_database(f"{section}.input_db", Path(settings["input_db"]), self.findings)

    def check_system(self) -> None:
        """Check that phase models, database and datasets are consistent."""
        if self.database is None:
            return
        if self.models is None:
            if self.datasets and self.generate is None:
                check_tie_lines(self.datasets, self.database, self.findings)
            return
        models = self.models.sound
        self.active = describe_system(sorted(models["components"]), self.database, self.findings)
        if self.active and self.generate is None:
            file = Path(self.system["phase_models"])
            loaded = self.datasets.by_file.values() if self.datasets else ()
            check_phases(models, file, self.database, self.active, loaded, self.findings)
        if self.active and self.datasets:
            self.usable = check_used(
                self.datasets, self.active, self.mcmc is not None, self._generating(), self.findings
            )
            if self.generate and self.mcmc is not None and "input_db" not in self.generate:
                check_generates(self.datasets, self.active, self.findings)

    def _generating(self) -> frozenset[str]:
        return generated_from(self.generate["fitting_description"]) if self.generate else frozenset()

    def check_sampling(self) -> None:
        """Check what the sampler needs: symbols, walkers, prior, weights, and that the likelihood builds."""
        if self.mcmc is None:
            return
        check_iterations(self.mcmc, self.findings)
        check_spread(self.mcmc, self.findings)
        loaded = list(self.datasets.by_file.values()) if self.datasets else []
        weights = check_weights(self.mcmc, loaded, self.findings)
        if self.generate is None and "input_db" in self.mcmc:
            self._check_symbols(self.mcmc, Path(self.mcmc["input_db"]))
        self.walkers = self._count_walkers(self.mcmc)
        if self.initial:
            self.start = starting_walkers(self.mcmc, self.initial)
        self.outside = check_prior(self.mcmc, self.symbols, self.start, self.findings)
        if self.start and self.database is not None:
            self._check_likelihood(self.database, self.start, weights)
        elif self.evaluate and self.generate is not None and not self.findings.faults:
            self._check_generated(self.mcmc, self.generate, weights)

    def _check_likelihood(self, database: Database, start: Walkers, weights: Mapping[str, float]) -> None:
        if self.models is not None and self.active is not None:
            likelihood = StartingLikelihood(database, self.models.sound, weights, self.active, start)
            check_likelihood(likelihood, self.usable, self.evaluate, self.findings)

    def _check_generated(self, mcmc: Settings, generate: Settings, weights: Mapping[str, float]) -> None:
        """Check the likelihood of a database that is generated first, as of one that is read."""
        if self.models is None or self.datasets is None:
            return
        with self.findings.guard("generate_parameters", "ESPEI cannot generate parameters"):
            made = generated_database(generate, self.models.sound, self.datasets.by_file.values())
            file = self.outputs.output_db or Path("the generated database")
            symbols = symbols_to_fit(mcmc.get("symbols"), file, made, self.findings)
            if values := starting_values(symbols, file, made, self.findings):
                start = starting_walkers(mcmc, values)
                check_prior(mcmc, symbols, start, self.findings)
                self._check_likelihood(made, start, weights)

    def _check_symbols(self, mcmc: Settings, file: Path) -> None:
        self.symbols = symbols_to_fit(mcmc.get("symbols"), file, self.database, self.findings)
        if self.database is None:
            return
        self.initial = starting_values(self.symbols, file, self.database, self.findings)
        if self.active:
            check_used_symbols(self.initial, file, self.database, self.active, self.findings)

    def _count_walkers(self, mcmc: Settings) -> int | None:
        if "restart_trace" in mcmc:
            return check_restart_trace(Path(mcmc["restart_trace"]), list(self.symbols), self.findings)
        chains = mcmc.get("chains_per_parameter")
        return chains * len(self.symbols) if chains and self.symbols else None

    def check_outputs(self) -> None:
        """Check the output paths and the disk space."""
        check_outputs(self.outputs, self._inputs(), self.own, self.findings)
        if self.outputs.output_db is not None:
            check_writable_as(self.outputs.output_db, self.database, self.findings)
        if self.mcmc is not None and self.walkers:
            iterations = self.mcmc.get("iterations", 0)
            check_room(self.outputs, self.walkers, iterations, len(self.symbols), self.findings)

    def _inputs(self) -> dict[str, Sequence[Path]]:
        named = {
            f"{section}.{key}": [Path(settings[key])]
            for section, settings in self.settings.items()
            for key in ("phase_models", "input_db", "restart_trace")
            if isinstance(settings, dict) and key in settings
        }
        datasets = self.datasets.files if self.datasets else ()
        return {"the input itself": [self.findings.path], **named, "system.datasets": datasets}
