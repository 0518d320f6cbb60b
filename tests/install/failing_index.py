"""A package index on loopback whose answers fail as those of a network do."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class _Index(ThreadingHTTPServer):
    """Serves a directory of wheels; of each request for a file the first ``failures`` break off half-way."""

    def __init__(self, directory: Path, failures: int) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.directory = directory
        self.failures = failures
        self.asked: Counter[str] = Counter()


class _Answer(BaseHTTPRequestHandler):
    server: _Index

    def do_GET(self) -> None:
        name = self.path.strip("/").split("/")[-1]
        if not name.endswith(".whl"):
            self._page(name)
            return
        self.server.asked[name] += 1
        content = (self.server.directory / name).read_bytes()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        broken = self.server.asked[name] <= self.server.failures
        self.wfile.write(content[: len(content) // 2] if broken else content)

    def _page(self, project: str) -> None:
        """Answer with the project's files, as PEP 503 has it."""
        module = project.replace("-", "_")
        found = [
            path.name for path in self.server.directory.glob("*.whl") if path.name.startswith(f"{module}-")
        ]
        page = "".join(f'<a href="/files/{name}">{name}</a><br>' for name in found).encode()
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def serving(directory: Path, failures: int) -> Iterator[str]:
    """Serve the wheels of a directory; gives the index's URL."""
    index = _Index(directory, failures)
    thread = threading.Thread(target=index.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{index.server_address[1]}/simple/"
    finally:
        index.shutdown()
        thread.join()
