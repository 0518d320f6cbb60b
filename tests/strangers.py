"""Another user of this host, and what that user is answered and can read."""

import subprocess
from collections.abc import Iterable
from pathlib import Path

SOMEBODY = ["setpriv", "--reuid=4242", "--regid=4242", "--clear-groups"]
"""Another user of the same host."""
# Whoever may talk to a scheduler is greeted by it at once; prints how many bytes of that come.
GREETING = """
import socket, ssl, sys
host, port, *files = sys.argv[1:]
connection = socket.create_connection((host, int(port)), timeout=20)
try:
    if files:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if files != ["none"]:
            context.load_cert_chain(*files)
        connection = context.wrap_socket(connection)
    else:
        connection.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n")
    print(len(connection.recv(1)))
except (ssl.SSLError, ConnectionError):
    print(0)
"""
# Prints those of the files and directories on standard input that can be opened.
OPEN = """
import os, sys
for path in sys.stdin.read().split("\\0"):
    try:
        os.close(os.open(path, os.O_RDONLY))
        print(path)
    except OSError:
        pass
"""


def place_of(address: str) -> tuple[str, str]:
    """Return host and port of a scheduler's address."""
    host, _, port = address.removeprefix("tls://").rpartition(":")
    return host, port


def greeted(place: tuple[str, str], *files: str | Path, user: list[str]) -> bool:
    """Whether the scheduler answers somebody with these certificates; none at all is plain TCP."""
    words = [*user, "/usr/bin/python3", "-c", GREETING, *place, *map(str, files)]
    told = subprocess.run(words, capture_output=True, text=True, timeout=60)
    assert told.returncode == 0, told.stderr
    return told.stdout.strip() != "0"


def opened(paths: Iterable[Path], user: list[str]) -> set[str]:
    """Return which files and directories a user can open for reading."""
    words = [*user, "/usr/bin/python3", "-c", OPEN]
    told = subprocess.run(words, input="\0".join(map(str, paths)), capture_output=True, text=True, timeout=60)
    assert told.returncode == 0, told.stderr
    return set(told.stdout.splitlines())
