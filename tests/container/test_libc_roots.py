"""Each MPI at hand, and those of an older and a newer host, bound into images of older and newer libc.

What the loader of such an image objects to is what was predicted, no more and no less.
"""

import json
import platform
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path, PurePosixPath

import pytest

from container.conftest import Apptainer
from container.libc_roots import HOSTS, IMAGES, Roots
from elf_support import SYSTEM, WHEELS
from espei_hpc.errors import Refusal
from espei_hpc.exit_codes import ExitCode
from espei_hpc.mpi.host import binding, find, libc, ways
from espei_hpc.mpi.host.binding import Binding, Host
from espei_hpc.mpi.host.elf import newest
from espei_hpc.mpi.host.expand import expand
from espei_hpc.mpi.host.find import HostMpi
from espei_hpc.mpi.host.image import Image
from espei_hpc.mpi.host.launcher import Launcher, identify
from espei_hpc.mpi.host.options import Mount, options
from espei_hpc.mpi.host.predict import Library, Outcome, predict
from espei_hpc.mpi.host.recipe import all_recipes, for_family
from espei_hpc.mpi.host.root import Root
from espei_hpc.mpi.host.way import Way
from mpi_support import HERE, LAUNCHERS, MORE_RANKS_THAN_CORES, path_of
from needs import require
from support import Commands, Result

RANKS = 3
THIS = platform.freedesktop_os_release().get("VERSION_CODENAME", "")
"""The release of this machine, of whose packages it has its MPIs."""
MAY_WORK = (Outcome.ONE_WORLD, Outcome.UNKNOWN)
# The image's own extension modules need libraries that the host's closure may hold as well.
WORLD = f"""
from mpi4py.MPI import COMM_WORLD as world
import bz2, ctypes, lzma, sqlite3, ssl, zlib
message = bytearray(b"x" * 2_000_000) if world.rank == 0 else bytearray(2_000_000)
world.Bcast(message)
if world.size == {RANKS} and message.count(b"x") == 2_000_000:
    print("one world\\n", end="", flush=True)
"""
# Each in a process of its own, where no library of another serves it.
LOAD = """
import ctypes, json, os, sys
try:
    ctypes.CDLL(os.environ["MPI4PY_LIBMPI"], ctypes.RTLD_GLOBAL)
except OSError:
    pass
for path in sys.argv[1:]:
    sys.stdout.flush()
    if os.fork() == 0:
        try:
            ctypes.CDLL(path)
        except OSError as error:
            print(json.dumps([path, str(error)]), flush=True)
        os._exit(0)
    assert os.wait()[1] == 0, path
print("all tried")
"""

Objection = tuple[PurePosixPath, str, frozenset[str]]
"""The host's own file, the library it needs, and the newest version of each kind that it lacks there."""


@dataclass(frozen=True)
class Cell:
    """One MPI of a host with one image.

    Attributes:
        image: the directory of the image.
        mpi: what is bound.
        host: of the MPI; but for this machine itself only a directory.
        program: the launcher, always this machine's.
        newer: whether the MPI was built for a newer release than the image's.
    """

    image: Path
    mpi: HostMpi
    host: Host
    program: Path
    newer: bool

    @cached_property
    def offered(self) -> libc.Versions:
        return libc.image_libc(Root(self.image))

    @cached_property
    def bound(self) -> Binding:
        return binding.bind(self.mpi, self.host, self.offered)

    @cached_property
    def interface(self) -> tuple[PurePosixPath, ...]:
        """The MPI's interface in C++, in the place of what else in C++ an MPI may open."""
        name = {"openmpi": "libmpi_cxx.so.40", "mpich": "libmpichcxx.so.12"}.get(self.mpi.family.key)
        path = self.mpi.library.parent / str(name)
        return (path,) if self.host.root.exists(path) else ()

    @cached_property
    def with_interface(self) -> Binding:
        return binding.bind(self.mpi, self.host, self.offered, more=self.interface)

    @cached_property
    def plugins(self) -> tuple[str, ...]:
        recipe = for_family(self.host.recipes, self.mpi.family.key, self.mpi.version)
        assert recipe
        root = self.host.root
        tops = expand(recipe, root, {}, self.mpi.library, self.mpi.prefix).plugins
        found = ((top, path) for top in tops for path in root.local(top).rglob("*.so*"))
        return tuple(dict.fromkeys(str(top / path.relative_to(root.local(top))) for top, path in found))

    def chosen(self) -> Way:
        launcher = _identified(self.program)
        return ways.choose(launcher, [self.mpi], Image((), self.offered), self.mpi, self.host)

    def words(self, mounts: Iterable[Mount], variables: Mapping[str, str]) -> list[str | Path]:
        """Return what runs words in the image, with the options as they are told to users."""
        # Of a host that is only a directory the paths are those in it.
        here = [replace(mount, source=str(self.host.root.local(mount.source))) for mount in mounts]
        return ["apptainer", "--quiet", "exec", *options("apptainer", here, variables), self.image]

    def host_file(self, bound: Binding, path: str) -> PurePosixPath:
        """Return the file of the host that is at a path in the container."""
        sources = {mount.target: mount.source for mount in bound.mounts}
        return self.real(sources.get(path, path))

    def real(self, path: str | PurePosixPath) -> PurePosixPath:
        return self.host.root.real(path) or PurePosixPath(path)


