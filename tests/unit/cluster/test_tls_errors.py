"""An error of one TLS connection does not end another one."""

import ctypes
import errno
import ssl
from collections.abc import Callable

import pytest

from espei_hpc.cluster import tls_errors
from tls_connections import connected, contexts, read

LIBRARY_SYSTEM = 2
"""OpenSSL's number for errors of the operating system."""


def queued_error() -> Callable[[], None]:
    """Return what puts a broken pipe into OpenSSL's queue, as a connection's end does."""
    try:
        openssl = ctypes.CDLL(ssl._ssl.__file__)  # type: ignore[attr-defined]
        new, set_error = openssl.ERR_new, openssl.ERR_set_error
    except AttributeError:
        pytest.skip("OpenSSL is inside of this Python")

    def put() -> None:
        new()
        set_error(LIBRARY_SYSTEM, errno.EPIPE, None)

    return put


def test_error_left_in_openssls_queue_reaches_nobody_once_the_queue_is_empty() -> None:
    put = queued_error()
    one, _ = connected(*contexts())
    assert read(one) == "SSLWantReadError"
    put()
    assert read(one) != "SSLWantReadError"  # else the queue would not matter
    put()
    tls_errors.empty_queue()
    assert read(one) == "SSLWantReadError"


def test_error_of_the_operating_system_empties_the_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    put = queued_error()
    first, second = connected(*contexts()), connected(*contexts())

    class Broken:
        """What Python has below a socket, as in the versions that leave the error in the queue."""

        def read(self, *_: object) -> bytes:
            put()
            raise BrokenPipeError

    monkeypatch.setattr(first[0], "_sslobj", Broken())
    assert read(first[0]) == "BrokenPipeError"
    assert read(second[0]) == "SSLWantReadError"
