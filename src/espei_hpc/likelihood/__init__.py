"""The log-probability of a parameter set, evaluated whole or in pieces, equal to ESPEI's bit for bit.

The client describes the input by a :class:`LikelihoodRecipe`; each worker builds an :class:`Evaluator`
from it; the result of a piece is an :class:`Evaluated`; :func:`combine` combines the pieces to
one log-probability, and :func:`cut` assigns units to pieces.
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
