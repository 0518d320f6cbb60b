"""The directives of the examples for PBS Pro are what qsub(1B) of OpenPBS allows."""

import re

import pytest

from espei_hpc.batch.scripts.kinds import KINDS
from support import ROOT

RESOURCE = r"(ncpus|mpiprocs|ompthreads|mem)=[1-9]\d*"
ALLOWED = {
    "-A": r"[\w.@:+-]+",
    "-S": r"/bin/bash",
    "-j": r"oe|eo|n",
    # [N:]chunk[+[N:]chunk ...], where a chunk is resource=value[:resource=value ...]
    "-l select": rf"(\d+:)?{RESOURCE}(:{RESOURCE})*(\+(\d+:)?{RESOURCE}(:{RESOURCE})*)*",
    # [arrangement][:sharing][:grouping]
    "-l place": r"(free|pack|scatter|vscatter)(:(excl|shared|exclhost))?(:group=\w+)?",
    # [[hours:]minutes:]seconds
    "-l walltime": r"((\d+:)?[0-5]?\d:)?[0-5]?\d",
}


def directives(name: str) -> list[tuple[str, str]]:
    """Return the options of a script and their values, resources apart by their name."""
    found = []
    for line in (ROOT / "pbs-examples" / f"{name}.pbs").read_text().splitlines():
        if line.startswith("#PBS"):
            # A word more, such as a comment, would be taken for the name of a script.
            mark, option, value = line.split(" ")
            assert mark == "#PBS"
            resource, _, rest = value.partition("=") if option == "-l" else ("", "", value)
            found.append((f"{option} {resource}".strip(), rest))
    return found


@pytest.mark.parametrize("name", KINDS)
def test_every_directive_is_one_that_qsub_knows(name: str) -> None:
    for option, value in directives(name):
        assert re.fullmatch(ALLOWED[option], value), (option, value)


@pytest.mark.parametrize("name", KINDS)
def test_no_directive_is_given_twice_and_none_is_missing(name: str) -> None:
    options = [option for option, _ in directives(name)]
    assert len(set(options)) == len(options)
    assert {"-A", "-l select", "-l walltime", "-j", "-S"} <= set(options)


@pytest.mark.parametrize("name", KINDS)
def test_every_chunk_lists_its_node_once_for_each_core_and_has_one_thread(name: str) -> None:
    chunk = dict(word.split("=") for word in dict(directives(name))["-l select"].split(":")[1:])
    assert chunk["mpiprocs"] == chunk["ncpus"]
    assert chunk["ompthreads"] == "1"