@pytest.fixture(scope="session")
def roots() -> Iterator[Roots]:
    """All roots, in a directory that any user may read."""
    require("Apptainer", "mmdebstrap", "Debian's MPIs")
    with tempfile.TemporaryDirectory(prefix="espei-hpc-test-") as place:
        Path(place).chmod(0o755)
        yield Roots(Path(place))


MPIS = [
    *(("here", str(launcher)) for launcher in LAUNCHERS),
    *((suite, family) for suite in HOSTS for family in ("openmpi", "mpich")),
]
"""MPIs of this host, by their launchers, and those of others, by their families."""
BETWEEN = "bookworm"
"""The image that is older than one host and newer than the other."""


# Module: what is read of a pair serves all tests of it.
@pytest.fixture(
    scope="module",
    params=[
        pytest.param(
            (image, *mpi),
            id=" ".join((image, *mpi)),
            # The host's own wheels are in the table of test_host_mpi.py.
            marks=[] if image == BETWEEN and not mpi[1].startswith(str(WHEELS)) else pytest.mark.long,
        )
        for image in IMAGES
        for mpi in MPIS
    ],
)
def cell(request: pytest.FixtureRequest, roots: Roots) -> Cell:
    """Every MPI with every image."""
    image, place, name = request.param
    return _cell(roots, image, place, name)


def _cell(roots: Roots, image: str, place: str, name: str) -> Cell:
    root = HERE if place == "here" else Root(roots.host(place))
    host = Host(root, {}, all_recipes({"HOME": "/nonexistent"}))
    if place == "here":
        program = Path(name)
        mpi = find.at(root, name, {"PATH": path_of(program)}, _identified(program))
    else:
        mpi = next(mpi for mpi in find.find(root, {}) if mpi.family.key == name)
        program = next(program for program in LAUNCHERS if _fits(program, mpi))
    wheel = mpi.prefix.is_relative_to(WHEELS)  # for any release since long ago
    releases = list(IMAGES)
    age = 0 if wheel else releases.index(THIS if place == "here" else place)
    return Cell(roots.image(image), mpi, host, program, newer=age > releases.index(image))


def _identified(program: Path) -> Launcher:
    return identify(HERE, [str(program)], {"PATH": path_of(program)})


def _fits(program: Path, mpi: HostMpi) -> bool:
    launcher = _identified(program)
    outcome = predict(launcher, Library(mpi.family, mpi.version, mpi.pmi)).outcome
    return launcher.kind == mpi.family.key and outcome in MAY_WORK


@pytest.fixture
def user(commands: Commands, open_place: Path) -> Iterator[Apptainer]:
    """An ordinary user of Apptainer, with a home."""
    with tempfile.TemporaryDirectory(dir=open_place) as home:
        Path(home).chmod(0o777)
        commands.directory = Path(home)
        yield Apptainer(commands, Path())


def start(user: Apptainer, cell: Cell, container: list[str | Path], **env: str) -> Result:
    """Start ranks in the image."""
    env = {"PATH": path_of(cell.program), **MORE_RANKS_THAN_CORES, **env}
    ranks: list[str | Path] = [cell.program, "-n", str(RANKS), *container, "python3", "-c", WORLD]
    # The tests' own mpi4py must not look for an MPI; the ranks' must.
    return user.host("env", "--unset=MPI4PY_MPIABI", "--unset=MPI4PY_RC_INITIALIZE", *ranks, env=env)


def objections(cell: Cell, bound: Binding, output: str) -> set[Objection]:
    """Read what a loader objects to, as ldd prints all of it and a failing start the first."""
    found: dict[tuple[PurePosixPath, str], set[str]] = {}
    for library, version, by in re.findall(r"(\S+): version `(\S+)' not found \(required by (\S+)\)", output):
        found.setdefault((cell.host_file(bound, by), Path(library).name), set()).add(version)
    return {(*key, _newest(versions)) for key, versions in found.items()}


