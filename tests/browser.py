"""Pages opened in a real browser, headless and without network."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from support import PATIENCE

NAMES = ("chromium", "chromium-browser", "google-chrome")


def found() -> str | None:
    """Return the browser of this machine."""
    return next(filter(None, map(shutil.which, NAMES)), None)


@dataclass
class Opened:
    """A page in the browser.

    Attributes:
        page: the page.
        told: what its console and its errors said.
        asked: what it loaded beside itself.
    """

    page: Page
    told: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)


@contextmanager
def opened(path: Path, width: int) -> Iterator[Opened]:
    """Open a file at a width in pixels; the browser has no network."""
    with sync_playwright() as playwright:
        # Without a sandbox of its own, which needs rights that a container lacks: the page is ours.
        browser = playwright.chromium.launch(executable_path=found(), args=["--no-sandbox"])
        try:
            context = browser.new_context(viewport={"width": width, "height": 900}, offline=True)
            # A busy machine takes its time.
            context.set_default_timeout(1000 * PATIENCE)
            opened = Opened(context.new_page())
            opened.page.on("console", lambda message: opened.told.append(message.text))
            opened.page.on("pageerror", lambda error: opened.told.append(str(error)))
            opened.page.on("request", lambda request: opened.asked.append(request.url))
            opened.page.goto(path.as_uri())
            yield opened
        finally:
            browser.close()
