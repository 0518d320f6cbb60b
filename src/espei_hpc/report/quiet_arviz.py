"""ArviZ without what it says of itself when it is imported."""

import warnings
from typing import Any


def arviz() -> Any:
    """Import ArviZ; it announces its next major release to everyone, which no user of ours can act on."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        import arviz as imported
    return imported
