"""Tables and the plot of results.json: python bench/report.py."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.axes import Axes

HERE = Path(__file__).parent
RESULTS = HERE / "results.json"
TABLES = HERE / "results.md"
PLOT = HERE / "scale.png"

GAINS = {12: 1.55, 19: 1.3, 39: 2.5, 63: 4.0, 127: 6.0}
"""Targets: how much faster than stock at 5 % spread, by workers."""

Results = dict[str, Any]


def write() -> None:
    """Write the tables and the plot of what is in results.json."""
    results: Results = json.loads(RESULTS.read_text())
    writers = {"a": real_fits, "b": scale, "c": written, "d": start, "e": memory, "f": likelihood}
    parts = [writer(results[part]) for part, writer in writers.items() if part in results]
    if {"b", "g"} <= set(results):
        load = results["conditions"]["g"]["load_before"]
        parts.append(prepared_scale(results["g"], results["b"], load))
    if "h" in results:
        parts.append(samplers(results["h"]))
    TABLES.write_text("\n\n".join(["# Results of `make bench`", *parts]) + "\n")
    if {"a", "b"} <= set(results):
        plot(results["b"])


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Return a Markdown table."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def real_fits(told: Results) -> str:
    """Part a."""
    rows = []
    for name in (name for name in ("example", "cu-mg") if name in told):
        for row in told[name]["rows"]:
            ours, stock = row["ours"], row["stock"]
            rows.append(
                [
                    f"{name}, {told[name]['symbols']} symbols",
                    row["workers"],
                    told[name]["repeats"],
                    f"{row['limit']:.3g}",
                    f"{stock['seconds_per_iteration']:.3g}",
                    f"{ours['seconds_per_iteration']:.3g}",
                    f"{stock['seconds_per_iteration'] / ours['seconds_per_iteration']:.2f}",
                ]
            )
    columns = ("fit", "workers", "runs", "limit N·t/W, s", "stock, s/iteration", "ours", "gain")
    note = (
        "Stock ESPEI on Dask unpickles its likelihood on the workers, so its chain may differ in the last "
        "digits from that of stock ESPEI on one core. Ours is always bit for bit that of stock ESPEI on one "
        "core (tests/native/test_engine.py). The fits have a few iterations: the first evaluations, compared "
        "with ESPEI's own, take most of the time of ours. In a long fit the gain is that of an evaluation."
    )
    return "\n\n".join(["## Real fits on real workers (medians)", table(columns, rows), note])


def scale(told: Results) -> str:
    """Part b."""
    parts = [f"## {told['walkers']} walkers, {told['evaluation']:.3g} s an evaluation, on sleeping workers"]
    for spread in sorted({row["spread"] for row in told["rows"]}):
        rows = [_scale_row(row, told["walkers"]) for row in told["rows"] if row["spread"] == spread]
        columns = [
            "W",
            "pieces",
            "s/iteration",
            "of the limit",
            "target",
            "stock, s/iteration",
            "gain",
            "target",
        ]
        wanted = spread == min(row["spread"] for row in told["rows"])
        parts.append(f"Spread of the evaluations {spread:.0%}:")
        parts.append(table(columns, rows) if wanted else table(columns[:-1], [row[:-1] for row in rows]))
    rows = [
        [
            row["workers"],
            f"{row['spread']:.0%}",
            f"{row['forecast']['seconds_per_iteration']:.3g}",
            f"{row['ours']['seconds_per_iteration']:.3g}",
            off_by(row),
        ]
        for row in told["rows"]
        if "forecast" in row
    ]
    parts.append("What `espei-hpc plan` forecasts for the same:")
    parts.append(table(("W", "spread", "forecast, s/iteration", "measured", "off by"), rows))
    return "\n\n".join(parts)


def off_by(row: Results) -> str:
    """Return how much longer an iteration took than forecast."""
    return f"{row['forecast']['measured_over_forecast'] - 1:+.1%}"


def _scale_row(row: Results, walkers: int) -> list[str]:
    ours, stock, workers = row["ours"], row["stock"], row["workers"]
    part = wanted_part(walkers, workers)
    return [
        str(workers),
        str(ours["pieces"]),
        f"{ours['seconds_per_iteration']:.3g}",
        f"{ours['of_limit']:.2f}",
        f"{part:.2f}" if part else "",
        f"{stock['seconds_per_iteration']:.3g}",
        f"{row['gain']:.2f}",
        f"{GAINS[workers]:g}" if workers in GAINS else "",
    ]


def wanted_part(walkers: int, workers: int) -> float | None:
    """Return the part of the limit that we want to reach; None where none is set."""
    if workers <= walkers / 2:
        return 0.95
    if workers <= walkers:
        return 0.9
    return 0.75 if workers >= 4 * walkers else None


def written(told: Results) -> str:
    """Part c."""
    final = told["final_trace"]
    rows = [["stock, after each iteration", _megabytes(told["stock"]), f"{told['stock'] / final:.0f}"]]
    rows += [
        [f"ours, {seconds} s an iteration", _megabytes(written), f"{written / final:.1f}"]
        for seconds, written in told["ours"].items()
    ]
    title = f"## Bytes written over {told['iterations']} iterations of {told['walkers']} walkers"
    return f"{title}; target: at most 3 times\n\n" + table(("", "MB", "times the final trace"), rows)


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f}"


def start(told: Results) -> str:
    """Part d."""
    rows = [[name.replace("_", "-"), side["median"], side["all"]] for name, side in told.items()]
    title = "## From the command to the first evaluation, the example on 3 ranks"
    return f"{title}\n\n" + table(("", "s, median", "all"), rows)


def memory(told: Results) -> str:
    """Part e."""
    names = {"first": "at the first", "last": "at the last", "most": "most", "slope": "per evaluation"}
    rows = [[side, *(told[side][name] for name in names)] for side in ("ours", "stock")]
    title = f"## Memory of a worker over {told['evaluations']} evaluations, MB"
    return f"{title}\n\n" + table(("", *names.values()), rows)


def likelihood(told: Results) -> str:
    """Part f."""
    rows = [
        [
            row["name"],
            row["symbols"],
            row["units"],
            len(row["left"]),
            row["evaluations"],
            f"{row['stock']:.3g}",
            f"{row['prepared']:.3g}",
            f"{row['kernel']:.3g}",
            f"{row['stock'] / row['kernel']:.1f}",
            f"{row['prepared'] / row['kernel']:.1f}",
            # One in so many is evaluated both ways.
            f"{row['stock'] / (row['kernel'] + row['stock'] / told['verify']):.1f}",
        ]
        for row in told["rows"]
    ]
    columns = (
        "system",
        "symbols",
        "units",
        "of these left to ESPEI",
        "evaluations",
        "stock, CPU s",
        "prepared",
        "with the kernel",
        "gain over stock",
        "over prepared",
        f"over stock, with one in {told['verify']} compared",
    )
    parts = [
        "## The likelihood by ESPEI's own functions, prepared, and with the compiled kernel, in one process",
        table(columns, rows),
        "All results had the same bits.",
        _first_evaluations(told["rows"]),
        _memory_of_likelihoods(told["rows"]),
    ]
    return "\n\n".join(parts)


def _first_evaluations(rows: list[Results]) -> str:
    cells = [
        [
            row["name"],
            *(f"{row['first'][way]:.3g}" for way in ("stock", "prepared")),
            f"{row['first']['prepared'] / row['first']['stock']:.2f}",
            f"{row['built']['stock']:.3g}",
        ]
        for row in rows
    ]
    title = "The first evaluation in a process, CPU s (target: at most 1.5 times stock):"
    columns = ("system", "stock", "prepared", "ratio", "building the likelihood before it")
    return f"{title}\n\n" + table(columns, cells)


def _memory_of_likelihoods(rows: list[Results]) -> str:
    cells = []
    for row in rows:
        for way, course in row["memory"].items():
            sizes = [course[when] for when in ("first", "tenth", "last", "slope")]
            ratio = f"{row['memory_ratio']:.2f}" if way == "prepared" else ""
            cells.append([row["name"], way, course["evaluations"], *sizes, ratio])
    title = "Memory of the process, MB, after as many evaluations (target: at most 1.3 times stock):"
    columns = (
        "system",
        "",
        "evaluations",
        "after the first",
        "the tenth",
        "the last",
        "per evaluation",
        "ratio",
    )
    return f"{title}\n\n" + table(columns, cells)


def prepared_scale(told: Results, whole: Results, load: float) -> str:
    """Part g, beside part b's."""
    rows = []
    for row in told["rows"]:
        (other,) = (
            one for one in whole["rows"] if (one["workers"], one["spread"]) == (row["workers"], row["spread"])
        )
        ours, stock = row["ours"], other["stock"]["seconds_per_iteration"]
        rows.append(
            [
                row["workers"] + 1,
                row["workers"],
                ours["pieces"],
                f"{ours['seconds_per_iteration']:.3g}",
                f"{row['forecast']['seconds_per_iteration']:.3g}",
                off_by(row),
                f"{ours['of_limit']:.2f}",
                f"{sum(ours['cpu_seconds']) / ours['seconds']:.2f}",
                f"{other['ours']['seconds_per_iteration']:.3g}",
                f"{stock:.3g}",
                f"{stock / ours['seconds_per_iteration']:.1f}",
            ]
        )
    columns = (
        "ranks",
        "W",
        "pieces",
        "s/iteration",
        "forecast",
        "off by",
        "of the limit",
        "cores",
        "not prepared",
        "stock",
        "gain",
    )
    note = (
        f"{told['walkers']} walkers, spread 5 %. Our workers sleep for the recorded times of the prepared "
        f"likelihood, {told['evaluation']:.3g} s an evaluation. *Forecast* is what `espei-hpc plan` says. "
        f"The columns *not prepared* and *stock* repeat the table above, with {whole['evaluation']:.3g} s an "
        "evaluation. *Cores* is the CPU time of client, scheduler and workers per second, on one machine "
        f"with a load of {load:g} before; where no core is left, the machine is the limit."
    )
    title = "## Fit engine and prepared likelihood together, on sleeping workers"
    return "\n\n".join([title, note, table(columns, rows)])


