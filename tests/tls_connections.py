"""End one TLS connection so that its other side meets a broken pipe, then read from a second one.

Prints what the read from the second, which is well but has nothing to read, raised. Runs in
the image too, so it needs nothing of the tests.
"""

import socket
import ssl
from contextlib import suppress

from distributed.security import Security

import espei_hpc.cluster.tls_errors  # noqa: F401

Pair = tuple[ssl.SSLSocket, ssl.SSLSocket]


def contexts() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Return what a server and a client need, as a cluster has them."""
    made = Security.temporary()
    server = made.get_listen_args("scheduler")["ssl_context"]
    client = made.get_connection_args("client")["ssl_context"]
    return server, client


def connected(server: ssl.SSLContext, client: ssl.SSLContext) -> Pair:
    """Return both ends of a connection that do not block."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        near = socket.create_connection(listening.getsockname())
        far, _ = listening.accept()
    for plain in (near, far):
        plain.setblocking(False)
    ends = (
        server.wrap_socket(far, server_side=True, do_handshake_on_connect=False),
        client.wrap_socket(near, do_handshake_on_connect=False),
    )
    waiting = list(ends)
    while waiting:
        end = waiting.pop(0)
        try:
            end.do_handshake()
        except ssl.SSLWantReadError:
            waiting.append(end)
    return ends


def read(end: ssl.SSLSocket) -> str:
    """Read from one end; return the name of the error."""
    try:
        end.recv(1)
    except OSError as error:
        return type(error).__name__
    return "nothing"


def main() -> None:
    """Break the first of two connections and read from the second."""
    made = contexts()
    first, second = connected(*made), connected(*made)
    for _, client in (first, second):
        with suppress(ssl.SSLWantReadError):
            client.recv(1)
    first[1].shutdown(socket.SHUT_RDWR)
    first[1].close()
    broken = read(first[0])
    print(f"first: {broken}, second: {read(second[0])}")


if __name__ == "__main__":
    main()
