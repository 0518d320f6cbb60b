"""Options that several commands have."""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

from espei_hpc import batch, user_code

if TYPE_CHECKING:
    from espei_hpc.fit.opening import Engine
    from espei_hpc.inputs.search import Search
    from espei_hpc.sampler.goal import Goal

HIGHEST_PORT = 65535
Command = TypeVar("Command", bound=Callable[..., Any])


def run_directory(input_file: Path, given: Path | None = None, search: "Search | None" = None) -> Path:
    """Return the run directory: the given one, else ``NAME.run`` or, of a search, ``NAME.optimum.run``."""
    return given or input_file.resolve().with_suffix(".optimum.run" if search else ".run")


run_dir_option = click.option(
    "--run-dir", type=click.Path(path_type=Path), help="Run directory [default: NAME.run next to the input]."
)
id_option = click.option("--id", "cluster_id", help="ID of the cluster start in the run directory.")
scheduler_file_option = click.option(
    "--scheduler-file", type=click.Path(path_type=Path), help="Scheduler file of a running cluster."
)
workers_option = click.option("-w", "--workers", type=click.IntRange(1), help="Workers to wait for.")
min_workers_option = click.option(
    "--min-workers", type=click.IntRange(1), help="After the timeout, continue with at least N workers."
)
timeout_option = click.option(
    "--timeout", type=click.FloatRange(min=0), help="Seconds to wait for the cluster."
)


engine_option = click.option(
    "--engine",
    type=click.Choice(["graph", "espei"]),
    default="graph",
    show_default=True,
    help="graph: espei-hpc's sampler: same chain, faster, resumable. espei: ESPEI's loop, for comparison.",
)
sampler_option = click.option(
    "--sampler",
    type=click.Choice(["stretch", "de", "laplace"]),
    default="stretch",
    show_default=True,
    help="stretch: emcee's move, ESPEI's chain. de: differential evolution, fewer iterations. laplace: "
    "around the best fit, far fewer if the fit is nearly Gaussian (espei-hpc help samplers).",
)
force_new_option = click.option(
    "--force-new", is_flag=True, help="Start a new chain; move the files of the earlier one aside."
)


def _without_verify(context: click.Context, _: click.Parameter, stock: bool) -> bool:
    if stock and context.get_parameter_source("verify") is ParameterSource.COMMANDLINE:
        raise click.UsageError(
            "--verify checks the prepared likelihood, which --stock-likelihood turns off: give one of them"
        )
    return stock


verify_option = click.option(
    "--verify",
    type=click.IntRange(1),
    metavar="N",
    is_eager=True,
    envvar="ESPEI_HPC_VERIFY",
    show_envvar=True,
    help="Compare one in N evaluations of the prepared likelihood with ESPEI's own [default: 500].",
)
stock_likelihood_option = click.option(
    "--stock-likelihood",
    is_flag=True,
    callback=_without_verify,
    help="Evaluate with ESPEI's own functions only: same chain, slower.",
)

requeue_option = click.option(
    "--requeue",
    metavar="N",
    type=click.IntRange(0),
    help="At the end, write to RUN_DIR/requeue whether a job script should restart the fit, at most N times.",
)


