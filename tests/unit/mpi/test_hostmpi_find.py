"""The host's MPIs are found by their files alone, the one that PATH would start first."""

import os
from pathlib import Path, PurePosixPath

import pytest

from elf_support import WHEELS
from espei_hpc.errors import Refusal
from espei_hpc.mpi.host import contents, find
from espei_hpc.mpi.host.family import MPICH, OPEN_MPI
from espei_hpc.mpi.host.launcher import identify
from espei_hpc.mpi.host.root import Root
from mpi_support import HERE, LAUNCHERS, PREFIXES, install, says, write

FAMILIES = {"openmpi": "Open MPI", "mpich": "MPICH"}


@pytest.mark.parametrize("launcher", LAUNCHERS, ids=str)
def test_the_first_is_the_one_that_path_would_start(launcher: Path, tmp_path: Path) -> None:
    (tmp_path / "mpirun").symlink_to(launcher)
    path = f"{tmp_path}:{launcher.parent}:/usr/bin"
    first = find.search(HERE, {"PATH": path}, seconds=0).mpis[0]
    assert first.version is not None
    assert first.version in says(launcher)
    assert (first.launcher, first.found_by) == (PurePosixPath(tmp_path / "mpirun"), "PATH")


@pytest.mark.parametrize("prefix", PREFIXES, ids=str)
def test_a_named_prefix_is_known_by_any_of_its_directories(prefix: PurePosixPath) -> None:
    named = find.at(HERE, prefix)
    assert named.library.name == f"lib{'mpi' if named.soname.startswith('libmpi.') else 'mpich'}.so." + (
        "40" if named.family.abi == "openmpi" else "12"
    )
    assert [
        find.at(HERE, path).library for path in (prefix / "bin", named.library.parent, named.library)
    ] == [named.library] * 3


@pytest.mark.needs("Debian's MPIs")
def test_of_several_mpis_in_one_prefix_that_of_its_mpirun_is_meant() -> None:
    named = find.at(HERE, "/usr")
    assert FAMILIES[named.family.key] in says(Path("/usr/bin/mpirun")) or named.family.key == "mpich"
    found = find.search(HERE, {}, seconds=0).mpis
    assert {mpi.family.key for mpi in found} >= {"openmpi", "mpich"}


def test_library_and_launcher_of_one_prefix_belong_together() -> None:
    for prefix in PREFIXES:
        mpi = find.at(HERE, prefix)
        assert mpi.launcher is not None
        assert mpi.version is not None
        assert mpi.version in says(Path(mpi.launcher))


@pytest.mark.parametrize(
    ("prefix", "environment", "found_by"),
    [
        ("/apps/mpi/gcc", {"MPI_HOME": "/apps/mpi/gcc"}, "MPI_HOME"),
        ("/site/OpenMPI/5.0.11", {"EBROOTOPENMPI": "/site/OpenMPI/5.0.11"}, "EBROOTOPENMPI"),
        ("/site/x", {"LD_LIBRARY_PATH": "/site/x/lib"}, "LD_LIBRARY_PATH"),
        ("/usr/lib64/openmpi", {}, "distribution's directory"),
        ("/usr/lib64/mpi/gcc/openmpi5", {}, "distribution's directory"),
        ("/sp/opt/spack/linux-zen3/gcc-12/openmpi-5.0.11-abc", {"SPACK_ROOT": "/sp"}, "Spack"),
        ("/sp/opt/spack/linux-zen3/openmpi-5.0.11-abc", {"MODULEPATH": "/sp/share/spack/lmod/x"}, "Spack"),
        ("/eb/software/OpenMPI/5.0.11-GCC-13", {"MODULEPATH": "/eb/modules/all"}, "EasyBuild"),
        ("/opt/hpcx-2.18/ompi", {}, "search"),
        ("/opt/mpi/openmpi/5.0.11/gcc", {}, "search"),
    ],
)  # fmt: skip
def test_an_mpi_is_found_where_it_is_installed(
    prefix: str, environment: dict[str, str], found_by: str, tmp_path: Path
) -> None:
    install(tmp_path, prefix)
    found = find.find(Root(tmp_path), environment)
    assert [(str(mpi.library), str(mpi.launcher)) for mpi in found] == [
        (f"{prefix}/lib/libmpi.so.40", f"{prefix}/bin/mpirun")
    ]
    assert found[0].found_by == found_by


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("/modules/openmpi/5.0.11.lua", 'local p = "/far/away"\nprepend_path("PATH", "/far/away/bin")\n'),
        ("/modules/openmpi/5.0.11", "#%Module\nprepend-path PATH /far/away/bin\n"),
        ("/modules/openmpi.lua", 'setenv("MPI_HOME", "/far/away")\n'),
    ],
)
def test_a_module_that_is_not_loaded_leads_to_its_mpi(file: str, text: str, tmp_path: Path) -> None:
    install(tmp_path, "/far/away")
    write(tmp_path, {file: text})
    found = find.find(Root(tmp_path), {"MODULEPATH": "/modules"})
    assert [str(mpi.prefix) for mpi in found] == ["/far/away"]
    assert found[0].found_by == f"module {file.removeprefix('/modules/')}"


