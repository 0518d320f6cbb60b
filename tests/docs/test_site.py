"""The pages become a site that needs no network."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

import browser
from docs.documents import PAGES
from needs import require
from support import BIN, ROOT


@pytest.fixture
def needs_browser() -> None:
    require("Chromium")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("site")
    # Not --quiet, which would have --strict overlook all warnings.
    words = [str(BIN / "mkdocs"), "build", "--strict", "--site-dir", str(directory)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return directory


def test_every_page_is_in_the_list_of_pages_once() -> None:
    listed = re.findall(r"(\S+\.md)$", (ROOT / "mkdocs.yml").read_text(), re.MULTILINE)
    assert sorted(listed) == [path.name for path in PAGES]


def test_every_page_is_built(site: Path) -> None:
    assert {path.stem for path in PAGES} <= {path.stem for path in site.glob("*.html")}


def test_nothing_of_the_site_is_named_on_a_network(site: Path) -> None:
    pages = "\n".join(path.read_text() for path in site.rglob("*.html"))
    styles = "\n".join(path.read_text() for path in site.rglob("*.css"))
    loaded = re.findall(r"<(?:script|link|img|iframe)\b[^>]*?(?:src|href)=[\"']?([^\"'\s>]+)", pages)
    loaded += re.findall(r"(?:url\(|@import)\s*[\"']?([^\"')\s]+)", styles)
    assert [address for address in loaded if re.match(r"(https?:)?//", address)] == []


@pytest.mark.usefixtures("needs_browser")
def test_a_browser_reads_all_pages_from_a_disk_and_has_nothing_to_say(site: Path) -> None:
    with browser.opened(site / "index.html", 1280) as seen:
        for page in PAGES:
            seen.page.goto((site / page.name).with_suffix(".html").as_uri())
        assert seen.told == []
        assert [url for url in seen.asked if not url.startswith(("data:", site.as_uri()))] == []


def test_no_table_is_left_as_it_is_written(site: Path) -> None:
    assert [page.name for page in site.glob("*.html") if "|--" in page.read_text()] == []


def test_make_names_the_target_that_builds_it() -> None:
    assert "mkdocs" in (ROOT / "Makefile").read_text()
    assert yaml.safe_load((ROOT / "mkdocs.yml").read_text())["site_dir"] == "build/site"