def _goal(_: click.Context, __: click.Parameter, text: str | None) -> "Goal | None":
    from espei_hpc.sampler.goal import Goal

    try:
        return None if text is None else Goal.parse(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


until_option = click.option(
    "--until",
    "goal",
    metavar="ess=N",
    callback=_goal,
    help="Stop when the effective sample size of every parameter reaches N [default: run all iterations].",
)


optimize_option = click.option(
    "--optimize", is_flag=True, help="Search for the best fit by least squares; do not sample."
)
starts_option = click.option(
    "--starts",
    type=click.IntRange(1),
    metavar="N",
    help="With --optimize: search from N points: the database's values, then starting walkers [default: 1].",
)
database_option = click.option(
    "--database",
    type=click.Path(path_type=Path),
    metavar="X.tdb",
    help="With --optimize: fit this database [default: the input's].",
)


def search(
    optimize: bool,
    starts: int | None,
    database: Path | None,
    engine: "Engine",
    goal: "Goal | None",
    sampler: str,
) -> "Search | None":
    """Return the search that is asked for; None to sample.

    Raises:
        UsageError: if options are given that do not go together.
    """
    from espei_hpc.inputs.search import Search
    from espei_hpc.sampler.moves import STRETCH

    if not optimize:
        if starts is not None or database is not None:
            raise click.UsageError("--starts and --database need --optimize")
        return None
    if engine == "espei" or goal is not None or sampler != STRETCH:
        raise click.UsageError("--optimize does not sample: leave out --engine, --sampler and --until")
    return Search(starts or 1, database)


def check_engine(engine: "Engine", goal: "Goal | None", sampler: str) -> None:
    """Raise a usage error if this engine cannot stop at a goal, or lacks the sampler."""
    if engine != "espei":
        return
    if goal is not None:
        raise click.UsageError(
            "--engine espei always runs all of mcmc.iterations: leave out --until, or --engine espei"
        )
    if sampler != "stretch":
        raise click.UsageError(
            f"--engine espei has only the sampler stretch: leave out --sampler {sampler}, or --engine espei"
        )


def _job_end(_: click.Context, __: click.Parameter, text: str | None) -> batch.JobEnd | None:
    """Return when the job ends: by the option, else by the batch system; None if neither gives it."""
    if text is None:
        known = batch.job_end(os.environ)
        # An end in the past: the job was extended, or the variables are another job's.
        return known if known is not None and known.left > 0 else None
    end = batch.from_duration(text, "--time-left", os.environ)
    if end is None:
        raise click.BadParameter(f"{text!r} is not a time; write 3600, 11:59:00 or 1-12:00:00")
    return end


time_left_option = click.option(
    "--time-left",
    "end",
    metavar="TIME",
    callback=_job_end,
    help="Stop before this much time has passed: seconds or [days-]h:min:s [default: time left of the job].",
)
interface_option = click.option("--interface", metavar="NAME", help="Network interface for the cluster.")

worker_interface_option = click.option(
    "--worker-interface", metavar="NAME", help="Network interface for the workers [default: --interface]."
)
scheduler_port_option = click.option(
    "--scheduler-port", type=click.IntRange(1, HIGHEST_PORT), help="Port of the scheduler [default: any]."
)


def _port_range(_: click.Context, __: click.Parameter, text: str | None) -> str | None:
    found = re.fullmatch("([0-9]+):([0-9]+)", text or "1:1")
    if not found or not 1 <= int(found[1]) <= int(found[2]) <= HIGHEST_PORT:
        raise click.BadParameter(f"{text!r} is no range of ports; write 9000:9031")
    return text


worker_ports_option = click.option(
    "--worker-ports",
    metavar="FIRST:LAST",
    callback=_port_range,
    help="Ports of the workers, one for each on a host [default: any].",
)


def _usable_code(_: click.Context, __: click.Parameter, directory: Path | None) -> Path | None:
    if directory is not None:
        user_code.use(directory)
    return directory


user_code_option = click.option(
    "--user-code",
    metavar="DIR",
    type=click.Path(path_type=Path),
    # Before anything imports ESPEI.
    callback=_usable_code,
    help="Directory of your own Python modules that the input names.",
)
insecure_option = click.option(
    "--insecure", is_flag=True, help="Do not encrypt; listen on loopback unless --interface is given."
)

OF_THE_FIT = (
    "min_workers",
    "timeout",
    "end",
    "engine",
    "sampler",
    "goal",
    "verify",
    "stock_likelihood",
    "optimize",
    "starts",
    "database",
    "user_code",
    "requeue",
)
"""Parameters of ``options_of_the_fit`` that do not depend on where the fit begins."""


def options_of_the_fit(command: Command) -> Command:
    """Add the options that a fit has wherever its cluster comes from."""
    for option in reversed(
        (
            min_workers_option,
            timeout_option,
            time_left_option,
            engine_option,
            sampler_option,
            until_option,
            force_new_option,
            verify_option,
            stock_likelihood_option,
            optimize_option,
            starts_option,
            database_option,
            user_code_option,
            requeue_option,
        )
    ):
        command = option(command)
    return command
