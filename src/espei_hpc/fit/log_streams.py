"""The streams that loggers write to, which keep hold of them whatever becomes of ``sys.stderr``."""

import logging
import sys
from collections.abc import Iterator, Mapping
from typing import TextIO


def standard() -> tuple[TextIO, TextIO]:
    """Return standard output and standard error as they are now."""
    return sys.stdout, sys.stderr


def move(streams: Mapping[TextIO, TextIO]) -> None:
    """Have every handler that writes to one of some streams write to another.

    Args:
        streams: the other by the one.
    """
    for handler in _handlers():
        if isinstance(handler, logging.StreamHandler) and handler.stream in streams:
            handler.setStream(streams[handler.stream])


def _handlers() -> Iterator[logging.Handler]:
    yield from logging.root.handlers
    for logger in list(logging.root.manager.loggerDict.values()):
        if isinstance(logger, logging.Logger):
            yield from logger.handlers
