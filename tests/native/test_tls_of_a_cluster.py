"""All processes of an encrypted cluster keep the errors of a TLS connection to that connection."""

import pytest

from support import BIN, STOCK, Commands, running_cluster

OWN = "espei_hpc.cluster.tls_errors"
SHOW = """
import ssl
import distributed

def sockets():
    return ssl.SSLContext.sslsocket_class.__module__

def show(file):
    with distributed.Client(scheduler_file=file, timeout=60) as client:
        print(*{sockets(), client.run_on_scheduler(sockets), *client.run(sockets).values()}, sep="+")
"""
STOCK_CLIENT = SHOW + "show('my_scheduler.json')\n"
LOCAL = (
    SHOW
    + """
if __name__ == "__main__":
    from pathlib import Path
    from espei_hpc.cluster import dask_settings, local, prepare
    directory = prepare.own_cluster(Path("x.run"), prepare.ClusterRequest())
    dask_settings.use_only(directory.dask_config)
    with local.running(directory, 1):
        show(str(directory.scheduler_file))
"""
)


@pytest.mark.quick
def test_workers_on_this_machine_do(commands: Commands) -> None:
    script = commands.directory / "local.py"
    script.write_text(LOCAL)
    result = commands.run(BIN / "python", script)
    assert (result.code, result.output) == (0, f"{OWN}\n")


def test_ranks_and_a_client_of_stock_espei_do(commands: Commands) -> None:
    with running_cluster(commands, "-n", "2"):
        waited = commands.run("wait-for-cluster", "--scheduler-file", "my_scheduler.json", "-w", "1")
        assert waited.code == 0, waited.output
        offered = commands.directory / "my_scheduler.run" / "dask.yaml"
        client = (BIN / "python", "-c", STOCK_CLIENT)
        result = commands.run(*client, env=STOCK | {"DASK_CONFIG": str(offered)})
    assert (result.code, result.output) == (0, f"{OWN}\n")
