"""A launcher is told from its file, its links and its neighbours, never by being asked."""

from pathlib import Path

import pytest

from elf_support import WHEELS
from espei_hpc.mpi.host.launcher import Launcher, identify, which
from espei_hpc.mpi.host.root import Root
from mpi_support import HERE, LAUNCHERS, path_of, says, write

HYDRA = WHEELS / "mpich/bin/mpiexec.hydra"
SLURM = "/usr/lib/x86_64-linux-gnu/slurm-wlm"


@pytest.mark.parametrize("launcher", LAUNCHERS, ids=str)
def test_kind_and_version_are_what_the_launcher_says_itself(launcher: Path) -> None:
    found = identify(HERE, [str(launcher)], {"PATH": path_of(launcher)})
    said = says(launcher)
    kinds = {"HYDRA": "mpich", "Intel(R) MPI": "intel"}
    assert found.kind == next((kind for word, kind in kinds.items() if word in said), "openmpi")
    assert found.version is not None
    assert found.version in said
    assert found.pmi == (("pmix",) if found.kind == "openmpi" else ("pmi1", "pmi2"))


def test_a_launcher_is_looked_up_as_a_shell_does(tmp_path: Path) -> None:
    write(tmp_path, {"/a/mpirun": "not executable", "/here/x": ""})
    write(tmp_path, {"/b/mpirun": "#!/bin/sh\n", "/here/b/mpirun": "#!/bin/sh\n"}, mode=0o755)
    root, environment = Root(tmp_path), {"PATH": "relative::/a:/b", "PWD": "/here"}
    assert str(which(root, "mpirun", environment)) == "/b/mpirun"
    assert str(which(root, "./b/mpirun", environment)) == "/here/b/mpirun"
    assert which(root, "/a/mpirun", environment) is None
    assert which(root, "prun", environment) is None


def test_what_is_not_there_is_unknown() -> None:
    found = identify(HERE, ["mpirun"], {"PATH": "/nowhere"})
    assert (found.kind, found.path, found.pmi, found.chosen) == ("unknown", None, (), False)


def test_a_program_that_is_no_launcher_is_unknown() -> None:
    assert identify(HERE, ["/bin/sh"], {}).kind == "unknown"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A host with a real Hydra, and one that says of itself that it is Intel's."""
    for place in ("usr/bin", "impi/bin"):
        (tmp_path / place).mkdir(parents=True)
    (tmp_path / "usr/bin/mpiexec.hydra").write_bytes(HYDRA.read_bytes())
    intel = b"\x7fELF\0I_MPI_HYDRA_BOOTSTRAP\0HYDRA_HOST_FILE\0Version %s Build %s\n\0" + b"2021.18.1\0"
    (tmp_path / "impi/bin/mpiexec.hydra").write_bytes(intel)
    write(tmp_path, {"/impi/bin/mpirun": INTELS_SCRIPT})
    for program in tmp_path.glob("*/bin/*"):
        program.chmod(0o755)
    return tmp_path


# In essence what Intel's mpirun is.
INTELS_SCRIPT = """#!/bin/sh
# mpiexec.gforker is not meant
if [ -z "$I_MPI_ROOT" ] ; then
    if [ -f ${0%/*}/../env/vars.sh ]; then
        . ${0%/*}/../env/vars.sh ""
    fi
fi
export I_MPI_MPIRUN="mpirun"
mpiexec.hydra "$@" <&0
"""


def test_a_script_is_what_it_starts_from_path(tree: Path) -> None:
    for path, kind, version in (
        ("/impi/bin:/usr/bin", "intel", "2021.18.1"),
        ("/usr/bin:/impi/bin", "mpich", says(HYDRA)),
    ):
        found = identify(Root(tree), ["/impi/bin/mpirun"], {"PATH": path})
        assert found.kind == kind
        assert found.version in version if found.version else False


def test_a_script_that_finds_nothing_to_start_is_unknown(tree: Path) -> None:
    # It would fail, though a launcher lies beside it: its module is not loaded.
    assert identify(Root(tree), ["/impi/bin/mpirun"], {"PATH": "/bin"}).kind == "unknown"


def test_a_script_that_reads_its_own_settings_starts_its_own(tree: Path) -> None:
    write(tree, {"/impi/env/vars.sh": "PATH=..."})
    assert identify(Root(tree), ["/impi/bin/mpirun"], {"PATH": "/usr/bin"}).kind == "intel"


