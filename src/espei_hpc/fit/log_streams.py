"""Redirecting log handlers: they keep their stream even when ``sys.stderr`` is replaced."""

import logging
import sys
from collections.abc import Iterator, Mapping
from typing import TextIO


def standard() -> tuple[TextIO, TextIO]:
    """Return standard output and standard error as they are now."""
    return sys.stdout, sys.stderr


def move(streams: Mapping[TextIO, TextIO]) -> None:
    """Redirect every handler that writes to one of some streams.

    Args:
        streams: new stream by old stream.
    """
    for handler in _handlers():
        if isinstance(handler, logging.StreamHandler) and handler.stream in streams:
            handler.setStream(streams[handler.stream])


def _handlers() -> Iterator[logging.Handler]:
    yield from logging.root.handlers
    for logger in list(logging.root.manager.loggerDict.values()):
        if isinstance(logger, logging.Logger):
            yield from logger.handlers
