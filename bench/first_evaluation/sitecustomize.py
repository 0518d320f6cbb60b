"""Notes when a worker's first evaluation by stock ESPEI begins: Python imports this where it is on the path.

Nothing of ESPEI is changed otherwise, and nothing is imported for it.
"""

import functools
import os
import sys
import time
from collections.abc import Callable, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import Any

MODULE = "espei.optimizers.opt_mcmc"


class _Finder(MetaPathFinder):
    """Finds the module as ever, and wraps its function once it is there."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name != MODULE:
            return None
        sys.meta_path.remove(self)
        spec = find_spec(name)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def exec_module(module: ModuleType) -> None:
                execute(module)
                cls = module.EmceeOptimizer
                cls.predict = staticmethod(_noted(cls.predict))

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


def _noted(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def noted(*args: Any, **kwargs: Any) -> Any:
        if not noted.called:  # type: ignore[attr-defined]
            noted.called = True  # type: ignore[attr-defined]
            _note()
        return function(*args, **kwargs)

    noted.called = False  # type: ignore[attr-defined]
    return noted


def _note() -> None:
    # ESPEI's own process evaluates the initial guess, for its log alone.
    if os.path.basename(sys.argv[0]) == "dask-mpi":
        with open(os.environ["FIRST_EVALUATION"], "a") as file:
            file.write(f"{time.monotonic()}\n")


sys.meta_path.insert(0, _Finder())
