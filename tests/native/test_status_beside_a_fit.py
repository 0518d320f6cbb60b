"""``espei-hpc status`` beside a fit that really runs."""

import json
import os
import re
import signal
import socket
from http.client import HTTPConnection
from pathlib import Path

from espei_hpc.containers import named_container
from espei_hpc.rundir.status.words import PAGE
from fits import save_often
from support import Commands, wait_until


def test_status_tells_a_running_fit_and_the_way_to_dasks_pages(commands: Commands, endless_fit: Path) -> None:
    # Else the checkpoint has the start alone for 30 s.
    save_often(endless_fit)
    fit = commands.start("espei-mpi", "--in", endless_fit, "-n", "3")
    fit.wait_for_output("iteration ")
    before = wait_until(lambda: _saved(commands), "iterations that are saved")
    told = commands.run("espei-hpc", "status", "x.yaml")
    assert told.code == 0, told.output
    first, figures, process, cluster, pages = told.output.splitlines()
    assert (
        found := re.match(r"x.yaml: sampling, (\d+) of 20000 iterations saved, the last \d+ s ago", first)
    )
    assert int(found[1]) >= before
    host = socket.gethostname()
    of_workers = r"\d+ s per iteration, .* left, 2 workers, \d+% busy$"
    assert re.match(r"    iteration \d+, log-probability best -.*, acceptance 0\..*" + of_workers, figures)
    assert (found := re.match(rf"    process (\d+) on {host}, since .*: running$", process))
    assert int(found[1]) in {one.pid for one in fit.processes()}
    assert f"cluster: 3 ranks (3 on {host}); scheduler on {host}, tls://" in cluster
    engine = named_container(os.environ)  # the tests too may run in one
    way = (
        r" at http://127.0.0.1:(\d+)/"
        if engine
        else rf"ssh -N -L 8787:127.0.0.1:(\d+) {host}  then \S+:8787/"
    )
    assert (found := re.search(way + re.escape(PAGE), pages)), pages
    assert "<title> Workers </title>" in _page(int(found[1]), "/" + PAGE)
    seen_enough = commands.start("espei-hpc", "status", "--watch", "1", "x.yaml")
    wait_until(lambda: seen_enough.output.count("x.yaml: sampling") > 1, "two looks")
    seen_enough.process.send_signal(signal.SIGINT)
    assert seen_enough.finish().code == 0
    watch = commands.start("espei-hpc", "status", "--watch", "1")
    watch.wait_for_output("x.run: sampling")
    fit.process.terminate()
    assert fit.finish().code == 75
    watched = watch.finish()
    assert watched.code == 0
    assert "x.run: stopped (exit code 75)" in watched.output
    told = commands.run("espei-hpc", "status")
    assert told.code == 0, told.output
    assert told.output.startswith("x.run: stopped (exit code 75), ")
    assert len(told.output.splitlines()) == 1


def _saved(commands: Commands) -> int:
    told = commands.run("espei-hpc", "status", "--json", "x.run")
    assert told.code == 0, told.output
    (one,) = json.loads(told.output)
    saved: int = one["saved"]
    return saved


def _page(port: int, path: str) -> str:
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", path)
    answer = connection.getresponse()
    assert answer.status == 200
    return answer.read().decode()
