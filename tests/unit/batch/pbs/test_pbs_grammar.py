"""The options in the examples for PBS Pro are what OpenPBS's own parsers take.

Its source says so, file by file (looked up in its version of April 2026):

- options that there are, and what -r may say: src/cmds/qsub_sup.c (GETOPT_ARGS) and qsub.c;
- directives are read as words: src/cmds/qsub.c (make_argv). That none is given twice is our own rule: of some
  options the first counts (if_cmd_line), of -l too (src/lib/Libcmds/set_resource.c);
- select: src/lib/Libifl/grunt_parse.c (parse_plus_spec_r, parse_chunk_r, parse_resc_equal_string); types of
  resources: src/lib/Libattr/master_resc_def_all.xml, src/lib/Libattr/attr_fn_size.c (to_size);
- place: src/server/resc_attr.c (decode_place);
- walltime: src/lib/Libattr/attr_fn_time.c (decode_time);
- -j: src/lib/Libecl/ecl_verify_values.c (verify_value_joinpath);
- -N: src/lib/Libcmds/ck_job_name.c, and src/include/pbs_ifl.h (PBS_MAXJOBNAME);
- -J: src/lib/Libcmds/chk_Jrange.c: the last index is greater than the first, so no array has one job;
- -W depend: src/lib/Libcmds/parse_depend.c.
"""

import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from espei_hpc.batch.scripts import JobScript, render
from espei_hpc.batch.scripts.kinds import KINDS
from support import ROOT

TAKES_NO_VALUE = "fhIVXz"
OPTIONS = "aACceJjklMmNopqRrSuvWP" + TAKES_NO_VALUE
LONGEST_NAME = 230
# For the server to know a resource is for each site; these are its own.
RESOURCES = {"ncpus": r"\d+", "mpiprocs": r"\d+", "ompthreads": r"\d+", "mem": r"\d+([kmgtp][bw]?|[bw])?"}
ARRANGEMENTS = {"free", "pack", "scatter", "vscatter"}
SHARING = {"excl", "exclhost", "shared"}
DEPENDENCIES = "after|afterok|afternotok|afterany|before|beforeok|beforenotok|beforeany|syncwith|runone"
JOB = r"\d+(\[\])?(\.[\w.-]+)?(@[\w.-]+(:\d+)?)?"


def fault(words: list[str]) -> str:
    """Return what OpenPBS has against the options of a script or of a command; '' if nothing."""
    seen: set[str] = set()
    while words and words[0].startswith("-"):
        option, value, words = words[0][1:2], words[0][2:], words[1:]
        if not option or option not in OPTIONS:
            return f"-{option} is no option of qsub"
        if option in TAKES_NO_VALUE:
            continue
        if not value and not words:
            return f"-{option} needs a value"
        if not value:
            value, words = words[0], words[1:]
        name = option + value.partition("=")[0] if option in "lW" else option
        if name in seen:
            return f"-{option} is given twice"
        seen.add(name)
        if option in CHECKS and not CHECKS[option](value):
            return f"-{option} {value} is refused"
    # qsub would take it for the name of a script.
    return f"{words[0]} is no option" if words else ""


def resources(value: str) -> bool:
    name, equals, rest = value.partition("=")
    checks = {"select": select, "place": place, "walltime": walltime}
    return bool(equals) and name in checks and checks[name](rest)


def select(value: str) -> bool:
    return all(chunk(part) for part in value.split("+"))


def chunk(value: str) -> bool:
    """Whether it is N, N:resource=value… or resource=value…, none of them twice."""
    number, *rest = value.split(":")
    pairs = [pair.partition("=") for pair in (rest if number.isdecimal() else [number, *rest])]
    names = [name for name, _, _ in pairs]
    known = all(re.fullmatch(RESOURCES.get(name, "(?!)"), size, re.I) for name, _, size in pairs)
    # PBS takes a chunk of 0 and a resource twice too, but nobody can mean them.
    return known and len(set(names)) == len(names) and (not number.isdecimal() or int(number) > 0)


def place(value: str) -> bool:
    """Whether there is one word at most of each sort: where, with whom, grouped by what."""
    words = value.lower().split(":")
    known = all(word in ARRANGEMENTS | SHARING or re.fullmatch(r"group=[a-z_][\w-]*", word) for word in words)
    return known and all(
        sum(sort(word) for word in words) <= 1
        for sort in (ARRANGEMENTS.__contains__, SHARING.__contains__, lambda word: word.startswith("group="))
    )


def walltime(value: str) -> bool:
    return bool(re.fullmatch(r"(\d+:){0,2}\d+(\.\d+)?", value))