def predicted(cell: Cell, bound: Binding) -> set[Objection]:
    """Read what was said to lack."""
    found = set()
    for line in bound.lacking:
        match = re.fullmatch(r"\S+ \((\S+)\) needs (.*) of (\S+); the image's has .*", line)
        assert match, line
        found.add((cell.real(match[1]), match[3], _newest(match[2].split(", "))))
    return found


def _newest(versions: Iterable[str]) -> frozenset[str]:
    kinds = newest(versions)
    return frozenset(f"{kind} {number}" for kind, number in kinds.items()) or frozenset(versions)


def test_loader_objects_to_what_was_predicted_and_nothing_else(cell: Cell, user: Apptainer) -> None:
    bound = cell.with_interface
    inside = [
        bound.variables["MPI4PY_LIBMPI"],
        *(f"{binding.LIBRARIES}/{path.name}" for path in cell.interface),
    ]
    listed = user.host(*cell.words(bound.mounts, bound.variables), "ldd", *inside).output
    assert "libc.so.6 => " in listed, listed
    assert "=> not found" not in listed
    assert objections(cell, bound, listed) == predicted(cell, bound), listed


def test_ranks_form_one_world_or_end_by_what_was_predicted(cell: Cell, user: Apptainer) -> None:
    lacking = predicted(cell, cell.bound)
    # As sure as the packages of a release are built with its own C library.
    assert bool(lacking) == cell.newer
    if lacking:
        with pytest.raises(Refusal) as refusal:
            cell.chosen()
        assert refusal.value.code is ExitCode.CONFIGURATION
        assert all(line in str(refusal.value) for line in cell.bound.lacking)
        result = start(user, cell, cell.words(cell.bound.mounts, cell.bound.variables))
        first = objections(cell, cell.bound, result.output)
        assert first, result.output
        assert {item[:2] for item in first} <= {item[:2] for item in lacking}
        assert "one world" not in result.output
    else:
        way = cell.chosen()
        assert way.outcome in MAY_WORK
        result = start(user, cell, cell.words(way.mounts, way.variables))
        assert result.output.count("one world\n") == RANKS, result.output


def test_plugins_said_to_be_left_out_are_those_that_cannot_load(cell: Cell, user: Apptainer) -> None:
    dropped = set(map(cell.real, cell.bound.dropped))
    assert len(dropped) == len(cell.bound.dropped), "each is told of once"
    assert _cannot_load(cell, user, cell.plugins, cell.bound.variables) == dropped
    # Nor is it for want of a library that could have been bound.
    system = str(SYSTEM).removeprefix("/usr")
    after = [f"{place}{prefix}{system}" for place in ("", "/host") for prefix in ("", "/usr")]
    path = ":".join([cell.bound.variables["LD_LIBRARY_PATH"], *after])
    variables = {**cell.bound.variables, "LD_LIBRARY_PATH": path}
    assert _cannot_load(cell, user, sorted(map(str, dropped)), variables) == dropped


def _cannot_load(
    cell: Cell, user: Apptainer, plugins: Iterable[str], variables: Mapping[str, str]
) -> set[PurePosixPath]:
    words = cell.words([*cell.bound.mounts, Mount("/", "/host")], variables)
    result = user.host(*words, "python3", "-c", LOAD, *plugins)
    assert result.output.endswith("all tried\n"), result.output
    failed = [json.loads(line) for line in result.output.splitlines() if line.startswith("[")]
    # Symbols of another plugin are wanting everywhere until that one is there.
    return {cell.real(path) for path, error in failed if "undefined symbol" not in error}


def test_nothing_that_the_image_has_is_hidden(cell: Cell) -> None:
    targets = [PurePosixPath(mount.target) for mount in cell.bound.mounts]
    assert targets
    assert not [path for path in targets if Root(cell.image).exists(path)]


def test_open_mpi_over_an_old_ucx_reaches_ranks_in_user_namespaces_of_their_own(
    roots: Roots, user: Apptainer
) -> None:
    cell = _cell(roots, BETWEEN, "bullseye", "openmpi")
    way = cell.chosen()
    # Debian's own settings leave UCX out; those of clusters with InfiniBand do not.
    ucx = {f"OMPI_MCA_opal_common_ucx_{what}": "any" for what in ("tls", "devices")}
    result = start(user, cell, cell.words(way.mounts, way.variables), OMPI_MCA_pml="ucx", **ucx)
    assert result.output.count("one world\n") == RANKS, result.output
