"""Checks of an input and all files it names, before anything starts."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from espei_hpc.inputs.checks import Checks
from espei_hpc.inputs.findings import Findings
from espei_hpc.inputs.quiet import quiet
from espei_hpc.inputs.reading import parse_input
from espei_hpc.inputs.sampling import note_overridden
from espei_hpc.inputs.settings import Settings, check_settings


@dataclass(frozen=True)
class Problem:
    """A checked input that is ready to run.

    Attributes:
        path: the input file.
        settings: ESPEI's settings with defaults, as plain data for ``run_espei``.
        generates: whether parameters are generated from the data.
        samples: whether MCMC runs.
        symbols: the symbols to fit, in ESPEI's order; empty if they are still
            to be generated.
        walkers: number of walkers; None if the symbols are unknown.
        iterations: number of MCMC iterations; 0 without MCMC.
        save_interval: maximum number of iterations between two checkpoints;
            None if the user does not set it.
        output_db: the database to write.
        trace: file of the samples; None to write none.
        lnprob: file of their log-probabilities; None to write none.
        user_code: directory of the user's Python modules; None for none.
        outside: numbers of the walkers that start where a prior has zero probability, counted from 1.
        notes: what is overridden or ignored, one line each.
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
    user_code: Path | None
    outside: tuple[int, ...]
    notes: tuple[str, ...]


def check(
    path: Path | str,
    own: Callable[[Path], bool] = lambda _: False,
    *,
    evaluate: bool = False,
    changed: Callable[[Settings], Settings] = lambda settings: settings,
    user_code: Path | None = None,
) -> Problem:
    """Check an input and all files it names; paths in it are relative to the working directory.

    Args:
        path: the ESPEI input file.
        own: whether a file has only data that an earlier start of this fit wrote.
        evaluate: whether to evaluate the log-probability at the starting values, too, as ESPEI does before
            it samples. It takes as long as one evaluation of ESPEI's.
        changed: changes the settings of the input before they are checked.
        user_code: directory of the user's Python modules, in use already; None for none.

    Returns:
        The problem, ready to run.

    Raises:
        Refusal: with every fault found, one line each.
    """
    path = Path(path)
    written, repeated = parse_input(path)
    raw = changed(written)
    findings = Findings(path, repeated)
    with quiet():
        settings = check_settings(raw, findings)
        checked = Checks(settings, findings, own, evaluate)
        checked.read_files()
        checked.check_system()
        checked.check_sampling()
        checked.check_outputs()
    note_overridden(raw, findings)
    findings.refuse()
    return Problem(
        path=path,
        settings=settings,
        generates="generate_parameters" in settings,
        samples="mcmc" in settings,
        symbols=tuple(checked.symbols),
        walkers=checked.walkers,
        iterations=settings.get("mcmc", {}).get("iterations", 0),
        save_interval=(raw.get("mcmc") or {}).get("save_interval"),
        output_db=Path(settings["output"]["output_db"]),
        trace=checked.outputs.trace,
        lnprob=checked.outputs.lnprob,
        user_code=user_code,
        outside=checked.outside,
        notes=tuple(findings.notes),
    )
