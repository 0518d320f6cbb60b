"""What the project says of itself beside its code."""

import re
import tomllib

import yaml

from support import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text())
DOI = re.compile(r"10\.\d{4,}/\S+")


def test_citation_has_what_its_format_requires() -> None:
    assert CITATION["cff-version"] == "1.2.0"
    assert CITATION["message"]
    assert CITATION["authors"]
    assert (CITATION["title"], str(CITATION["version"])) == (PROJECT["name"], PROJECT["version"])


def test_every_reference_of_the_citation_can_be_found() -> None:
    for reference in CITATION["references"]:
        assert DOI.fullmatch(reference["doi"]), reference
        assert reference["title"]
        assert all(author["family-names"] and author["given-names"] for author in reference["authors"])


def test_the_papers_that_the_readme_asks_to_cite_are_in_the_citation() -> None:
    asked = re.findall(r"doi:([^\s),]+)", (ROOT / "README.md").read_text())
    assert len(asked) == 2
    assert set(asked) <= {reference["doi"] for reference in CITATION["references"]}


def test_this_version_has_its_changes() -> None:
    assert f"\n## {PROJECT['version']}\n" in (ROOT / "CHANGELOG.md").read_text()


def test_architecture_lists_every_package() -> None:
    table = (ROOT / "docs" / "architecture.md").read_text().split("## The packages")[1].split("\n## ")[0]
    listed = set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE))
    assert listed == {path.parent.name for path in (ROOT / "src" / "espei_hpc").glob("*/__init__.py")}
