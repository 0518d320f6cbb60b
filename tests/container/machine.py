"""What this machine has for building and running images, and how it is used."""

import os
import shutil
import subprocess
from pathlib import Path

from support import ROOT

HERE = Path(__file__).parent / "closed-network"
BASE = "docker.io/library/debian:trixie-slim"
IMAGE = "localhost/espei-hpc"
VARIANTS = ("both", "openmpi", "mpich", "none")
SOMEONE = "4242:4242"
"""A user that no image and no machine knows of."""
CA_BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")


def run(*words: str | Path, env: dict[str, str] | None = None) -> str:
    """Run a command that must succeed; return what it printed on standard output."""
    done = subprocess.run(
        [str(word) for word in words], cwd=ROOT, env=os.environ | (env or {}), capture_output=True, text=True
    )
    assert done.returncode == 0, f"{words} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
    return done.stdout


def podman(*words: str | Path) -> str:
    """Run podman."""
    return run("podman", *words, env=podman_environment())


def podman_environment() -> dict[str, str]:
    """Return settings with which podman works on a machine of a CI service; the user's own go first."""
    return {"CONTAINERS_CONF": os.environ.get("CONTAINERS_CONF", str(HERE / "containers.conf"))}


def make_base_image() -> None:
    """Get the Containerfile's base image from a registry, or make it from Debian's packages."""
    known = ["podman", "image", "exists", BASE]
    pull = ["podman", "pull", "--quiet", BASE]
    environment = os.environ | podman_environment()
    if any(
        subprocess.run(words, env=environment, capture_output=True).returncode == 0 for words in (known, pull)
    ):
        return
    tar = ROOT / "build" / "debian-trixie-slim.tar"
    run(HERE / "make-base-image", "trixie", tar)
    podman("import", "--quiet", "--change", 'CMD ["bash"]', tar, BASE)
    tar.unlink()


def make(
    target: str,
    variant: str,
    directory: Path,
    *settings: str,
    engine: str = "podman",
    env: dict[str, str] | None = None,
) -> None:
    """Run one of images.mk's targets, as a user behind this machine's package index would."""
    # Docker asks no registry for an image that it has.
    pull = " --pull=never" if engine == "podman" else ""
    run(
        "make",
        target,
        f"MPI={variant}",
        f"ENGINE={engine}",
        f"IMAGE={IMAGE}",
        f"IMAGE_BUILD_ARGS=--network host{pull} {_package_index(directory)}",
        # The SIF's own test has a test here; at build time it needs more rights than root may have.
        "SIF_BUILD_ARGS=--notest",
        *settings,
        env=podman_environment() | (env or {}),
    )


def _package_index(directory: Path) -> str:
    """Return the secrets that tell a build of this machine's package index and certificates."""
    configuration = directory / "pip.conf"
    configuration.write_text(pip_configuration())
    secrets = [f"--secret id=pip.conf,src={configuration}"]
    if CA_BUNDLE.exists():
        secrets.append(f"--secret id=ca.crt,src={CA_BUNDLE}")
    return " ".join(secrets)


def pip_configuration() -> str:
    """Return what tells a build's pip of this machine's package index, with the certificates as a secret."""
    python = shutil.which("python3", path="/usr/bin:/bin") or "python3"
    listed = subprocess.run([python, "-m", "pip", "config", "list"], capture_output=True, text=True).stdout
    settings = dict(line.split("=", 1) for line in listed.splitlines() if "=" in line)
    lines = ["[global]"]
    for name in ("index-url", "proxy", "trusted-host"):
        for key in (f":env:.{name}", f"global.{name}"):
            if key in settings:
                lines.append(f"{name} = {settings[key].strip(chr(39))}")
                break
    if CA_BUNDLE.exists():
        lines.append("cert = /run/secrets/ca.crt")
    return "\n".join(lines) + "\n"


def in_image(*words: str | Path, variant: str = "both", volume: Path | None = None) -> list[str]:
    """Return the command that runs words in an image the way a strict site would.

    A user unknown to the image, nothing writable but /tmp and the mounted
    directory, no right to gain any, no network.
    """
    options = [
        *("--user", SOMEONE, "--passwd=false", "--read-only", "--tmpfs", "/tmp", "--network", "none"),
        *("--cap-drop=all", "--security-opt=no-new-privileges", "--env", "ESPEI_HPC_TEST_TAG"),
    ]
    if volume:
        options += ["--volume", f"{volume}:/work"]
    return ["podman", "run", "--rm", *options, f"{IMAGE}:{variant}", *map(str, words)]
