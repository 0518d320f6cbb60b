"""The schema of a recipe: the keys of a YAML file for an MPI family or a cluster."""

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
"""Paths that a mount must not hide, because the image needs them."""


def hides_image(target: str) -> bool:
    """Whether a mount on ``target`` would hide files that the image needs."""
    target = target.rstrip("/")
    return any(f"{own}/".startswith(f"{target}/") for own in IMAGE_OWN)


def _readable(text: str) -> str:
    if not Template(text).is_valid():
        raise ValueError("write a variable as ${NAME}, and a literal $ as $$")
    return text


def _absolute(path: str) -> str:
    _readable(path)
    if not path.startswith(("/", "$")):
        raise ValueError("must be an absolute path, or begin with ${prefix}, ${lib} or ${VARIABLE}")
    return path


def _visible(path: str) -> str:
    if hides_image(_absolute(path)):
        raise ValueError("would hide files of the image; name subdirectories")
    return path


def _spelled_out(value: Any) -> Any:
    """Convert a path into a mount at the same path."""
    return {"source": value} if isinstance(value, str) else value


# Strict, except for the type of sequences: YAML has only lists.
Texts = Annotated[tuple[str, ...], Strict(False)]
AbsolutePath = Annotated[str, AfterValidator(_absolute)]
Paths = Annotated[tuple[AbsolutePath, ...], Strict(False)]
VisiblePath = Annotated[str, AfterValidator(_visible)]
VisiblePaths = Annotated[tuple[VisiblePath, ...], Strict(False)]
# Distinguished before validation, so that an error is reported once, not for both types.
Value = Annotated[
    Annotated[str, AfterValidator(_readable), Tag("text")] | Annotated[Paths, Tag("paths")],
    Discriminator(lambda value: "paths" if isinstance(value, list | tuple) else "text"),
]


class RecipePart(BaseModel):
    """Base of all parts of a recipe: unknown keys are refused, values are not converted."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Bind(RecipePart):
    """A file or directory of the host that ranks need."""

    source: AbsolutePath = Field(description="path on the host; with `*` all that match")
    target: VisiblePath | None = Field(None, description="path in the container; default: the same")
    writable: bool = Field(
        False, description="true if ranks write or lock files there; else mounted read-only"
    )

    @model_validator(mode="after")
    def _visible_at_the_same_path(self) -> Self:
        if self.target is None:
            _visible(self.source)
        return self


class Match(RecipePart):
    """How the cluster is recognised: one matching pattern is enough."""

    hostname: Texts = Field((), description="shell patterns of host names")
    environment: dict[str, str] = Field({}, description="variables of the host, each with a pattern")


class Reference(RecipePart):
    """A public page that is a source of the recipe."""

    url: str = Field(description="its address", pattern=r"^https?://\S+$")
    read: datetime.date = Field(description="the date on which it was read, such as 2026-11-22")
    copied: datetime.date | None = Field(
        None, description="the date of the stored copy that was read, if known"
    )
    says: str = Field("", description="the facts taken from it")


class Recipe(RecipePart):
    """A recipe for an MPI family or a cluster."""

    name: str = Field(description="the file's name without `.yaml`; not written in the file")
    title: str = Field(description="the name shown to users", min_length=1)
    kind: Literal["family", "site"] = Field(
        "site", description="`family` (an MPI family) or `site` (a cluster)"
    )
    family: Literal["openmpi", "mpich", "intel", "mvapich", "cray"] | None = Field(
        None, description="the MPI: `openmpi`, `mpich`, `intel`, `mvapich` or `cray`; leave out if not known"
    )
    versions: Texts = Field((), description="prefixes of the versions, such as `'4.'`; default: all")
    way: Literal["hybrid", "bind"] | None = Field(
        None, description="`hybrid` or `bind`; default: chosen as without a recipe"
    )
    launcher: str | None = Field(
        None, description="the launcher command, such as `srun --mpi=pmix`", min_length=1
    )
    setup: Texts = Field((), description="lines for the job script before `espei-mpi`, such as `module load`")
    library: Paths = Field(
        (), description="the MPI library on the host, the first path that exists; default: it is searched"
    )
    dlopen: Paths = Field(
        (),
        description="libraries that the MPI opens by name at run time, which are not among its dependencies",
    )
    search: Paths = Field(
        (), description="directories of the host in which the MPI's dependencies are searched"
    )
    plugins: VisiblePaths = Field((), description="plugin directories of the MPI, mounted at the same path")
    bind: Annotated[tuple[Annotated[Bind, BeforeValidator(_spelled_out)], ...], Strict(False)] = Field(
        (), description="further files and directories: a path, or `source`, `target`, `writable`"
    )
    environment: dict[str, Value] = Field(
        {}, description="variables set in the container; from a list, the first path that exists on the host"
    )
    never: Texts = Field((), description="patterns of library names that are always taken from the image")
    match: Match = Field(
        Match(hostname=(), environment={}),
        description="how the cluster is recognised: `hostname`, `environment`",
    )
    scheduler: Literal["slurm", "pbs"] | None = Field(None, description="the batch system: `slurm` or `pbs`")
    cores_per_node: dict[str, Annotated[int, Field(gt=0)]] = Field(
        {}, description="cores per node available to jobs, by node type or queue"
    )
    tested: Texts = Field((), description="what was run, one line each")
    untested: str | None = Field(None, description="that nothing was run, and why", min_length=1)
    reference: Annotated[tuple[Reference, ...], Strict(False)] = Field(
        (), description="the sources: `url`, `read`, `says`"
    )
    notes: str = Field("", description="further notes for users")

    @property
    def remarks(self) -> tuple[str, ...]:
        """The line to print if the recipe is used: that it is untested, and the notes of a site."""
        untested = f"untested ({self.untested})" if self.untested else ""
        notes = " ".join(self.notes.split()) if self.untested or self.kind == "site" else ""
        said = "; ".join(part for part in (untested, notes) if part)
        return (f"recipe {self.name}: {said}",) if said else ()
