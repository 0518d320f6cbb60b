"""Choose how ranks get their MPI by the predicted outcome: inside, hybrid, bind or without."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from espei_hpc.errors import Fault, Refusal
from espei_hpc.exit_codes import ExitCode
from espei_hpc.mpi.host import binding, installed
from espei_hpc.mpi.host.asked import Asked, launcher_of, means_bind, means_no_bind, wanted
from espei_hpc.mpi.host.binding import Host
from espei_hpc.mpi.host.expand import Expanded, expand
from espei_hpc.mpi.host.find import HostMpi
from espei_hpc.mpi.host.image import Image
from espei_hpc.mpi.host.launcher import Launcher
from espei_hpc.mpi.host.predict import Library, Outcome, Prediction, predict
from espei_hpc.mpi.host.recipe import Recipe
from espei_hpc.mpi.host.way import Name, Way, first, inside, several
from espei_hpc.mpi.launchers import BY_KEY

__all__ = ["Way", "choose"]

_FAILS = (Outcome.SINGLETONS, Outcome.CRASH)


def choose(launcher: Launcher | None, mpis: Sequence[HostMpi], image: Image, asked: Asked, host: Host) -> Way:
    """Choose the way; one that is known to give one world is preferred to one that may.

    Args:
        launcher: the launcher; None for that of the requested MPI or recipe, else the image's own.
        mpis: the host's MPIs, in order of preference.
        image: the image.
        asked: ``auto``; ``none``: bind nothing; or an MPI or recipe to bind.
        host: the host.

    Raises:
        Refusal: (CONFIGURATION) with all ways considered, if none works.
    """
    launcher = launcher or launcher_of(asked, host)
    if launcher is None:
        return inside(image)
    return _Candidates(launcher, image, host, asked).way(mpis)


@dataclass
class _Candidates:
    """The possible ways with one launcher, and why the others are not."""

    launcher: Launcher
    image: Image
    host: Host
    asked: Asked
    faults: list[Fault] = field(default_factory=list)

    def way(self, mpis: Sequence[HostMpi]) -> Way:
        hybrids = [] if means_bind(self.asked) else list(self._hybrids())
        if found := first(hybrids, Outcome.ONE_WORLD):
            return found
        # To find and read the libraries to bind takes seconds: done only if they may be needed.
        bound = None if means_no_bind(self.asked) else self._bound(wanted(self.asked, mpis, self.host))
        if bound and (bound.outcome is Outcome.ONE_WORLD or means_bind(self.asked)):
            return bound
        # A rank that enters no world through the image's MPI joins the others without MPI, if it can.
        found = several(hybrids) or (None if means_bind(self.asked) else self._without()) or bound
        if found is None:
            raise self._refusal(mpis)
        return found

    @property
    def _site(self) -> Recipe | None:
        return self.asked if isinstance(self.asked, Recipe) else None

    def _hybrids(self) -> Iterator[Way]:
        """Yield the ways with the image's libraries; each rank chooses the one that fits."""
        site = self._site
        part = expand(site, self.host.root, self.host.environment) if site else Expanded()
        for library in self.image.libraries:
            prediction = predict(self.launcher, library)
            if prediction.outcome in _FAILS:
                self.faults.append(Fault(f"hybrid with the image's {library.name}", prediction.why))
                continue
            yield Way(
                "hybrid",
                self._line("hybrid", f"the image's {library.name}", prediction),
                self.launcher.words,
                library.family.key,
                prediction.outcome,
                tuple(part.mounts),
                {**part.variables, **prediction.variables},
                (*(site.remarks if site else ()), *_absent(part.absent)),
            )
        if not self.image.libraries:
            self.faults.append(Fault("hybrid", "the image has no MPI"))

    def _bound(self, mpis: Sequence[HostMpi]) -> Way | None:
        """Return the way with the first library of the host that can be loaded, those known to work first."""
        own = installed.prefix_of(self.launcher.path) if self.launcher.path else None
        of = [(mpi, predict(self.launcher, Library(mpi.family, mpi.version, mpi.pmi))) for mpi in mpis]
        of.sort(key=lambda pair: (pair[1].outcome is not Outcome.ONE_WORLD, pair[0].prefix != own))
        for mpi, prediction in of:
            reasons = list(self._against(mpi, prediction))
            if not reasons:
                opened = self._opened(prediction)
                bound = binding.bind(mpi, self.host, self.image.offered, self._site, opened)
                reasons = list(bound.lacking)
            if reasons:
                self.faults += [Fault(f"bind {mpi.name} of {mpi.prefix}", reason) for reason in reasons]
                continue
            dropped = (
                f"plugin {path} cannot be loaded in the image and is skipped" for path in bound.dropped
            )
            return Way(
                "bind",
                self._line("bind", f"the host's {mpi.name} of {mpi.prefix}", prediction),
                self.launcher.words,
                mpi.family.key,
                prediction.outcome,
                bound.mounts,
                {**bound.variables, **prediction.variables},
                (*bound.remarks, *dropped, *_absent(bound.absent)),
            )
        return None

    def _against(self, mpi: HostMpi, prediction: Prediction) -> Iterator[str]:
        """Yield reasons against an MPI that are known before its dependencies are read."""
        needs = prediction.variables.get("I_MPI_PMI_LIBRARY")
        if prediction.outcome in _FAILS:
            yield prediction.why
        elif mpi.soname.rpartition(".so.")[2].split(".")[0] not in ("12", "40"):
            yield f"its library is {mpi.soname}; mpi4py knows libmpi.so.12 and libmpi.so.40"
        elif needs and not self._opened(prediction):
            yield f"it needs {needs}, which is not found where the launcher is installed"

    def _opened(self, prediction: Prediction) -> tuple[PurePosixPath, ...]:
        """Find the PMI library that a variable names for the MPI to open."""
        name = prediction.variables.get("I_MPI_PMI_LIBRARY")
        if not name or not self.launcher.path:
            return ()
        prefix = installed.prefix_of(self.launcher.path)
        multiarch = ("lib/*-linux-gnu", "lib/*-linux-gnu/pmix*/lib")
        for place in ("lib", "lib64", "lib/openmpi", "lib/pmix", *multiarch):
            if found := self.host.root.glob(prefix / place / name):
                return found[:1]
        return ()

    def _without(self) -> Way | None:
        known = BY_KEY.get(self.launcher.kind)
        if known is None or not known.numbers_ranks:
            return None
        line = f"MPI: none: host's {self.launcher.name} sets rank and size, and the ranks connect without MPI"
        notes = [str(fault) for fault in self.faults]
        if kind := self._better_pmi(self.image.libraries):
            notes.append(f"with --mpi={kind} they would use the image's MPI")
        return Way("without", line, self.launcher.words, None, Outcome.ONE_WORLD, notes=tuple(notes))

    def _better_pmi(self, libraries: Iterable[Library]) -> str | None:
        """Return a kind of PMI that srun offers and that would give one world."""
        for kind in self.launcher.offers:
            other = replace(self.launcher, pmi=(kind,), chosen=True)
            if any(predict(other, library).outcome is Outcome.ONE_WORLD for library in libraries):
                return kind
        return None

    def _line(self, way: Name, library: str, prediction: Prediction) -> str:
        line = f"MPI: {way}: host's {self.launcher.name} starts the ranks, each loads {library}"
        if prediction.outcome is Outcome.UNKNOWN:
            line += f"; whether they form one world is checked at the start: {prediction.why}"
        return line

    def _refusal(self, mpis: Iterable[HostMpi]) -> Refusal:
        of_host = [self.asked] if isinstance(self.asked, HostMpi) else mpis
        libraries = [Library(mpi.family, mpi.version, mpi.pmi) for mpi in of_host]
        if not means_bind(self.asked):
            libraries += self.image.libraries
        if kind := self._better_pmi(libraries):
            cure = f"use {self.launcher.words[0]} --mpi={kind}"
        elif means_bind(self.asked):
            cure = "use that MPI's own launcher, or --host-mpi auto, which uses the image's MPI if it fits"
        else:
            cure = "use an image built with MPI=both, or a launcher of an MPI in the image"
        last = Fault("MPI", f"no MPI found that works with the host's {self.launcher.name}", cure)
        return Refusal(ExitCode.CONFIGURATION, [*self.faults, last])


def _absent(paths: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"this host does not have {path}, which the recipe names" for path in paths)