def samplers(told: Results) -> str:
    """Part h."""
    rows = [
        [
            row["target"],
            row["walkers"],
            row["sampler"],
            row["iterations"],
            f"{row['acceptance']:.2f}",
            f"{row['tau']:.0f} ± {row['tau_error']:.0f}",
            f"{row['per_thousand']:.1f}",
        ]
        for row in (*told["rows"], *(row for fit in told["fits"] for row in fit["rows"]))
    ]
    columns = (
        "density",
        "walkers",
        "sampler",
        "iterations",
        "acceptance",
        "autocorrelation time, iterations",
        "effective samples per 1,000 evaluations",
    )
    note = "Of the slowest parameter or principal component, after burn-in."
    about = [
        [
            fit["rows"][0]["target"],
            *(
                [known["evaluations"], f"{known['worth']:.2f}", f"{known['shape']:.1f}"]
                if known
                else ["", "", ""]
            ),
            fit["verdict"],
            f"{fit['apart']:.1f}",
        ]
        for fit in told["fits"]
        for known in [fit["learned"]]
    ]
    about_columns = (
        "fit",
        "evaluations to learn the density",
        "worth of a draw",
        "Pareto k",
        "verdict",
        "samplers differ by at most, Monte Carlo errors of means and variances",
    )
    return "\n\n".join(
        ["## Samplers", table(columns, rows), note, table(about_columns, about), _best_fits(told)]
    )


