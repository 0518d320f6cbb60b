"""What a release says of itself: whom to cite, and what has changed."""

import re
import tomllib

import yaml

from support import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text())
DOI = re.compile(r"10\.\d{4,9}/[-._;()/:A-Za-z0-9]+")


def test_citation_has_what_its_format_requires() -> None:
    assert CITATION["cff-version"] == "1.2.0"
    assert {"message", "title", "authors"} <= {key for key, value in CITATION.items() if value}
    assert all(set(author) & {"name", "family-names"} for author in CITATION["authors"])


def test_citation_is_of_this_version() -> None:
    told = CITATION["title"], CITATION["version"], CITATION["license"]
    assert told == (PROJECT["name"], PROJECT["version"], PROJECT["license"])


def test_every_reference_of_the_citation_can_be_found() -> None:
    for reference in CITATION["references"]:
        assert DOI.fullmatch(reference["doi"]), reference
        assert {"type", "title", "journal", "volume", "year"} <= set(reference)
        assert all(author["family-names"] and author["given-names"] for author in reference["authors"])


def test_papers_that_the_readme_asks_to_cite_are_in_the_citation() -> None:
    asked = re.findall(r"doi:([^\s),]+)", (ROOT / "README.md").read_text())
    assert len(set(asked)) == 2
    assert set(asked) <= {reference["doi"] for reference in CITATION["references"]}


def test_changelog_says_what_is_in_this_version() -> None:
    _, *entries = re.split(r"^## ", (ROOT / "CHANGELOG.md").read_text(), flags=re.MULTILINE)
    changes = {entry.split()[0].strip("[]"): entry for entry in entries}
    assert re.search(r"^- \S", changes[PROJECT["version"]], re.MULTILINE)
