"""An error of one TLS connection does not end another one."""

import ctypes
import errno
import ssl

import pytest

from espei_hpc.cluster import tls_errors
from tls_connections import connected, contexts, read

LIBRARY_SYSTEM = 2
"""OpenSSL's number for errors of the operating system."""


pytestmark = pytest.mark.needs("Python with OpenSSL as a library")


def put_error() -> None:
    """Put a broken pipe into OpenSSL's queue, as a connection's end does."""
    openssl = ctypes.CDLL(ssl._ssl.__file__)  # type: ignore[attr-defined]
    openssl.ERR_new()
    openssl.ERR_set_error(LIBRARY_SYSTEM, errno.EPIPE, None)


def test_error_left_in_openssls_queue_reaches_nobody_once_the_queue_is_empty() -> None:
    one, _ = connected(*contexts())
    assert read(one) == "SSLWantReadError"
    put_error()
    assert read(one) != "SSLWantReadError"  # else the queue would not matter
    put_error()
    tls_errors.empty_queue()
    assert read(one) == "SSLWantReadError"


def test_error_of_the_operating_system_empties_the_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = connected(*contexts()), connected(*contexts())

    class Broken:
        """What Python has below a socket, as in the versions that leave the error in the queue."""

        def read(self, *_: object) -> bytes:
            put_error()
            raise BrokenPipeError

    monkeypatch.setattr(first[0], "_sslobj", Broken())
    assert read(first[0]) == "BrokenPipeError"
    assert read(second[0]) == "SSLWantReadError"
