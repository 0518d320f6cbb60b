"""Without ssh, every mpirun starts ranks on other nodes of a PBS job through pbsdsh.

No PBS runs here: what stands in for pbsdsh is in batch.pbs. The nodes, every mpirun and the ranks are real.
"""

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from batch.pbs import Mom
from batch.slurm.login import Login
from espei_hpc.doctor.probe import reports
from mpi_support import LAUNCHERS
from support import BIN, ROOT, TAG, Result

SHELL = ROOT / "entrypoints" / "pbs-remote-shell"
# mpiprocs=2: the second node's number is 2.
LINES = ["node1", "node1", "node2", "node2", "node3", "node3"]
CLOSED = "#!/bin/bash\necho 'ssh is closed' >&2\nexit 255\n"


@pytest.fixture
def mom(slurm: Login) -> Iterator[Mom]:
    """What starts tasks, whose directory has all that a job finds; ssh is closed."""
    hosts = [slurm.cluster.hosts[name] for name in LINES]
    commands = Path(tempfile.mkdtemp(prefix="pbs-", dir=slurm.cluster.directory))
    commands.chmod(0o755)
    output = slurm.directory / "job-output"
    output.touch()
    started = Mom(commands, hosts, slurm.cluster.user, output, {TAG: slurm.commands.tag})
    (slurm.directory / "nodes").write_text("".join(f"{line}\n" for line in LINES))
    for name in ("ssh", "rsh"):
        (commands / name).write_text(CLOSED)
        (commands / name).chmod(0o755)
    slurm.own()
    yield started
    started.shutdown()
    started.server_close()


def run(slurm: Login, mom: Mom, script: str, launcher: Path = SHELL, **variables: str) -> Result:
    """Run lines of a job's script, on its first node."""
    job = {
        "PATH": f"{mom.commands}:{launcher.parent}:{BIN}:/usr/local/bin:/usr/bin:/bin",
        "PBS_ENVIRONMENT": "PBS_BATCH",
        "PBS_JOBID": "41.head",
        "PBS_NODEFILE": str(slurm.directory / "nodes"),
        **variables,
    }
    settings = [f"{name}={value}" for name, value in job.items()]
    return slurm.run("env", *settings, "bash", "-c", script, host="node1")


def trial(launcher: Path) -> str:
    """Return the line of a job's script that starts ranks which tell where they are."""
    option = "--hostfile" if "openmpi" in str(launcher) else "-f"
    rank = f"{BIN}/espei-hpc probe --dir $(mktemp --directory --tmpdir=.) --ranks 6 --seconds 300"
    return f'{launcher} -n 6 {option} "$PBS_NODEFILE" {rank}'


@pytest.mark.parametrize(
    "launcher",
    [
        # The others are Debian's, older versions of the first two.
        pytest.param(
            path,
            id=f"{path.parts[-3]}-{path.name}",
            marks=[] if path in (*LAUNCHERS[:2], LAUNCHERS[-1]) else pytest.mark.long,
        )
        for path in LAUNCHERS
    ],
)
def test_ranks_are_one_world_over_three_nodes_without_ssh(launcher: Path, slurm: Login, mom: Mom) -> None:
    result = run(slurm, mom, f'eval "$({SHELL} --settings)"\n{trial(launcher)}', launcher)
    assert result.code == 0, result.output + mom.output.read_text()
    ranks = sorted(reports(result.output), key=lambda told: told["rank"])
    assert [told["rank"] for told in ranks] == [0, 1, 2, 3, 4, 5]
    assert sorted(told["host"] for told in ranks) == LINES
    assert {told["size"] for told in ranks} == {6}
    assert all(told.get("library") for told in ranks)
    assert sorted(name for name, _ in mom.tasks) == ["node2", "node3"]
    slurm.wait_until_nothing_runs()


@pytest.mark.needs("Debian's MPIs")
def test_lines_of_the_examples_reach_hosts_on_which_the_jobs_tmpdir_is_their_own(
    slurm: Login, mom: Mom
) -> None:
    # Debian's Open MPI 4 looks for the file on every host.
    launcher = next(path for path in LAUNCHERS if path.name == "mpirun.openmpi")
    text = (ROOT / "pbs-examples" / "many-nodes.pbs").read_text()
    lines = re.findall(r"^# ((?:remote_shell=|apptainer exec|eval ).*)$", text, re.MULTILINE)
    assert len(lines) == 3
    lines[1] = lines[1].replace('apptainer exec "$image" cat /usr/local/bin/pbs-remote-shell', f"cat {SHELL}")
    result = run(slurm, mom, "\n".join([*lines, trial(launcher)]), launcher, TMPDIR="/var/tmp")
    assert result.code == 0, result.output + mom.output.read_text()
    assert sorted(told["host"] for told in reports(result.output)) == LINES


def test_ssh_is_closed_here(slurm: Login, mom: Mom) -> None:
    result = run(slurm, mom, f'{LAUNCHERS[1]} -n 6 -f "$PBS_NODEFILE" hostname', LAUNCHERS[1])
    assert result.code != 0, result.output


@pytest.mark.parametrize("command", ["exit 0", "exit 7"])
def test_exit_code_is_that_of_the_command(command: str, slurm: Login, mom: Mom) -> None:
    assert run(slurm, mom, f"{SHELL} node2 '{command}'").code == int(command.split()[1])


def test_command_finds_the_directory_and_what_modules_have_set(slurm: Login, mom: Mom) -> None:
    command = "'hostname; pwd; echo $LD_LIBRARY_PATH; ' cat"
    result = run(slurm, mom, f"{SHELL} -x ada@node3.cluster {command}", LD_LIBRARY_PATH="/a b/lib")
    assert result.code == 0, result.output
    assert mom.output.read_text().split("\n") == ["node3", str(slurm.directory), "/a b/lib", ""]


@pytest.mark.parametrize("words", ["elsewhere hostname", "10.0.0.1 hostname"])
def test_host_outside_of_the_job_is_refused(words: str, slurm: Login, mom: Mom) -> None:
    result = run(slurm, mom, f"{SHELL} {words}")
    assert (result.code, "is not in" in result.output) == (255, True), result.output
    assert mom.tasks == []


def test_signal_ends_the_command_on_its_node(slurm: Login, mom: Mom) -> None:
    lines = (
        f"{SHELL} node2 'echo begun; sleep 600' & until grep -q begun job-output; do sleep 0.1; done; kill $!"
    )
    result = run(slurm, mom, f"{lines}; wait $!")
    assert result.code == 255, result.output
    slurm.wait_until_nothing_runs()


def test_without_pbs_it_says_so(slurm: Login, mom: Mom) -> None:
    (slurm.directory / "nodes").unlink()
    result = run(slurm, mom, f"{SHELL} node2 hostname")
    assert (result.code, "PBS_NODEFILE" in result.output) == (255, True), result.output