def job_name(value: str) -> bool:
    return len(value) <= LONGEST_NAME and bool(re.fullmatch(r"[A-Za-z][A-Za-z0-9_+.-]*", value))


def array(value: str) -> bool:
    found = re.fullmatch(r"(\d+)-(\d+)(?::(\d+))?(?:%\d+)?", value)
    return found is not None and int(found[1]) < int(found[2]) and int(found[3] or 1) >= 1


def attributes(value: str) -> bool:
    depend = rf"(on|synccount):\d+|({DEPENDENCIES})(:{JOB})+"
    return bool(re.fullmatch(rf"depend=({depend})(,({depend}))*", value))


CHECKS: dict[str, Callable[[str], bool]] = {
    "l": resources,
    "j": {"oe", "eo", "n"}.__contains__,
    "r": {"y", "n"}.__contains__,
    "N": job_name,
    "J": array,
    "W": attributes,
    "S": lambda path: path.startswith("/"),
    "A": lambda account: not re.search(r"\s", account),
}


def directives(text: str) -> list[str]:
    """Return the words of all directives: qsub reads them as one command's."""
    lines = [line.removeprefix("#PBS") for line in text.splitlines() if line.startswith("#PBS")]
    return [word for line in lines for word in shlex.split(line)]


@pytest.mark.parametrize("name", KINDS)
def test_openpbs_takes_the_directives_of(name: str) -> None:
    words = directives((ROOT / "pbs-examples" / f"{name}.pbs").read_text())
    assert words
    assert fault(words) == ""


@pytest.mark.parametrize(
    "script", ["x.pbs", "Cu-Mg (2).pbs", "2.pbs", "…/é.pbs", "a: b, c; d.pbs", f"{'x' * 300}.pbs"]
)
def test_openpbs_takes_the_name_of_a_job_whatever_its_input_is_called(script: str) -> None:
    job = JobScript("pbs", "long-fit", ("x.yaml",), "espei.sif", None, 2, 8, 24.0, script)
    assert fault(directives(render(job))) == ""
    assert job.name or job_name(Path(script).name)


@pytest.mark.parametrize("name", ["array", "chain"])
def test_openpbs_takes_the_options_of_every_qsub_in(name: str) -> None:
    text = (ROOT / "pbs-examples" / f"{name}.pbs").read_text().replace("\\\n", "")
    text = text.replace('"0-$((${#inputs[@]} - 1))"', "0-1")
    commands = re.findall(r"\$\(qsub (.*) \"\$0\"\)", re.sub(r'"\$(fits|generating)"', "41[].head", text))
    assert len(commands) == 2
    for command in commands:
        assert fault(shlex.split(command)) == ""


@pytest.mark.parametrize(
    "option",
    [
        "-l select=1:ncpus=2:mpiprocs=2:ompthreads=1+2:ncpus=4:mem=8gb",
        "-l select=3",
        "-l select=ncpus=4",
        "-l place=scatter:excl:group=switch",
        "-l walltime=90",
        "-r y -N fit-1.2 -J 0-9:3 -j n",
        "-J 1-8%2",
        "-W depend=afterok:41.head:42,afterany:43[].head@other",
    ],
)
def test_what_openpbs_takes_passes(option: str) -> None:
    assert fault(option.split()) == ""


@pytest.mark.parametrize(
    "option",
    [
        "-l select=2:ncpus",
        "-l select=2ncpus=4",
        "-l select=2::ncpus=4",
        "-l select=2:ncpus=four",
        "-l select=2:ncpus=4+",
        "-l select=2:ncpu=4",
        "-l select=:ncpus=4",
        "-l select=1:mem=8gbb",
        "-l place=scatter:pack",
        "-l place=scattered",
        "-l place=group",
        "-l walltime=1-00:00:00",
        "-l walltime=1:2:3:4",
        "-l walltime=:30",
        "-l nodes",
        "-l select=1 -l select=2",
        "-j both",
        "-r yes",
        "-N 1fit",
        "-N fit/1",
        "-N " + "f" * 231,
        "-J 0-0",
        "-J 5-2",
        "-J 1-",
        "-J 1-8:0",
        "-J 1,2",
        "-W depend=afterok",
        "-W depend=afterok:",
        "-W depend=aftersome:41",
        "-W depend=afterany:41[2].head",
        "-W depend=afterok:41,",
        "-t 0-3",
        "-j oe # both",
        "-A",
        "-S bash",
    ],
)
def test_what_openpbs_refuses_is_found(option: str) -> None:
    assert fault(option.split()) != ""
