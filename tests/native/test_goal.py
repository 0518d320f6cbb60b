"""A fit that ends with a goal reached: the beginning of stock's chain, finished, and able to go on."""

import json
from pathlib import Path

import numpy as np

from espei_hpc.environment import clean_environment
from espei_hpc.sampler.goal import FIRST
from fits import Chain
from support import BIN, Commands, Result, environment

# A chain that can be believed has thousands of iterations; here it counts whatever its length.
HASTY = """
import sys
from espei_hpc.sampler.moves import Stretch
Stretch.part = Stretch.part._replace(least=0.0)
from espei_hpc.cli import main
sys.exit(main())
"""


def hasty(commands: Commands, command: str, path: Path, until: str | None) -> Result:
    """Run a command of espei-hpc that believes every chain."""
    words = [command, "--in", str(path), *(["--until", until] if until else [])]
    words += ["--local", "-w", "2"] if command == "fit" else []
    return commands.run(BIN / "python", "-c", HASTY, *words, env=clean_environment(environment(commands.tag)))


def test_goal_ends_the_fit_and_a_higher_one_makes_it_go_on_to_stocks_chain(
    commands: Commands, small_fit: Path, stock_chain: Chain
) -> None:
    reached = hasty(commands, "fit", small_fit, "ess=1")
    assert reached.code == 0, reached.output
    assert f" of 1 requested, after {FIRST} of 30 iterations" in reached.output
    assert "espei-hpc: goal reached: effective sample size " in reached.output
    chain = Chain.load(small_fit.parent)
    assert np.array_equal(chain.trace, stock_chain.trace[:, :FIRST])
    assert np.array_equal(chain.lnprob, stock_chain.lnprob[:, :FIRST])
    assert (small_fit.parent / "fitted.tdb").exists()
    kept = json.loads((small_fit.with_suffix(".run") / "run.json").read_text())
    assert (kept["finished"], kept["ended"]) == (FIRST, 0)
    assert (kept["reached"]["asked"], kept["reached"]["iterations"]) == (1, FIRST)

    prepared = hasty(commands, "prepare", small_fit, "ess=1")
    assert prepared.output.splitlines()[0] == "0", prepared.output
    again = hasty(commands, "fit", small_fit, "ess=1")
    assert again.code == 0, again.output
    assert f"requested, after {FIRST} of 30 iterations; increase or omit --until to continue" in again.output
    assert "already finished: effective sample size " in again.output
    assert "resuming" not in again.output

    more = hasty(commands, "fit", small_fit, "ess=100000")
    assert more.code == 0, more.output
    assert f"resuming after iteration {FIRST} of 30" in more.output
    assert "goal not reached: effective sample size " in more.output
    assert Chain.load(small_fit.parent).equals(stock_chain)
    kept = json.loads((small_fit.with_suffix(".run") / "run.json").read_text())
    assert (kept["finished"], kept["reached"]) == (30, None)


def test_chain_too_short_to_believe_goes_on_to_all_iterations(
    commands: Commands, small_fit: Path, stock_chain: Chain
) -> None:
    result = commands.run("espei-mpi", "--in", small_fit, "-n", "2", "--until", "ess=1")
    assert result.code == 0, result.output
    assert "(chain too short for a reliable estimate), at iteration 28 of 30" in result.output
    assert Chain.load(small_fit.parent).equals(stock_chain)


def test_what_is_no_goal_is_refused_before_anything_starts(commands: Commands, small_fit: Path) -> None:
    result = commands.run("espei-mpi", "--in", small_fit, "-n", "3", "--until", "ess=0")
    assert result.code == 64
    assert "'ess=0' is not a valid goal; use --until ess=400" in result.output
    stock = commands.run("espei-mpi", "--in", small_fit, "-n", "3", "--until", "ess=4", "--engine", "espei")
    assert stock.code == 64
    assert "--engine espei always runs all of mcmc.iterations" in stock.output
    assert not small_fit.with_suffix(".run").exists()
