"""The pages become a site that needs no network."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from docs.documents import PAGES
from support import BIN, ROOT


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("site")
    words = [str(BIN / "mkdocs"), "build", "--strict", "--quiet", "--site-dir", str(directory)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return directory


def test_every_page_is_in_the_list_of_pages_once() -> None:
    listed = re.findall(r"(\S+\.md)$", (ROOT / "mkdocs.yml").read_text(), re.MULTILINE)
    assert sorted(listed) == [path.name for path in PAGES]


def test_every_page_is_built(site: Path) -> None:
    assert {path.stem for path in PAGES} <= {path.stem for path in site.glob("*.html")}


def test_nothing_of_the_site_is_loaded_from_a_network(site: Path) -> None:
    loaded = [
        address
        for page in site.glob("*.html")
        for address in re.findall(
            r"<(?:script|link|img|iframe)[^>]*(?:src|href)=\"([^\"]+)\"", page.read_text()
        )
        if re.match(r"(https?:)?//", address)
    ]
    styles = [
        found
        for style in site.rglob("*.css")
        for found in re.findall(r"url\((https?:[^)]+)", style.read_text())
    ]
    assert loaded + styles == []


def test_no_table_is_left_as_it_is_written(site: Path) -> None:
    assert [page.name for page in site.glob("*.html") if "|--" in page.read_text()] == []


def test_make_names_the_target_that_builds_it() -> None:
    assert "mkdocs" in (ROOT / "Makefile").read_text()
    assert yaml.safe_load((ROOT / "mkdocs.yml").read_text())["site_dir"] == "build/site"
