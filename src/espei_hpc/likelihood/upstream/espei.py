"""All private names of ESPEI and emcee that this package uses.

No other module uses any. The tests of this module check each of them, and their
failures name the one that an upstream release has changed. With releases other
than those in ``KNOWN`` the likelihood is not split into units (``known``): each
residual is then evaluated whole, by its documented ``get_likelihood``.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from espei import espei_script
from espei.error_functions import (
    activity_error,
    equilibrium_thermochemical_error,
    non_equilibrium_thermochemical_error,
    zpf_error,
)
from espei.error_functions.activity_error import ActivityResidual, calculate_activity_residuals
from espei.error_functions.context import setup_context
from espei.error_functions.equilibrium_thermochemical_error import (
    EquilibriumPropertyResidual,
    calc_prop_differences,
)
from espei.error_functions.non_equilibrium_thermochemical_error import (
    FixedConfigurationPropertyResidual,
    calculate_non_equilibrium_thermochemical_probability,
    compute_fixed_configuration_property_differences,
)
from espei.error_functions.residual_base import residual_function_registry
from espei.error_functions.zpf_error import ZPFResidual, calculate_zpf_driving_forces
from espei.optimizers.opt_mcmc import EmceeOptimizer
from espei.paramselect import generate_parameters
from espei.utils import (
    PickleableTinyDB,
    database_symbols_to_fit,
    import_qualified_object,
    unpack_piecewise,
)
from espei.validation import schema
from pycalphad import Workspace
from pycalphad import variables as v
from pycalphad.property_framework import IsolatedPhase

from espei_hpc.likelihood.upstream import pycalphad as upstream_pycalphad

__all__ = [
    "KNOWN",
    "ON_ONE_CORE",
    "ActivityResidual",
    "DataPoint",
    "EmceeOptimizer",
    "EquilibriumPropertyResidual",
    "FixedConfigurationPropertyResidual",
    "PickleableTinyDB",
    "Prepared",
    "SamplingObserver",
    "ZPFResidual",
    "activity_datasets",
    "activity_differences",
    "database_symbols_to_fit",
    "datasets_found_by",
    "driving_forces",
    "fixed_configuration",
    "fixed_configuration_differences",
    "fixed_configuration_points",
    "fixed_configuration_probability",
    "fixed_configurations",
    "generate_parameters",
    "import_qualified_object",
    "known",
    "normalized",
    "observed_by",
    "optimizer",
    "phase_regions",
    "property_datasets",
    "property_differences",
    "property_differences_in_order",
    "property_is_crossed",
    "property_points",
    "register",
    "registered",
    "registered_only",
    "sampled_by",
    "setup_context",
    "silent_on_cores",
    "store_chain",
    "unpack_piecewise",
    "versions",
]

FloatArray = npt.NDArray[np.float64]
Numbers = tuple[tuple[float, ...], tuple[float, ...]]
"""Differences between calculated and measured values, and ESPEI's weight of each."""

KNOWN = {"espei": "0.9.1", "emcee": "2.2.1", "pycalphad": upstream_pycalphad.KNOWN}
"""The supported releases: their residuals are known to be sums over independent units."""

ON_ONE_CORE = "Not using a parallel scheduler."
"""Beginning of ESPEI's log line that says so."""


def versions() -> dict[str, str]:
    """Return the installed releases of the packages in ``KNOWN``."""
    return {package: version(package) for package in KNOWN}


def known() -> bool:
    """Whether the installed releases are supported, so that residuals can be split into units."""
    return versions() == KNOWN


def registered() -> list[str]:
    """Return the dotted names of the residuals that ESPEI evaluates, in order, including the user's."""
    classes = residual_function_registry.get_registered_residual_functions()
    return [f"{residual.__module__}.{residual.__qualname__}" for residual in classes]


def register(residuals: Sequence[str]) -> None:
    """Import residuals by dotted name and register them with ESPEI; registered ones are kept."""
    for name in residuals:
        residual_function_registry.register(import_qualified_object(name))


