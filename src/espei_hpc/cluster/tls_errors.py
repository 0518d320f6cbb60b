"""An error of one TLS connection stays with that connection.

OpenSSL keeps the errors of a thread in a queue. Python does not empty it after an
error of the operating system (python/cpython#148594; Python 3.12.9, 3.13.1 and later
with OpenSSL 3.4 and later, as in the image), so the next connection that has nothing
to read yet fails with the broken pipe of another one, and Dask loses a worker that is
well. Importing this module gives every TLS socket of the process a class that empties
the queue; Dask imports it as a preload where espei-hpc does not start the process.
"""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

_CONTEXT = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def empty_queue() -> None:
    """Empty OpenSSL's queue of errors of this thread."""
    # Python has no function for it, but empties the queue after a name that no cipher has.
    with suppress(ssl.SSLError):
        _CONTEXT.set_ciphers("none")


@contextmanager
def _own_errors() -> Iterator[None]:
    try:
        yield
    except ssl.SSLError:
        raise  # Python has emptied the queue, or it was empty
    except OSError:
        empty_queue()
        raise


class _TlsSocket(ssl.SSLSocket):
    def read(self, *arguments: Any) -> Any:
        with _own_errors():
            return super().read(*arguments)

    def write(self, *arguments: Any) -> int:
        with _own_errors():
            return super().write(*arguments)

    def send(self, *arguments: Any) -> int:
        with _own_errors():
            return super().send(*arguments)

    def do_handshake(self, *arguments: Any) -> None:
        with _own_errors():
            super().do_handshake(*arguments)

    def unwrap(self) -> Any:
        with _own_errors():
            return super().unwrap()


ssl.SSLContext.sslsocket_class = _TlsSocket