def test_a_sites_script_is_followed_to_the_launcher(tree: Path) -> None:
    write(
        tree,
        {
            "/site/bin/mpirun": '#!/bin/bash\nsource /etc/profile\nexec /site/real/mpirun -genvall "$@"\n',
            "/site/real/mpirun": '#!/bin/bash\nexec mpiexec.hydra "$@"\n',
            "/site/bin/loop": '#!/bin/bash\nexec /site/bin/mpiexec "$@"\n',
            "/site/bin/mpiexec": '#!/bin/bash\nexec /site/bin/mpiexec "$@"\n',
        },
        mode=0o755,
    )
    found = identify(Root(tree), ["mpirun"], {"PATH": "/site/bin:/usr/bin"})
    assert (found.kind, str(found.path)) == ("mpich", "/usr/bin/mpiexec.hydra")
    assert identify(Root(tree), ["loop"], {"PATH": "/site/bin"}).kind == "unknown"


@pytest.mark.parametrize(
    ("words", "environment", "known"),
    [
        (["mpiexec.hydra"], {}, False),
        (["mpiexec.hydra", "-ppn", "4"], {}, True),
        (["mpiexec.hydra", "-hosts", "a,b"], {}, False),
        (["mpiexec.hydra"], {"PBS_NODEFILE": "/x"}, True),
        (["mpiexec.hydra"], {"SLURM_JOB_ID": "1"}, True),
    ],
)
def test_a_hydra_knows_its_slots_from_an_option_or_a_batch_system(
    tree: Path, words: list[str], environment: dict[str, str], known: bool
) -> None:
    assert identify(Root(tree), words, {"PATH": "/usr/bin", **environment}).slots_known is known


def test_an_mpiexec_of_pals_is_known_by_where_it_is_installed(tmp_path: Path) -> None:
    write(tmp_path, {"/opt/cray/pals/1.4/bin/mpiexec": "\x7fELF"}, mode=0o755)
    (tmp_path / "opt/cray/pals/default").symlink_to("1.4")
    found = identify(Root(tmp_path), ["mpiexec"], {"PATH": "/opt/cray/pals/default/bin"})
    assert (found.kind, found.pmi) == ("pals", ("cray",))


def slurm(tree: Path, *words: str, **environment: str) -> Launcher:
    """Identify srun in a tree with the files that Debian's packages have."""
    plugins = ("none", "pmi2", "pmix", "pmix_v4", "cray_shasta")
    write(tree, {f"{SLURM}/mpi_{name}.so": "" for name in plugins})
    write(tree, {f"{SLURM}/libslurmfull.so": "x\0slurm\0" + "22.05.8\0", f"{SLURM}/auth_munge.so": ""})
    write(tree, {"/usr/bin/srun": "\x7fELF SLURM_"}, mode=0o755)
    return identify(Root(tree), ["srun", *words], {"PATH": "/usr/bin", **environment})


def test_srun_says_by_option_or_variable_which_pmi_it_serves(tmp_path: Path) -> None:
    assert slurm(tmp_path, "--mpi=pmi2", SLURM_MPI_TYPE="pmix").pmi == ("pmi2",)
    assert slurm(tmp_path, "--mpi", "pmix_v4", "-n", "2").pmi == ("pmix_v4",)
    assert slurm(tmp_path, SLURM_MPI_TYPE="pmix").pmi == ("pmix",)
    none = slurm(tmp_path, "--mpi=none")
    assert (none.pmi, none.chosen) == ((), True)


def test_without_a_word_srun_serves_what_its_configuration_says(tmp_path: Path) -> None:
    write(tmp_path, {"/etc/slurm/slurm.conf": "ClusterName=x\nmpidefault = pmix # for all\n"})
    assert slurm(tmp_path).pmi == ("pmix",)
    write(tmp_path, {"/elsewhere.conf": "ClusterName=x\n"})
    none = slurm(tmp_path, SLURM_CONF="/elsewhere.conf")
    assert (none.pmi, none.chosen) == ((), True)


def test_where_nothing_tells_sruns_pmi_it_is_not_known_but_what_it_offers_is(tmp_path: Path) -> None:
    found = slurm(tmp_path)
    assert (found.kind, found.version, found.pmi, found.chosen) == ("srun", "22.05.8", (), False)
    assert found.offers == ("cray_shasta", "none", "pmi2", "pmix", "pmix_v4")