def test_mpi_selector_leads_to_the_mpi_selected(tmp_path: Path) -> None:
    install(tmp_path, "/far/away")
    write(
        tmp_path,
        {
            "/home/a/.mpi-selector": "openmpi-5\n",
            "/var/lib/mpi-selector/data/openmpi-5.sh": 'export PATH="/far/away/bin:${PATH}"\n',
        },
    )
    found = find.find(Root(tmp_path), {"HOME": "/home/a"})
    assert [mpi.found_by for mpi in found] == ["mpi-selector"]


def test_a_search_without_time_says_so_and_still_tells_what_is_named(tmp_path: Path) -> None:
    install(tmp_path, "/named")
    install(tmp_path, "/opt/openmpi")
    found = find.search(Root(tmp_path), {"MPI_HOME": "/named"}, seconds=0)
    assert [str(mpi.prefix) for mpi in found.mpis] == ["/named"]
    assert found.unfinished == "/opt and beyond"
    in_time = find.search(Root(tmp_path), {"MPI_HOME": "/named"})
    assert [str(mpi.prefix) for mpi in in_time.mpis] == ["/named", "/opt/openmpi"]
    assert in_time.unfinished == ""


def test_loops_and_directories_that_may_not_be_read_are_passed_by(tmp_path: Path) -> None:
    install(tmp_path, "/opt/b/openmpi")
    (tmp_path / "opt/b/again").symlink_to("/opt")
    (tmp_path / "opt/gone").symlink_to("/nowhere")
    (tmp_path / "opt/a/openmpi").mkdir(parents=True)
    (tmp_path / "opt/a").chmod(0)
    try:
        found = find.search(Root(tmp_path), {})
    finally:
        (tmp_path / "opt/a").chmod(0o755)
    assert [str(mpi.prefix) for mpi in found.mpis] == ["/opt/b/openmpi"]
    assert found.unfinished == ""


def test_one_mpi_under_several_names_is_told_once(tmp_path: Path) -> None:
    install(tmp_path, "/opt/openmpi/5.0.11")
    (tmp_path / "opt/openmpi/default").symlink_to("5.0.11")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/mpirun").symlink_to("/opt/openmpi/default/bin/mpirun")
    found = find.find(Root(tmp_path), {"PATH": "/bin", "MPI_HOME": "/opt/openmpi/default"})
    assert [mpi.found_by for mpi in found] == ["PATH"]


def test_what_is_no_mpi_is_refused_by_name(tmp_path: Path) -> None:
    write(tmp_path, {"/opt/x/lib/libmpi.so.40": "not a library", "/opt/x/lib/libmpich.so.12": ""})
    for directory, what in (("/opt/x", "no MPI library found in /opt/x"), ("/y", "/y does not exist")):
        with pytest.raises(Refusal, match=what):
            find.at(Root(tmp_path), directory)


@pytest.mark.parametrize(
    ("text", "family", "version"),
    [
        # As these libraries name themselves (MPI_Get_library_version), from public logs.
        ("MPI VERSION    : CRAY MPICH version 8.1.27.26 (ANL base 3.4a2)", "cray", "8.1.27.26"),
        ("MVAPICH2 Version      :\t%s\n\0 MVAPICH2-2.3.7", "mvapich", "2.3.7"),
    ],
)
def test_what_is_not_here_is_known_by_how_it_names_itself(
    text: str, family: str, version: str, tmp_path: Path
) -> None:
    write(tmp_path, {"/lib/libmpi.so.12": f"\0MPICH Version: %s\0{text}\0"})
    library = PurePosixPath("/lib/libmpi.so.12")
    found = contents.library_family(Root(tmp_path), library)
    assert found is not None
    assert (found.key, contents.version(Root(tmp_path), library, found)) == (family, version)


def test_the_version_is_also_told_by_what_is_installed_with_a_library(tmp_path: Path) -> None:
    for family in (OPEN_MPI, MPICH):
        prefix = PurePosixPath(WHEELS / family.key)
        assert contents.version_beside(HERE, prefix, family) == find.at(HERE, prefix).version
    write(tmp_path, {"/p/lib64/pkgconfig/ompi.pc": "Name: Open MPI\nVersion: 4.1.5\n"})
    assert contents.version_beside(Root(tmp_path), PurePosixPath("/p"), OPEN_MPI) == "4.1.5"


def test_a_search_of_this_machine_runs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a program was started")

    for name in ("posix_spawn", "execve", "fork", "system"):
        monkeypatch.setattr(os, name, refuse)
    monkeypatch.setattr("subprocess.Popen", refuse)
    found = find.find(HERE, {"PATH": f"{WHEELS}/mpich/bin:/usr/bin"})
    assert found[0].family.key == "mpich"


@pytest.mark.needs("Debian's MPIs")
@pytest.mark.parametrize(("command", "family"), [("mpirun.mpich", "mpich"), ("mpirun.openmpi", "openmpi")])
def test_of_two_mpis_in_one_prefix_that_of_the_launcher_is_taken(command: str, family: str) -> None:
    launcher = identify(HERE, [command], dict(os.environ))
    assert find.at(HERE, "/usr", dict(os.environ), launcher).family.key == family
