"""python -m soak [--minutes N] [--seed N]: writes its figures into docs/reliability.md."""

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

from fits import Chain, run_stock, write_fit
from soak.report import Figures, write
from soak.rounds import ITERATIONS, one_fit
from soak.steady import steady


def main() -> int:
    """Run for the time asked for; the last fit is finished."""
    parser = argparse.ArgumentParser(prog="soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    asked = parser.parse_args()
    random.seed(asked.seed)
    print(f"seed {asked.seed}", flush=True)
    figures = Figures(asked.minutes, asked.seed)
    end = time.monotonic() + 60 * asked.minutes
    with tempfile.TemporaryDirectory(prefix="espei-hpc-soak-") as directory:
        place = Path(directory)
        (place / "stock").mkdir()
        run_stock(place / "stock", write_fit(place / "stock", ITERATIONS))
        stock = Chain.load(place / "stock")
        # A quarter of the time for what needs a long run: memory, and files left open.
        steady(place / "steady", stock, 15 * asked.minutes, figures)
        while time.monotonic() < end:
            one_fit(place / f"fit-{figures.fits}", stock, figures)
    write(figures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
