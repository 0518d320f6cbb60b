"""Importing ArviZ without its announcements."""

import warnings
from typing import Any


def arviz() -> Any:
    """Import ArviZ without the warning about its next major release, which our users cannot act on."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        import arviz as imported
    return imported
