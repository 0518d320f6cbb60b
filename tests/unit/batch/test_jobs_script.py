"""Whatever the names, a script is bash that means them, and directives that the batch system reads."""

import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from espei_hpc.batch import SUBMISSIONS
from espei_hpc.batch.scripts import KINDS, JobScript, render
from espei_hpc.errors import Refusal
from espei_hpc.exit_codes import ExitCode

JOB = JobScript("slurm", "one-node", ("x.yaml",), "espei.sif", "abc", 1, 8, 24.0, "one-node.sbatch")
ODD = """it's $HOME/a "b"; `c`.yaml"""


def of_kind(kind: str, job: JobScript = JOB) -> JobScript:
    least, _ = KINDS[kind].inputs
    inputs = tuple(f"{number}/{ODD}" for number in range(least))
    return replace(job, kind=kind, nodes=KINDS[kind].nodes, inputs=inputs, image=f"{ODD}.sif", script=ODD)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("system", SUBMISSIONS)
def test_odd_names_stay_what_they_are(system: str, kind: str) -> None:
    job = of_kind(kind, replace(JOB, system=system))
    text = render(job)
    head = [line for line in text.splitlines() if re.match(r"(image|inputs?)=", line)]
    tell = (
        'printf "%s\\n" "$image" "${inputs[@]}"'
        if KINDS[kind].starts_itself
        else 'printf "%s\\n" "$image" "$input"'
    )
    told = subprocess.run(
        ["bash", "-euc", "\n".join([*head, tell])], capture_output=True, text=True, check=True
    )
    assert told.stdout.splitlines() == [job.image, *job.inputs]
    assert subprocess.run(["bash", "-n"], input=text, text=True).returncode == 0


@pytest.mark.parametrize("kind", KINDS)
def test_users_code_is_in_the_command_of_the_fit_or_refused(kind: str) -> None:
    job = replace(of_kind(kind), user_code="my code")
    if KINDS[kind].user_code:
        assert " --user-code 'my code'" in render(job)
    else:
        with pytest.raises(Refusal, match="use --kind one-node or many-nodes"):
            render(job)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("system", "dialect", "size"),
    [
        ("slurm", "select", "#SBATCH --nodes={}\n"),
        ("pbs", "select", "#PBS -l select={}:ncpus=8:mpiprocs=8:ompthreads=1\n"),
        ("pbs", "nodes", "#PBS -l nodes={}:ppn=8\n"),
    ],
)
def test_size_is_as_asked(system: str, dialect: str, size: str, kind: str) -> None:
    job = of_kind(kind, replace(JOB, system=system, dialect=dialect))
    assert size.format(KINDS[kind].nodes) in render(job)


def test_directives_come_before_any_command() -> None:
    for system, submission in SUBMISSIONS.items():
        for kind in KINDS:
            lines = render(of_kind(kind, replace(JOB, system=system))).splitlines()
            directives = [
                number for number, line in enumerate(lines) if line.startswith(submission.directive)
            ]
            first = next(number for number, line in enumerate(lines) if line and not line.startswith("#"))
            assert directives
            assert max(directives) < first


def test_job_without_account_has_no_line_for_it() -> None:
    for system in SUBMISSIONS:
        job = replace(JOB, system=system, account="accounted")
        assert sum("accounted" in line for line in render(job).splitlines()) == 1
        assert "account" not in render(replace(job, account=None))


def test_modules_launcher_and_recipe_reach_the_script() -> None:
    job = replace(
        of_kind("many-nodes"),
        setup=("module purge", "module load openmpi/4"),
        launcher="srun --mpi=pmix",
        host_mpi="roar-collab",
        engine="singularity",
    )
    text = render(job)
    assert text.index("module purge\nmodule load openmpi/4\n") < text.index("set -euo pipefail")
    assert text.rstrip().endswith(""" --launcher 'srun --mpi=pmix' --host-mpi roar-collab""")
    assert "apptainer" not in text


@pytest.mark.parametrize(
    ("hours", "written"), [(24, "24:00:00"), (1.5, "01:30:00"), (0.25, "00:15:00"), (168, "168:00:00")]
)
def test_hours_are_written_as_batch_systems_read_them(hours: float, written: str) -> None:
    assert SUBMISSIONS["slurm"].walltime(hours) == written


DIALECTS = [(system, dialect) for system, known in SUBMISSIONS.items() for dialect in known.dialects or [""]]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("system", "dialect"), DIALECTS)
def test_walltime_is_in_its_directive_alone(system: str, dialect: str, kind: str) -> None:
    job = replace(of_kind(kind, replace(JOB, system=system, dialect=dialect)), hours=13.6)
    holding = [line for line in render(job).splitlines() if "13:36" in line]
    assert len(holding) == 1
    assert holding[0].startswith(SUBMISSIONS[system].directive)


@pytest.mark.parametrize(
    ("script", "name"),
    [
        ("x.pbs", ""),
        ("of a user/x.pbs", ""),
        ("Cu-Mg (2).pbs", "Cu-Mg_2"),
        ("x y.pbs", "x_y"),
        ("Système:é.pbs", "Systeme_e"),
        ("2nd.pbs", "fit-2nd"),
        ("-x.pbs", "x"),
        ("铜镁.pbs", "fit"),
        ("Cu-Mg with a long name.pbs", "Cu-Mg_with_a_lo"),
        ("Cu-Mg with two of them.pbs", "Cu-Mg_with_two"),
    ],
)
@pytest.mark.parametrize("dialect", ["select", "nodes"])
def test_job_has_a_name_that_pbs_accepts(script: str, name: str, dialect: str) -> None:
    text = render(replace(JOB, system="pbs", dialect=dialect, script=script))
    assert re.findall(r"^#PBS -N (.*)$", text, re.MULTILINE) == ([name] if name else [])


def test_all_faults_are_told_at_once() -> None:
    job = replace(
        JOB, account="a b", image="espei.tar", nodes=2, ranks_per_node=0, hours=float("nan"), inputs=()
    )
    with pytest.raises(Refusal) as refused:
        render(job)
    assert refused.value.code == ExitCode.USAGE
    told = "\n".join(map(str, refused.value.faults))
    for option in ("--account", "--image", "--ranks-per-node", "--nodes: a job of kind", "--hours", "--in"):
        assert option in told


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"account": "x\n#SBATCH --uid=0"}, "is not a valid account"),
        ({"hours": 0.0}, "not between"),
        ({"hours": float("inf")}, "not between"),
        ({"hours": 0.001}, "not between"),
        ({"ranks_per_node": 1}, "at least 2 ranks"),
        ({"inputs": ("x.yaml\nrm",)}, "non-printable character"),
        ({"kind": "chain"}, "needs 2; give first the input that generates"),
        ({"kind": "array", "inputs": ("a/x.yaml", "a/x.yaml")}, "same file twice"),
    ],
    ids=str,
)
def test_what_no_batch_system_would_take_is_refused(change: dict[str, object], told: str) -> None:
    with pytest.raises(Refusal, match=re.escape(told)):
        render(replace(JOB, **change))  # type: ignore[arg-type]


def test_scripts_are_part_of_the_package() -> None:
    import espei_hpc.batch.scripts

    assert (Path(espei_hpc.batch.scripts.__file__).parent / "templates" / "slurm.j2").is_file()
