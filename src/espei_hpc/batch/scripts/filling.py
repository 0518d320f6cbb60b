"""Fill a job script from the options, the site's recipe, the inputs and defaults, in this order."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from espei_hpc.batch.scripts.inputs import JobInputs, examine
from espei_hpc.batch.scripts.job import JobScript
from espei_hpc.batch.scripts.kinds import KINDS
from espei_hpc.batch.systems import SUBMISSIONS
from espei_hpc.containers import sif
from espei_hpc.errors import Fault, Refusal
from espei_hpc.exit_codes import ExitCode
from espei_hpc.mpi.host import recipe as recipes
from espei_hpc.mpi.host.recipe import Recipe

CORES = 32
"""Default number of cores of a node."""
HOURS = 24.0
MOST_WORKERS_PER_WALKER = 4
"""Upper limit; espei-hpc plan considers no more workers either."""


@dataclass(frozen=True)
class Asked:
    """The user's options; None for a default.

    Attributes:
        system: the batch system, one of ``SUBMISSIONS``.
        kind: kind of the script.
        inputs: ESPEI's inputs.
        image: file of the image.
        account: account to charge.
        nodes: number of nodes.
        ranks_per_node: number of ranks per node.
        hours: walltime in hours.
        site: name or file of the cluster's recipe; None to detect it.
        dialect: one of those of the batch system, if it has several.
        user_code: directory of the user's Python modules; None for none.
    """

    system: str
    kind: str
    inputs: tuple[Path, ...]
    image: str | None = None
    account: str | None = None
    nodes: int | None = None
    ranks_per_node: int | None = None
    hours: float | None = None
    site: str | None = None
    dialect: str = ""
    user_code: Path | None = None


def file_name(asked: Asked, example: bool) -> str:
    """Return the file name of the script: for an example its kind, else next to the input."""
    ending = SUBMISSIONS[asked.system].ending
    if example or asked.kind in ("array", "chain"):
        return f"{asked.kind}.{ending}"
    return str(asked.inputs[0].with_suffix(f".{ending}")) if asked.inputs else ""


def fill(
    asked: Asked, script: str, hostname: str, environment: Mapping[str, str]
) -> tuple[JobScript, list[str]]:
    """Return the values for the script, and notes for the user, one line each.

    Args:
        asked: the user's options.
        script: file of the script.
        hostname: of this host, to detect the recipe of the cluster.
        environment: of this process: file of the image, the user's recipes, the site's variables.

    Raises:
        Refusal: with all faults of options, recipe and inputs at once.
    """
    faults: list[Fault] = []
    codes = []
    site, inputs = None, JobInputs()
    try:
        site = _site(asked, hostname, environment)
    except Refusal as refusal:
        codes.append(refusal.code)
        faults += refusal.faults
    job = _job(asked, script, site, environment)
    wrong = [*_against_site(asked, site), *job.faults()]
    faults += wrong
    least, most = KINDS[asked.kind].inputs
    if least <= len(asked.inputs) <= most:
        try:
            inputs = examine(asked.kind, asked.inputs, asked.user_code)
        except Refusal as refusal:
            codes.append(refusal.code)
            faults += refusal.faults
    if faults:
        raise Refusal(ExitCode.USAGE if wrong or not codes else codes[0], faults)
    return _fitted(job, asked, inputs)


def _site(asked: Asked, hostname: str, environment: Mapping[str, str]) -> Recipe | None:
    if asked.site is not None:
        return recipes.load(asked.site, environment)
    return recipes.for_site(recipes.all_recipes(environment), hostname, environment)


def _job(asked: Asked, script: str, site: Recipe | None, environment: Mapping[str, str]) -> JobScript:
    kind = KINDS[asked.kind]
    own = sif(environment)
    setup = site.setup if site else ()
    loads = " ".join(setup)
    outside = asked.kind != "image-mpi"
    return JobScript(
        system=asked.system,
        kind=asked.kind,
        inputs=tuple(map(str, asked.inputs)),
        image=asked.image or own or "espei.sif",
        account=asked.account,
        nodes=kind.nodes if asked.nodes is None else asked.nodes,
        ranks_per_node=_cores(site) if asked.ranks_per_node is None else asked.ranks_per_node,
        hours=HOURS if asked.hours is None else asked.hours,
        script=script,
        dialect=asked.dialect,
        user_code=str(asked.user_code) if asked.user_code else None,
        setup=setup,
        launcher=site.launcher if site and outside else None,
        # A recipe with nothing but the number of cores is not needed by the ranks.
        host_mpi=(asked.site or site.name) if site and site.way and outside else None,
        engine="singularity" if "singularity" in loads and "apptainer" not in loads else "apptainer",
    )


def _cores(site: Recipe | None) -> int:
    """Return the smallest number of cores of a site's nodes; for larger nodes the user gives the number."""
    return min(site.cores_per_node.values(), default=CORES) if site else CORES


def _against_site(asked: Asked, site: Recipe | None) -> list[Fault]:
    faults = []
    if site and site.scheduler and site.scheduler != asked.system:
        what = f"{site.title} has {site.scheduler}, not {asked.system}"
        faults.append(Fault("--site", what, f"use espei-hpc job {site.scheduler} …"))
    if site and site.cores_per_node and asked.ranks_per_node is not None:
        most = max(site.cores_per_node.values())
        if asked.ranks_per_node > most:
            what = f"{asked.ranks_per_node}, but a node of {site.title} has at most {most} cores"
            faults.append(Fault("--ranks-per-node", what))
    return faults


def _fitted(job: JobScript, asked: Asked, inputs: JobInputs) -> tuple[JobScript, list[str]]:
    """Return the job, reduced to what its input can use if no size was given, and notes."""
    notes = []
    job = dataclasses.replace(job, scheduler_file=inputs.scheduler_file or job.scheduler_file)
    useful = MOST_WORKERS_PER_WALKER * inputs.walkers + 1 if inputs.walkers else job.ranks
    if job.ranks > useful and job.nodes == 1 and asked.ranks_per_node is None:
        job = dataclasses.replace(job, ranks_per_node=useful)
    elif job.ranks > useful:
        notes.append(
            f"{job.ranks} ranks are more than {inputs.walkers} walkers can use; "
            "run espei-hpc plan to find a good number"
        )
    return job, notes
