"""Containerfile and apptainer.def make the same image: both say the same, and the rest is in image/."""

import re
import shlex

import pytest

from support import ROOT

CONTAINERFILE = (ROOT / "Containerfile").read_text()
DEFINITIONS = ("apptainer.def", "image/from-archive.def")
SCRIPTS = {path.name for path in (ROOT / "image").iterdir() if path.read_text().startswith("#!")}
CALLED_BY_APPTAINER = {"run", "checks"}
CALLED_BY_SCRIPTS = {"apt", "pip"}


def sections(definition: str, name: str) -> list[str]:
    """Return all sections of a name."""
    text = (ROOT / definition).read_text()
    return re.findall(rf"^%{name}\n((?:\n|    .*\n)*)", text, re.MULTILINE)


def test_variables_of_the_containerfile_are_those_of_the_file_that_apptainer_reads() -> None:
    (words,) = re.findall(r"^ENV ((?:.*\\\n)*.*)$", CONTAINERFILE, re.MULTILINE)
    file = (ROOT / "image/environment").read_text()
    exported = [line.removeprefix("export ") for line in file.splitlines() if not line.startswith("#")]
    # Apptainer sets the caller's own home.
    assert [word for word in shlex.split(words.replace("\\\n", " ")) if word != "HOME=/tmp"] == exported


def test_every_script_is_called_by_both() -> None:
    called = set(re.findall(r"^RUN .*?/opt/image/(\w+)", CONTAINERFILE, re.MULTILINE))
    scripts = SCRIPTS - CALLED_BY_APPTAINER - CALLED_BY_SCRIPTS
    assert called == scripts
    posts = "".join(sections("apptainer.def", "post"))
    assert set(re.findall(r"/opt/image/(\w+)", posts)) - {"help"} == scripts


def test_both_copy_the_same_into_the_build() -> None:
    copied = re.search(r"^WORKDIR /source\n((?:COPY .*\n)*)", CONTAINERFILE, re.MULTILINE)
    assert copied
    words = {word for line in copied[1].splitlines() for word in line.split()[1:-1]}
    files = {line.split()[0] for line in sections("apptainer.def", "files")[0].split("\n") if line}
    assert words - {"image/project", "lock/build.txt"} == files - {"image", "lock"}


@pytest.mark.parametrize("section", ["environment", "runscript", "test"])
def test_both_ways_to_an_apptainer_image_have_the_same_section(section: str) -> None:
    first, second = (sections(definition, section)[-1] for definition in DEFINITIONS)
    without = [re.sub(r" *#.*\n", "", text) for text in (first, second)]
    assert without[0] == without[1] != ""
