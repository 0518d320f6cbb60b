"""A directory with inputs to write job scripts for, away from what this machine and its user have set."""

from pathlib import Path

import pytest
import yaml

from fits import write_fit
from support import EXAMPLE


@pytest.fixture
def inputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory: generate.yaml, x.yaml with a scheduler file, cu-mg/x.yaml, al-mg/x.yaml."""
    for name in ("APPTAINER_CONTAINER", "SINGULARITY_CONTAINER", "LMOD_SYSTEM_NAME", "NERSC_HOST"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    path = write_fit(tmp_path, iterations=30)
    settings = yaml.safe_load(path.read_text())
    settings["mcmc"]["scheduler"] = "my_scheduler.json"
    path.write_text(yaml.safe_dump(settings))
    (tmp_path / "generate.yaml").write_text((EXAMPLE / "generate.yaml").read_text())
    for name in ("cu-mg", "al-mg"):
        (tmp_path / name).mkdir()
        write_fit(tmp_path / name, iterations=30)
    return tmp_path
