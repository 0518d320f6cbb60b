"""An error of one TLS connection stays with that connection.

OpenSSL keeps the errors of a thread in a queue. Python does not empty it after an
error of the operating system (python/cpython#148594; Python 3.12.9, 3.13.1 and later
with OpenSSL 3.4 and later, as in the image), so the next connection that has nothing
to read yet fails with the broken pipe of another one, and Dask loses a worker that is
well. Importing this module gives every TLS socket of the process a class that empties
the queue; Dask imports it as a preload where espei-hpc does not start the process.
"""

import ssl
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import ParamSpec, TypeVar

_CONTEXT = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
_Arguments = ParamSpec("_Arguments")
_Returned = TypeVar("_Returned")


def empty_queue() -> None:
    """Empty OpenSSL's queue of errors of this thread."""
    # Python has no function for it, but empties the queue after a name that no cipher has.
    with suppress(ssl.SSLError):
        _CONTEXT.set_ciphers("none")


def _keeps_its_errors(method: Callable[_Arguments, _Returned]) -> Callable[_Arguments, _Returned]:
    @wraps(method)
    def call(*arguments: _Arguments.args, **named: _Arguments.kwargs) -> _Returned:
        try:
            return method(*arguments, **named)
        except ssl.SSLError:
            raise  # Python has emptied the queue, or it was empty
        except OSError:
            empty_queue()
            raise

    return call


class _TlsSocket(ssl.SSLSocket):
    """All methods that call OpenSSL; those of :mod:`socket` call these."""

    read = _keeps_its_errors(ssl.SSLSocket.read)
    write = _keeps_its_errors(ssl.SSLSocket.write)
    send = _keeps_its_errors(ssl.SSLSocket.send)
    do_handshake = _keeps_its_errors(ssl.SSLSocket.do_handshake)
    unwrap = _keeps_its_errors(ssl.SSLSocket.unwrap)


ssl.SSLContext.sslsocket_class = _TlsSocket