def _best_fits(told: Results) -> str:
    rows = [
        [
            fit["rows"][0]["target"],
            f"{found['log_probability']:.2f}",
            f"{found['promised']:.2g}",
            f"{found['highest_in_chains']:.2f}",
            found["evaluations"],
            f"{found['from_there']:.2f}",
            " to ".join(f"{ratio:.2g}" for ratio in (min(ratios), max(ratios))),
        ]
        for fit in told["fits"]
        for found in [fit["optimum"]]
        for ratios in [[ratio for ratio in found["errors_over_deviations"] if ratio is not None]]
    ]
    columns = (
        "fit",
        "log-probability of the best fit",
        "more without the jump at an edge",
        "highest in the chains",
        "of so many evaluations",
        "best fit from there",
        "standard errors over standard deviations of the chains",
    )
    return "## The best fit beside the chains\n\n" + table(columns, rows)


def plot(told: Results) -> None:
    """Draw the speed-up of an iteration over one worker, against the number of workers."""
    figure, axes = plt.subplots(figsize=(7, 5), layout="constrained")
    workers = sorted({row["workers"] for row in told["rows"]})
    axes.plot(workers, workers, color="0.6", linestyle=":", label="limit: all workers busy")
    for spread, style in zip(sorted({row["spread"] for row in told["rows"]}), ("-", "--"), strict=True):
        _plot_side(axes, told, "ours", spread, color="C0", linestyle=style)
        _plot_side(axes, told, "stock", spread, color="C3", linestyle=style)
    axes.set(xscale="log", yscale="log", xlabel="workers", ylabel="speed-up over one worker")
    axes.set_xticks(workers, [str(number) for number in workers])
    axes.set_yticks(workers, [str(number) for number in workers])
    axes.minorticks_off()
    axes.grid(alpha=0.3)
    axes.legend()
    axes.set_title(
        f"{told['walkers']} walkers, {told['evaluation']:.3g} s an evaluation (Cu-Mg, sleeping workers)"
    )
    figure.savefig(PLOT, dpi=120)
    plt.close(figure)


def _plot_side(axes: Axes, told: Results, side: str, spread: float, *, color: str, linestyle: str) -> None:
    rows = [row for row in told["rows"] if row["spread"] == spread]
    numbers = [row["workers"] for row in rows]
    sooner = [row["workers"] * row[side]["of_limit"] for row in rows]
    name = {"ours": "espei-hpc", "stock": "espei on Dask"}[side]
    axes.plot(
        numbers, sooner, marker="o", color=color, linestyle=linestyle, label=f"{name}, spread {spread:.0%}"
    )


if __name__ == "__main__":
    write()