@contextmanager
def registered_only(classes: Sequence[type[Any]]) -> Iterator[None]:
    """Register only these residuals with ESPEI while the context lasts."""
    with _replaced(residual_function_registry, "_registered_residual_functions", list(classes)):
        yield


def normalized(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return ESPEI's input with all defaults, as ``get_run_settings`` does."""
    return dict(schema.normalized(dict(settings)))


@contextmanager
def optimizer(replacement: type[Any]) -> Iterator[None]:
    """Make ``run_espei`` use a class derived from ``EmceeOptimizer`` while the context lasts."""
    original = espei_script.EmceeOptimizer
    espei_script.EmceeOptimizer = replacement
    try:
        yield
    finally:
        espei_script.EmceeOptimizer = original


@contextmanager
def datasets_found_by(find: Callable[[str, str], list[str]]) -> Iterator[None]:
    """Make ``run_espei`` search for datasets with ``find``, which has the arguments of ``recursive_glob``."""
    with _replaced(espei_script, "recursive_glob", find):
        yield


@contextmanager
def silent_on_cores() -> Iterator[None]:
    """Suppress ESPEI's log line that it runs on a single core, which is wrong with our cluster."""

    def other(record: logging.LogRecord) -> bool:
        return not record.getMessage().startswith(ON_ONE_CORE)

    log = logging.getLogger(espei_script.__name__)
    log.addFilter(other)
    try:
        yield
    finally:
        log.removeFilter(other)


@dataclass(frozen=True)
class Prepared:
    """What ESPEI has prepared when its sampling begins.

    Attributes:
        symbols: the symbols to fit, as passed to ``_fit``.
        datasets: the datasets, in ESPEI's order.
        data_weights: weight of each data type.
        phase_models: content of the phase models file.
        priors: a distribution for each symbol, in the order of the sorted symbols.
        chains: starting positions, shape (walkers, parameters).
        random: state of emcee's random numbers.
    """

    symbols: list[str]
    datasets: list[dict[str, Any]]
    data_weights: dict[str, float] | None
    phase_models: dict[str, Any]
    priors: list[Any]
    chains: FloatArray
    random: Any


class _PreparedOptimizer(EmceeOptimizer):  # type: ignore[misc]
    def _fit(self, symbols: list[str], ds: Any, *args: Any, **kwargs: Any) -> Any:
        self.fitted = (list(symbols), ds, kwargs["mcmc_data_weights"])
        return super()._fit(symbols, ds, *args, **kwargs)

    def prepared(self, chains: FloatArray) -> Prepared:
        symbols, datasets, weights = self.fitted
        return Prepared(
            symbols=symbols,
            datasets=[dict(dataset) for dataset in datasets.all()],
            data_weights=weights,
            phase_models=self.phase_models,
            priors=self.sampler.kwargs["prior_rvs"],
            chains=np.array(chains, dtype=np.float64),
            random=self.sampler.random_state,
        )


def sampled_by(sample: Callable[[Prepared], tuple[FloatArray, FloatArray]]) -> type[Any]:
    """Return an optimizer that calls ``sample`` for its sampling.

    Args:
        sample: returns positions, shape (walkers, iterations, parameters), and log-probabilities.
    """

    class SampledOptimizer(_PreparedOptimizer):
        @staticmethod
        def predict(params: FloatArray, **ctx: Any) -> float:
            # ESPEI evaluates the initial guess only for its log.
            return float("nan")

        def do_sampling(self, chains: FloatArray, iterations: int) -> None:
            store_chain(self.sampler, *sample(self.prepared(chains)))

    return SampledOptimizer


class SamplingObserver(Protocol):
    """Watches ESPEI's own sampling."""

    def begin(self, prepared: Prepared, iterations: int, client: Any) -> Any:
        """Return the pool, with emcee's ``map``, that evaluates on ESPEI's client."""

    def step(self, log_probabilities: FloatArray, acceptance: float) -> None:
        """Record an iteration: its log-probabilities, shape (walkers,), and the acceptance so far."""

    def end(self, files: tuple[str | None, str | None]) -> None:
        """Record the end of the sampling; ESPEI has written these files."""


def observed_by(observer: SamplingObserver) -> type[Any]:
    """Return ESPEI's optimizer, which notifies ``observer``."""

    class ObservedOptimizer(_PreparedOptimizer):
        def do_sampling(self, chains: FloatArray, iterations: int) -> None:
            sampler = self.sampler
            sampler.pool = observer.begin(self.prepared(chains), iterations, sampler.pool)
            sampler.sample = _telling(sampler, observer)
            # With a client, ESPEI logs the workers' memory after each iteration, and sometimes
            # crashes: the client's periodic update may leave the list of workers empty.
            self.scheduler = None
            super().do_sampling(chains, iterations)
            observer.end((self.tracefile, self.probfile))

    return ObservedOptimizer


def _telling(sampler: Any, observer: SamplingObserver) -> Callable[..., Iterator[Any]]:
    sample = sampler.sample

    def telling(*args: Any, **kwargs: Any) -> Iterator[Any]:
        for step in sample(*args, **kwargs):
            yield step
            observer.step(np.array(step[1], dtype=np.float64), float(np.mean(sampler.acceptance_fraction)))

    return telling


def store_chain(sampler: Any, chain: FloatArray, log_probabilities: FloatArray) -> None:
    """Store a chain in emcee's sampler, from which ``_fit`` takes the best parameters.

    Args:
        sampler: emcee's ``EnsembleSampler``.
        chain: shape (walkers, iterations, parameters).
        log_probabilities: shape (walkers, iterations).
    """
    sampler._chain = chain
    sampler._lnprob = log_probabilities


@dataclass(frozen=True)
class Region:
    """A phase region of the phase boundary data, and its reference."""

    data: dict[str, Any]
    reference: str


def phase_regions(residual: Any) -> list[Region]:
    """Return the phase regions of a ``ZPFResidual`` in the order in which ESPEI evaluates them."""
    return [
        Region({**data, "phase_regions": [region]}, str(data["dataset_reference"]))
        for data in residual.zpf_data
        for region in data["phase_regions"]
    ]


def driving_forces(region: Region, parameters: FloatArray) -> Numbers:
    """Return driving forces (J/mol) and weights of a region; infinite ones if it is short-circuited."""
    forces, weights = calculate_zpf_driving_forces([region.data], parameters, short_circuit=True)
    return _floats(np.concatenate(forces)), _floats(np.concatenate(weights))


@dataclass(frozen=True)
class Boundary:
    """A phase region, in the form that ESPEI's functions use.

    Attributes:
        region: ESPEI's ``PhaseRegion``.
        data: ESPEI's entry of its dataset.
        symbols: names of the fitted symbols, in the order of the parameters.
        factory: the phase record factory of all its vertices.
        elements: elements whose chemical potentials define the hyperplane, in ESPEI's order.
    """

    region: Any
    data: Mapping[str, Any]
    symbols: tuple[str, ...]
    factory: Any
    elements: tuple[str, ...]

    @property
    def vertices(self) -> list[Any]:
        """The vertices whose driving forces are calculated."""
        return list(self.region.vertices)

    @property
    def hyperplane_vertices(self) -> list[Any]:
        """The vertices whose equilibria define the hyperplane."""
        return [vertex for vertex in self.region.hyperplane_vertices if not vertex.has_missing_comp_cond]

    def values(self, parameters: FloatArray) -> dict[str, float]:
        """Return the parameters by name, as ESPEI passes them."""
        return dict(zip(self.symbols, parameters, strict=False))


def boundary(region: Region) -> Boundary | None:
    """Return a region in the form that ESPEI's functions use; None if its vertices have several factories."""
    (whole,) = region.data["phase_regions"]
    factories = {
        id(vertex.phase_record_factory): vertex.phase_record_factory
        for vertex in (*whole.hyperplane_vertices, *whole.vertices)
    }
    if len(factories) != 1:
        return None
    first = next(iter(whole.models.values()))
    names = {name.upper() for species in whole.species for name in species.constituents}
    return Boundary(
        region=whole,
        data=region.data,
        symbols=tuple(sorted(map(str, first._parameters_arg))),
        factory=next(iter(factories.values())),
        elements=tuple(sorted(names - {"VA"})),
    )


def hyperplane_workspace(boundary: Boundary, vertex: Any, parameters: FloatArray) -> Workspace:
    """Return the workspace that ``estimate_hyperplane`` makes for a vertex."""
    region = boundary.region
    return Workspace(
        database=boundary.data["dbf"],
        components=region.species,
        phases=region.phases,
        models=region.models,
        phase_record_factory=vertex.phase_record_factory,
        conditions={**vertex.comp_conds, **region.potential_conds},
        parameters=boundary.values(parameters),
    )


def isolated_workspace(boundary: Boundary, vertex: Any, parameters: FloatArray) -> Workspace:
    """Return the workspace that ``driving_force_to_hyperplane`` makes for a vertex."""
    region = boundary.region
    return Workspace(
        database=boundary.data["dbf"],
        components=region.species,
        phases=vertex.phase_name,
        models=region.models,
        phase_record_factory=vertex.phase_record_factory,
        conditions={**region.potential_conds, **vertex.comp_conds},
        parameters=boundary.values(parameters),
    )


def driving_force(boundary: Boundary, vertex: Any, hyperplane: FloatArray, parameters: FloatArray) -> float:
    """Return ESPEI's own driving force of a vertex, J/mol."""
    data = boundary.data
    return float(
        zpf_error.driving_force_to_hyperplane(
            hyperplane, boundary.region, data["dbf"], data["parameter_dict"], vertex, parameters
        )
    )


@dataclass(frozen=True)
class SampledPoints:
    """Points of a phase whose energies determine a vertex's driving force.

    Attributes:
        fractions: mole fractions, with ESPEI's leading axes.
        sites: site fractions, shape (points, internal degrees of freedom or more).
        shape: shape of the energies.
        state: values of N, P, T.
    """

    fractions: FloatArray
    sites: FloatArray
    shape: tuple[int, ...]
    state: FloatArray


def sampled(boundary: Boundary, vertex: Any, parameters: FloatArray) -> SampledPoints | None:
    """Return the points that ESPEI samples for a vertex, by ESPEI's own code; None if there are none."""
    seen: list[Any] = []
    original = zpf_error.calculate_

    def seeing(*args: Any, **kwargs: Any) -> Any:
        seen.append(original(*args, **kwargs))
        return seen[-1]

    with _replaced(zpf_error, "calculate_", seeing):
        driving_force(boundary, vertex, np.zeros(len(boundary.elements)), parameters)
    if len(seen) != 1:
        return None
    (points,) = seen
    state = [np.ravel(boundary.region.potential_conds[key]) for key in sorted_by_name(boundary)]
    return SampledPoints(
        fractions=points.X,
        sites=points.Y.reshape(-1, points.Y.shape[-1]),
        shape=points.GM.shape,
        state=np.concatenate(state).astype(np.float64),
    )


def sorted_by_name(boundary: Boundary) -> list[Any]:
    """Return the state variables of a region in the order in which ESPEI passes them."""
    return sorted(boundary.region.potential_conds, key=str)


@contextmanager
def _replaced(module: Any, name: str, other: Any) -> Iterator[None]:
    """Replace a function or class in one of ESPEI's modules while the context lasts."""
    original = getattr(module, name)
    setattr(module, name, other)
    try:
        yield
    finally:
        setattr(module, name, original)


class _Chosen:
    """Replaces a collection of datasets: every search returns the same, and the query is recorded."""

    def __init__(self, datasets: Sequence[Mapping[str, Any]] = ()) -> None:
        self._datasets = list(datasets)
        self.query: Any = None

    def search(self, query: Any) -> list[Mapping[str, Any]]:
        self.query = query
        return self._datasets


def activity_datasets(residual: Any) -> list[Mapping[str, Any]]:
    """Return the datasets that an ``ActivityResidual`` evaluates, selected by ESPEI's own query."""
    settings = residual._activity_likelihood_kwargs
    nothing = _Chosen()
    calculate_activity_residuals(parameters={}, **{**settings, "datasets": nothing})
    return list(settings["datasets"].search(nothing.query))


def activity_differences(residual: Any, dataset: Mapping[str, Any], parameters: FloatArray) -> Numbers:
    """Return differences of chemical potential (J/mol) and standard deviations of one dataset's points."""
    settings = {**residual._activity_likelihood_kwargs, "datasets": _Chosen([dataset])}
    values = dict(zip(residual._symbols_to_fit, parameters.tolist(), strict=True))
    differences, deviations = calculate_activity_residuals(parameters=values, **settings)
    return _floats(differences), _floats(deviations)


class Workspaces:
    """Creates workspaces as ESPEI does; those of the same phases share models and phase records.

    ESPEI creates new models and records for each, with the same content.
    """

    def __init__(self) -> None:
        self._first: dict[Any, Workspace] = {}

    def make(self, **asked: Any) -> Workspace:
        """Return a workspace with these arguments."""
        key = (str(asked["components"]), str(asked["phases"]), str(sorted(map(str, asked["conditions"]))))
        if (first := self._first.get(key)) is None:
            self._first[key] = workspace = Workspace(**asked)
            return workspace
        return Workspace(
            **asked, models=first.models.unwrap(), phase_record_factory=first.phase_record_factory
        )


@dataclass(frozen=True)
class Activities:
    """What ESPEI calculates for a dataset of activities.

    Attributes:
        element: element whose activity was measured.
        reference: workspace of the reference state.
        points: workspaces of the points.
        measured: R T ln a of each point, J/mol.
        deviations: standard deviation of each point, J/mol.
    """

    element: str
    reference: Workspace
    points: list[Workspace]
    measured: FloatArray
    deviations: tuple[float, ...]


def activities(
    residual: Any, dataset: Mapping[str, Any], parameters: FloatArray, workspaces: Workspaces
) -> Activities:
    """Return what ESPEI calculates for one dataset, by ESPEI's own function, without calculating it."""
    made: list[Workspace] = []

    class Recorded:
        def __init__(self, **asked: Any) -> None:
            made.append(workspaces.make(**asked))

        def get(self, _: Any) -> float:
            return 0.0

    with _replaced(activity_error, "Workspace", Recorded):
        differences, deviations = activity_differences(residual, dataset, parameters)
    return Activities(
        element=dataset["output"].split("_")[1],
        reference=made[0],
        points=made[1:],
        # Calculated minus measured, with calculated values of 0.
        measured=-np.array(differences, dtype=np.float64),
        deviations=deviations,
    )


def symbols_of(residual: Any) -> tuple[str, ...]:
    """Return the names of a residual's fitted symbols, in the order of the parameters."""
    return tuple(residual._symbols_to_fit)


@dataclass(frozen=True)
class Sample:
    """One measured point of a fixed configuration.

    Attributes:
        composition_set: pycalphad's composition set, with the configuration's site fractions.
        workspace: its workspace.
        value: the measured value.
    """

    composition_set: Any
    workspace: Workspace
    value: Any


def fixed_samples(residual: Any, entry: dict[str, Any], parameters: FloatArray) -> list[Sample]:
    """Return the composition sets that ESPEI creates for an entry, by ESPEI's own code."""
    made: list[tuple[Any, Workspace]] = []

    def seeing(composition_set: Any, wks: Workspace) -> Any:
        made.append((composition_set, wks))
        return IsolatedPhase(composition_set, wks=wks)

    with _replaced(non_equilibrium_thermochemical_error, "IsolatedPhase", seeing):
        fixed_configuration_probability(residual, entry, parameters)
    values = entry["calculate_dict"]["values"]
    return [Sample(*pair, value) for pair, value in zip(made, values, strict=True)]


def fixed_configurations(residual: Any) -> list[dict[str, Any]]:
    """Return the entries of a ``FixedConfigurationPropertyResidual``, each a property of a phase."""
    return list(residual.thermochemical_data)


def fixed_configuration_probability(residual: Any, entry: dict[str, Any], parameters: FloatArray) -> float:
    """Return the log-probability of one entry."""
    values = dict(zip(residual._symbols_to_fit, parameters.tolist(), strict=True))
    return float(calculate_non_equilibrium_thermochemical_probability([entry], residual.dbf, values))


def fixed_configuration(
    residual: Any, entry: dict[str, Any], parameters: FloatArray
) -> tuple[float, list[float]]:
    """Return the log-probability of one entry, and the differences on the way to it, in its unit."""
    seen: list[float] = []

    def seeing(*args: Any) -> list[float]:
        seen.extend(compute_fixed_configuration_property_differences(*args))
        return seen

    name = "compute_fixed_configuration_property_differences"
    with _replaced(non_equilibrium_thermochemical_error, name, seeing):
        return fixed_configuration_probability(residual, entry, parameters), seen


def fixed_configuration_differences(residual: Any, entry: dict[str, Any], parameters: FloatArray) -> Numbers:
    """Return differences of an entry's property and their standard deviations, in the property's unit."""
    values = dict(zip(residual._symbols_to_fit, parameters.tolist(), strict=True))
    differences = compute_fixed_configuration_property_differences(residual.dbf, entry, values)
    return _floats(differences), _floats(np.broadcast_to(np.ravel(entry["weights"]), len(differences)))


@dataclass(frozen=True)
class DataPoint:
    """One measured value.

    Attributes:
        value: the measured value, in the property's unit.
        temperature: temperature, K.
        fractions: mole fraction of each element, in alphabetical order.
        reference: reference of the dataset.
        configuration: constituents of each sublattice, ``CU,MG:VA``; empty for an equilibrium.
    """

    value: float
    temperature: float
    fractions: tuple[tuple[str, float], ...]
    reference: str
    configuration: str = ""


def fixed_configuration_points(entry: Mapping[str, Any]) -> list[DataPoint]:
    """Return the measured values of an entry, in the order of its differences."""
    phase, asked = entry["phase_name"], entry["calculate_dict"]
    model, elements = entry["model"][phase], _elements(entry["species"])
    sites = [(number, name) for number, names in enumerate(entry["constituents"]) for name in names]
    points = []
    for value, temperature, point, reference in zip(
        asked["values"], asked["T"], asked["points"], asked["references"], strict=True
    ):
        # The composition, calculated as in ESPEI.
        fractions = {v.Y(phase, *site): fraction for site, fraction in zip(sites, point, strict=True)}
        occupied = [
            ",".join(
                name
                for (number, name), fraction in zip(sites, point, strict=True)
                if number == sublattice and fraction > 0
            )
            for sublattice in range(len(entry["constituents"]))
        ]
        points.append(
            DataPoint(
                value=float(value),
                temperature=float(temperature),
                fractions=tuple((name, float(model.moles(name).xreplace(fractions))) for name in elements),
                reference=str(reference),
                configuration=":".join(occupied),
            )
        )
    return points


def _elements(species: Sequence[Any]) -> list[str]:
    return sorted({name.upper() for one in species for name in one.constituents} - {"VA"})


def property_datasets(residual: Any) -> list[Any]:
    """Return the datasets of an ``EquilibriumPropertyResidual`` in ESPEI's order."""
    return list(residual.property_data)


def property_workspaces(dataset: Any, parameters: FloatArray, prepare: Callable[[Workspace], None]) -> None:
    """Call ``prepare`` with each workspace of a dataset that ESPEI calculates with."""

    def seeing(**asked: Any) -> Workspace:
        workspace = Workspace(**asked)
        calculate = workspace.get

        def get(output: Any) -> Any:
            prepare(workspace)
            return calculate(output)

        workspace.get = get
        return workspace

    with _replaced(equilibrium_thermochemical_error, "Workspace", seeing):
        calc_prop_differences(dataset, parameters)


@dataclass(frozen=True)
class MeasuredProperty:
    """The measured values of an equilibrium property.

    Attributes:
        output: name of the property.
        values: measured values, in the property's unit, in ESPEI's order.
        deviations: standard deviation of each, in the property's unit.
        symbols: names of the fitted symbols, in the order of the parameters.
        factory: the phase record factory.
    """

    output: str
    values: FloatArray
    deviations: tuple[float, ...]
    symbols: tuple[str, ...]
    factory: Any


def measured(dataset: Any) -> MeasuredProperty:
    """Return the measured values of a dataset of an ``EquilibriumPropertyResidual``."""
    return MeasuredProperty(
        output=str(dataset.output),
        values=np.array(dataset.samples, dtype=np.float64),
        deviations=_floats(dataset.weight),
        symbols=tuple(map(str, dataset.params_keys)),
        factory=dataset.phase_record_factory,
    )


def property_differences(dataset: Any, parameters: FloatArray) -> Numbers:
    """Return differences of a property and their standard deviations, in the property's unit."""
    differences, deviations = calc_prop_differences(dataset, parameters)
    return _floats(differences), _floats(deviations)


def property_differences_in_order(dataset: Any, parameters: FloatArray) -> Numbers:
    """Return the same as ``property_differences``, but each value compared at its own conditions.

    ESPEI calculates by composition, then temperature; the values of a dataset are listed by temperature,
    then composition. With several of both, ESPEI subtracts values of different conditions.
    """
    differences, deviations = property_differences(dataset, parameters)
    values = np.array(dataset.samples, dtype=np.float64)
    calculated = (values + np.array(differences)).reshape(len(dataset.composition_conds), -1).T.ravel()
    return _floats(calculated - values), deviations


def property_is_crossed(dataset: Any) -> bool:
    """Whether ESPEI compares values of a dataset with calculations at different conditions."""
    compositions = len(dataset.composition_conds)
    return compositions > 1 and len(dataset.samples) > compositions


def property_points(dataset: Any) -> list[DataPoint]:
    """Return the measured values of a dataset of an ``EquilibriumPropertyResidual``, in its order."""
    temperatures = [
        float(temperature)
        for _ in dataset.potential_conds[v.P]
        for temperature in dataset.potential_conds[v.T]
        for _ in dataset.composition_conds
    ]
    elements = _elements(dataset.species)
    compositions = [_fractions(elements, conditions) for conditions in dataset.composition_conds]
    return [
        DataPoint(float(value), temperature, compositions[index % len(compositions)], str(dataset.reference))
        for index, (value, temperature) in enumerate(zip(dataset.samples, temperatures, strict=True))
    ]


def _fractions(elements: Sequence[str], conditions: Mapping[Any, Any]) -> tuple[tuple[str, float], ...]:
    """Return the mole fractions of all elements; the one without a condition gets the remainder."""
    given = {condition.species.name: float(np.squeeze(value)) for condition, value in conditions.items()}
    return tuple((name, given.get(name, 1 - sum(given.values()))) for name in elements)


def _floats(values: Any) -> tuple[float, ...]:
    """Return plain floats: much smaller to pickle than numpy's, with the same bits."""
    return tuple(np.asarray(values, dtype=np.float64).tolist())
