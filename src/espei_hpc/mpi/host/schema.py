"""What a recipe may hold: the keys of a YAML file on an MPI family or on one cluster."""

import datetime
from string import Template
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Strict,
    Tag,
    model_validator,
)

IMAGE_OWN = (
    "/opt/espei/bin",
    "/opt/espei/lib",
    "/opt/host-mpi",
    "/usr/local/bin",
    "/usr/bin",
    "/usr/lib/python3",
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/usr/lib64",
    "/etc/passwd",
)
"""Paths that a mount must not hide: the image could not run without them."""


def hides_image(target: str) -> bool:
    """Tell whether a mount on ``target`` would hide what the image needs of its own."""
    target = target.rstrip("/")
    return any(f"{own}/".startswith(f"{target}/") for own in IMAGE_OWN)


def _readable(text: str) -> str:
    if not Template(text).is_valid():
        raise ValueError("a $ begins the name of a variable, ${NAME}; $$ is the sign itself")
    return text


def _absolute(path: str) -> str:
    _readable(path)
    if not path.startswith(("/", "$")):
        raise ValueError("must be an absolute path, or begin with ${prefix}, ${lib} or ${VARIABLE}")
    return path


def _visible(path: str) -> str:
    if hides_image(_absolute(path)):
        raise ValueError("would hide files of the image itself; name directories further down")
    return path


def _spelled_out(value: Any) -> Any:
    """Let a path alone stand for a mount at the same path."""
    return {"source": value} if isinstance(value, str) else value


# Strict, but for the kind of sequence: YAML has lists only.
Texts = Annotated[tuple[str, ...], Strict(False)]
AbsolutePath = Annotated[str, AfterValidator(_absolute)]
Paths = Annotated[tuple[AbsolutePath, ...], Strict(False)]
VisiblePath = Annotated[str, AfterValidator(_visible)]
VisiblePaths = Annotated[tuple[VisiblePath, ...], Strict(False)]
# Told apart before either is checked, so that a fault is told once, not for both.
Value = Annotated[
    Annotated[str, AfterValidator(_readable), Tag("text")] | Annotated[Paths, Tag("paths")],
    Discriminator(lambda value: "paths" if isinstance(value, list | tuple) else "text"),
]


class RecipePart(BaseModel):
    """What all parts of a recipe have in common: no key is guessed, no value converted."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Bind(RecipePart):
    """A file or directory of the host that ranks need."""

    source: AbsolutePath = Field(description="path on the host; with `*` all that match")
    target: VisiblePath | None = Field(None, description="path in the container; the same where not given")
    writable: bool = Field(False, description="true where ranks write or lock there; else mounted read-only")

    @model_validator(mode="after")
    def _visible_at_the_same_path(self) -> Self:
        if self.target is None:
            _visible(self.source)
        return self


class Match(RecipePart):
    """How the cluster is recognised: any one pattern is enough."""

    hostname: Texts = Field((), description="patterns of host names, as in a shell")
    environment: dict[str, str] = Field({}, description="variables of the host, each with a pattern")


class Reference(RecipePart):
    """A public page that the recipe's facts are from."""

    url: str = Field(description="its address", pattern=r"^https?://\S+$")
    read: datetime.date = Field(description="the day it was read, such as 2026-11-22")
    copied: datetime.date | None = Field(
        None, description="the date of the stored copy that was read, where it is known"
    )
    says: str = Field("", description="which facts it gives")


class Recipe(RecipePart):
    """What is known of an MPI family, or of one cluster."""

    name: str = Field(description="the file's name without `.yaml`; not written in the file")
    title: str = Field(description="the name for people", min_length=1)
    kind: Literal["family", "site"] = Field("site", description="`family` of MPIs, or `site`: one cluster")
    family: Literal["openmpi", "mpich", "intel", "mvapich", "cray"] | None = Field(
        None, description="the MPI: `openmpi`, `mpich`, `intel`, `mvapich` or `cray`; not known: left out"
    )
    versions: Texts = Field((), description="beginnings of the versions meant, such as `'4.'`; none: all")
    way: Literal["hybrid", "bind"] | None = Field(
        None, description="`hybrid` or `bind`; where not given it is decided as without a recipe"
    )
    launcher: str | None = Field(
        None, description="the words that start ranks, such as `srun --mpi=pmix`", min_length=1
    )
    setup: Texts = Field((), description="lines for the job script before `espei-mpi`, such as `module load`")
    library: Paths = Field(
        (), description="the MPI library on the host, the first that is there; none: it is searched"
    )
    dlopen: Paths = Field(
        (), description="libraries that the MPI opens by name as it runs, so that no list of needs tells"
    )
    search: Paths = Field(
        (), description="directories of the host where libraries are found that the MPI needs"
    )
    plugins: VisiblePaths = Field(
        (), description="directories of plugins that the MPI looks for at its own path: bound there"
    )
    bind: Annotated[tuple[Annotated[Bind, BeforeValidator(_spelled_out)], ...], Strict(False)] = Field(
        (), description="further files and directories: a path, or `source`, `target`, `writable`"
    )
    environment: dict[str, Value] = Field(
        {}, description="variables set in the container; of a list the first path that the host has"
    )
    never: Texts = Field((), description="names of libraries to leave to the image, as patterns")
    match: Match = Field(
        Match(hostname=(), environment={}),
        description="how the cluster is recognised: `hostname`, `environment`",
    )
    scheduler: Literal["slurm", "pbs"] | None = Field(None, description="the batch system: `slurm` or `pbs`")
    cores_per_node: dict[str, Annotated[int, Field(gt=0)]] = Field(
        {}, description="cores for jobs, by the kind of node or the queue"
    )
    tested: Texts = Field((), description="what was really run, one line each")
    untested: str | None = Field(None, description="that nothing was run, and why", min_length=1)
    reference: Annotated[tuple[Reference, ...], Strict(False)] = Field(
        (), description="the pages that the facts are from: `url`, `read`, `says`"
    )
    notes: str = Field("", description="what a user should know besides")

    @property
    def remarks(self) -> tuple[str, ...]:
        """What is said where the recipe is used: that nobody has tried it, and a site's notes; one line."""
        untested = f"untested ({self.untested})" if self.untested else ""
        notes = " ".join(self.notes.split()) if self.untested or self.kind == "site" else ""
        said = "; ".join(part for part in (untested, notes) if part)
        return (f"recipe {self.name}: {said}",) if said else ()
