"""The log-probability of parameters, evaluated whole or in pieces, equal bit for bit to ESPEI's own.

A client describes the input by a :class:`LikelihoodRecipe`; each worker makes an :class:`Evaluator`
of it; a piece of an evaluation gives an :class:`Evaluated`; :func:`combine` makes one
log-probability of the pieces, and :func:`cut` says which units go into which piece.
"""

from espei_hpc.likelihood.combine import combine
from espei_hpc.likelihood.cut import cut
from espei_hpc.likelihood.evaluator import Evaluator
from espei_hpc.likelihood.fast.guard import WARM_UP
from espei_hpc.likelihood.recipe import DatabaseText, Generate, LikelihoodRecipe, database_text, source
from espei_hpc.likelihood.results import (
    Description,
    Difference,
    Evaluated,
    LikelihoodError,
    Residual,
    UnitResult,
)

__all__ = [
    "WARM_UP",
    "DatabaseText",
    "Description",
    "Difference",
    "Evaluated",
    "Evaluator",
    "Generate",
    "LikelihoodError",
    "LikelihoodRecipe",
    "Residual",
    "UnitResult",
    "combine",
    "cut",
    "database_text",
    "source",
]
