"""The MPI world that a launcher gives: a trial run of a few ranks, and what it shows."""

from collections.abc import Mapping, Sequence
from typing import Any

from espei_hpc.doctor import connectivity as talking
from espei_hpc.doctor import launching, probe, shared
from espei_hpc.doctor.finding import Line, fault, ok, warning
from espei_hpc.doctor.launching import Trial
from espei_hpc.doctor.options import Options
from espei_hpc.doctor.running import found
from espei_hpc.mpi.launchers import known_cause
from espei_hpc.text import counted

TOPIC = "MPI world"
OTHER_PAIR = (
    "use a launcher of the library's family, an image built with MPI=both, or the host's MPI in the "
    "container (see espei-hpc host-mpi)"
)
AGREE = "make -n and the launcher's own options agree"
SEE = "see its output; outside of a job the launcher may need a host list"
Report = Mapping[str, Any]


def world(options: Options) -> list[Line]:
    """Start ranks and report their world, their messages to each other, and the shared directory."""
    passed_over: list[str] = []
    words = launching.launcher(options, passed_over.append)
    return [*(ok("launcher", line) for line in passed_over), *_world_of(options, words)]


def _world_of(options: Options, words: tuple[str, ...]) -> list[Line]:
    if not options.launched:
        if not words:
            cure = (
                "load an MPI module or name a launcher; without one, espei-mpi fits on this machine's cores"
            )
            return [fault(TOPIC, "no MPI launcher is on PATH or in this Python environment", cure)]
        if not found(words[0], options.environment):
            return [fault(TOPIC, f"the launcher '{words[0]}' is not found on PATH", "load its module")]
    try:
        trial = launching.trial(options, words)
    except OSError as error:
        # The check of the directory reports what to do.
        return [warning(TOPIC, f"not checked ({error.filename}: {error.strerror})")]
    return lines(trial, options.nodes)


def lines(trial: Trial, nodes: int) -> list[Line]:
    """Return the lines about a trial run.

    Args:
        trial: the trial run.
        nodes: number of hosts in the allocation.
    """
    reported = probe.reports(trial.ended.output)
    entered = [report for report in reported if "size" in report]
    wrong = _wrong(trial, entered, len(reported)) if entered else _nobody(reported)
    if wrong is not None:
        seen, cure = wrong
        if known := known_cause(trial.ended.output.splitlines()):
            seen, cure = f"{seen}: {known.line}: {known.cause.what}", known.cause.cure
        return [fault(TOPIC, f"{trial.started}: {seen}{_ending(trial)}", cure)]
    hosts = sorted({report["host"] for report in entered})
    return [
        _world(trial, entered, hosts),
        *_few_hosts(hosts, nodes),
        *_shared_cores(entered),
        *talking.lines(entered),
        *shared.lines(entered, trial.ranks),
        *_end(trial, entered),
    ]


def _nobody(reported: Sequence[Report]) -> tuple[str, str]:
    """Return why no rank entered a world, and the cure."""
    if not reported:
        return "no rank started", SEE
    why = reported[0].get("refusal") or f"{reported[0]['launcher']}, and MPI ended the process as it started"
    return f"{counted(len(reported), 'rank')} started, but none entered an MPI world: {why}", OTHER_PAIR


def _wrong(trial: Trial, entered: Sequence[Report], came: int) -> tuple[str, str] | None:
    """Return what is wrong with the world, and the cure; None if all ranks are in one world."""
    sizes = sorted({report["size"] for report in entered})
    ranks = {report["rank"] for report in entered}
    pair = f"{entered[0]['launcher']}, the library is {entered[0].get('library', 'none')}"
    if sizes == [1] and trial.ranks > 1 and came > 1:
        alone = "singletons, each" if len(entered) > 1 else "rank of them"
        seen = f"{came} ranks started, {len(entered)} {alone} alone in its world, instead of one world of"
        return f"{seen} {trial.ranks}: {pair}", OTHER_PAIR
    if len(ranks) < len(entered) or len(sizes) > 1:
        worlds = f"worlds of size {', '.join(map(str, sizes))}"
        seen = f"{len(entered)} ranks share {counted(len(ranks), 'rank number')} in {worlds}"
        return f"{seen}: {pair}", OTHER_PAIR
    if sizes != [trial.ranks]:
        asked = f"{trial.ranks} {'was' if trial.ranks == 1 else 'were'} requested"
        return f"a world of {counted(sizes[0], 'rank')}, but {asked}", AGREE
    if len(entered) < trial.ranks:
        return f"only {len(entered)} of {trial.ranks} ranks reported", SEE
    refusal = next((report["refusal"] for report in entered if report["refusal"]), "")
    if refusal and "without_mpi" not in entered[0]:
        return f"one world of {trial.ranks}, but a fit refuses it: {refusal}", OTHER_PAIR
    return None


def _world(trial: Trial, entered: Sequence[Report], hosts: Sequence[str]) -> Line:
    where = f"{counted(trial.ranks, 'rank')} on {_hosts(len(hosts))} ({_named(hosts)})"
    if why := next((report["without_mpi"] for report in entered if "without_mpi" in report), None):
        cure = "no action needed: the ranks of a fit connect through the run directory instead"
        return warning(TOPIC, f"{trial.started}: {where} without MPI: {why}", cure)
    return ok(TOPIC, f"{trial.started}: one world of {where}, {entered[0]['library']}")


def _ending(trial: Trial) -> str:
    """Return how a failed run ended, with the end of its output; empty if it succeeded."""
    code = trial.ended.code
    if code == 0:
        return ""
    how = "; timed out" if code is None else f"; the launcher ended with exit code {code}"
    words = trial.ended.last_words(leaving_out=probe.MARK)
    return f"{how}: {words}" if words else how


def _end(trial: Trial, entered: Sequence[Report]) -> list[Line]:
    """Report what stopped ranks that had entered one world."""
    if trial.ended.code == 0:
        return []
    unfinished = sum("files" not in report for report in entered)
    seen = f"{unfinished} of {counted(trial.ranks, 'rank')} did not finish{_ending(trial)}"
    return [fault("MPI end", seen, "see its output: a fit may fail in the same way")]


def _few_hosts(hosts: Sequence[str], nodes: int) -> list[Line]:
    if len(hosts) >= nodes:
        return []
    seen = f"the ranks run on {_hosts(len(hosts))} of the allocation's {nodes}"
    return [warning("hosts", seen, "use a launcher that knows the batch system, or give it a host list")]


def _shared_cores(entered: Sequence[Report]) -> list[Line]:
    """Warn about hosts whose ranks are bound to fewer cores than there are workers."""
    crowded = []
    for host in sorted({report["host"] for report in entered}):
        there = [report for report in entered if report["host"] == host]
        cores = set().union(*(report["cores"] for report in there))
        # The scheduler, rank 0, uses little CPU.
        if sum(report["rank"] != 0 for report in there) > len(cores):
            crowded.append(f"{len(there)} ranks are bound to {counted(len(cores), 'core')} of {host}")
    if not crowded:
        return []
    cure = "bind each rank to a core of its own, or none (Open MPI: mpirun --bind-to none)"
    return [warning("bound cores", crowded[0], cure)]


def _hosts(count: int) -> str:
    return counted(count, "host")


def _named(hosts: Sequence[str]) -> str:
    return ", ".join(hosts[:4]) + (", …" if len(hosts) > 4 else "")
