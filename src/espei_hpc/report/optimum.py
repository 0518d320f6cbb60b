"""The best fit in words: values with standard errors, what is not determined, what each dataset decides."""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from espei_hpc.errors import Fault, Refusal
from espei_hpc.exit_codes import ExitCode
from espei_hpc.report.properties import rms
from espei_hpc.report.symbols import describe_file
from espei_hpc.rundir.files import read_json
from espei_hpc.rundir.run_directory import OPTIMUM
from espei_hpc.sampler.determined import Direction, correlation

PROMISED = 0.1
"""Gain that the derivatives promise beyond the best fit, in log-probability, from which it is said."""
CORRELATED = 0.95
"""Correlation from which two parameters are named."""
MOST_CORRELATED = 6
DECIDES = 0.25
"""Share in the variance of a parameter from which a dataset is said to decide it."""


def there(run_directory: Path) -> bool:
    """Whether a directory is that of a search for the best fit that has ended."""
    return (run_directory / OPTIMUM).is_file()


def lines(run_directory: Path) -> list[str]:
    """Return the tables of a best fit.

    Args:
        run_directory: its run directory.

    Raises:
        Refusal: if there is none.
    """
    found: Mapping[str, Any] | None = read_json(run_directory / OPTIMUM)
    if found is None:
        what = "is missing: no search for the best fit has ended there"
        raise Refusal(ExitCode.BAD_INPUT, [Fault(str(run_directory / OPTIMUM), what)])
    remarks = [*_edge(found), *_not_determined(found), *_correlated(found)]
    return ["", *_symbols(found), "", *remarks, "", *_datasets(found)]


def _symbols(found: Mapping[str, Any]) -> Iterator[str]:
    described = describe_file(Path(found["database"]), found["symbols"])
    yield f"{'symbol':<10}{'before':>14}{'best fit':>14}{'standard error':>16}  unit and parameter"
    for name, before, value, error in zip(
        *(found[key] for key in ("symbols", "initial", "parameters", "errors")), strict=True
    ):
        about = f"{one.unit or '-'}  {one.short}" if (one := described.get(name)) else "-"
        spread = "not determined" if error is None else f"{error:.3g}"
        yield f"{name:<10}{before:>14.6g}{value:>14.6g}{spread:>16}  {about}"


def _edge(found: Mapping[str, Any]) -> Iterator[str]:
    if found["promised"] > PROMISED:
        yield (
            "at an edge: a residual jumps at the best fit; without the jump the log-probability could rise "
            f"by {found['promised']:.2g}"
        )
        yield (
            "the standard errors do not hold there, and a higher maximum may lie elsewhere: sample with "
            "--sampler de, then search again with --force-new --database and the database that it has fitted"
        )


def _not_determined(found: Mapping[str, Any]) -> Iterator[str]:
    for one in found["undetermined"]:
        direction = Direction(tuple(one["members"]), tuple(one["change"]))
        yield f"not determined: {direction.in_words(found['symbols'])}"
    if found["undetermined"]:
        yield "with a flat prior a chain never converges there: give these symbols a prior, or fix them"


def _correlated(found: Mapping[str, Any]) -> Iterator[str]:
    names = found["symbols"]
    correlated = correlation(np.array(found["covariance"]))
    pairs = [
        (abs(correlated[first, second]), first, second)
        for first in range(len(names))
        for second in range(first)
        if abs(correlated[first, second]) >= CORRELATED
    ]
    for _, first, second in sorted(pairs, reverse=True)[:MOST_CORRELATED]:
        yield f"correlated: {names[second]} and {names[first]}, {correlated[first, second]:+.3f}"


def _datasets(found: Mapping[str, Any]) -> Iterator[str]:
    rows = found["rows"]
    units = np.array(rows["unit"])
    before = None if rows["before"] is None else np.array(rows["before"])
    after, leverage, shares = (np.array(rows[key]) for key in ("after", "leverage", "shares"))
    yield f"{'data':>5}{'rms before':>12}{'after':>9}{'leverage':>10}  dataset: symbols that it decides"
    for name, numbers in _by_dataset(found["kinds"], found["units"]).items():
        mine = np.isin(units, numbers)
        if not mine.any():
            continue
        earlier = "-" if before is None else f"{rms(before[mine]):.3g}"
        decided = [
            symbol
            for symbol, share in zip(found["symbols"], shares[mine].sum(axis=0), strict=True)
            if share >= DECIDES
        ]
        about = f"{name}{': ' if decided else ''}{', '.join(decided)}"
        yield (f"{mine.sum():>5}{earlier:>12}{rms(after[mine]):>9.3g}{leverage[mine].sum():>10.2f}  {about}")
    yield "rms: root mean square of calculated minus measured, in standard deviations with ESPEI's weights"
    yield "leverage: number of parameters that the dataset determines; these add up to all determined ones"


def _by_dataset(kinds: Iterable[str], units: Iterable[str]) -> dict[str, list[int]]:
    """Return the numbers of the units of each dataset, by kind and by what their names have in brackets."""
    found: dict[str, list[int]] = {}
    for number, (kind, unit) in enumerate(zip(kinds, units, strict=True)):
        inside = re.search(r"\((.*)\)$", unit)
        found.setdefault(f"{kind}, {inside[1]}" if inside else kind, []).append(number)
    return found
