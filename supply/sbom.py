"""Write what is in an image as a CycloneDX bill of materials: python supply/sbom.py ENGINE IMAGE FILE.

With podman or docker: Debian's packages as dpkg knows them, Python's as their own metadata tells. The image
itself is asked, not the lock file: what is listed is what is there.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

DEBIAN = r"dpkg-query --show --showformat=${Package}\t${Version}\t${Architecture}\n"
# MPIs have a prefix of their own each, where importlib would not look.
PYTHON = """
import importlib.metadata as metadata, json, pathlib, sys
places = [*sys.path, *map(str, pathlib.Path("/opt/espei/mpi").glob("*/lib/python*/site-packages"))]
found = {(d.metadata["Name"], d.version) for d in metadata.distributions(path=places)}
print(json.dumps(sorted(found)))
"""


def main(engine: str, image: str, file: Path) -> None:
    """Write the bill of an image into a file."""
    name, _, variant = image.rpartition(":")
    itself = Component(name=name, version=variant, type=ComponentType.CONTAINER)
    bom = Bom(components=[*_debian(engine, image), *_python(engine, image)])
    bom.metadata.component = itself
    bom.register_dependency(itself, bom.components)
    text = JsonV1Dot6(bom).output_as_string(indent=2)
    if error := JsonStrictValidator(SchemaVersion.V1_6).validate_str(text):
        sys.exit(f"sbom: the bill of {image} is not valid CycloneDX: {error}")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    print(f"{file}: {len(bom.components)} packages")


def _debian(engine: str, image: str) -> Iterator[Component]:
    for line in _ask(engine, image, *DEBIAN.split(" ", 2)).splitlines():
        name, version, architecture = line.split("\t")
        url = PackageURL("deb", "debian", name, version, {"arch": architecture})
        yield Component(name=name, version=version, purl=url, bom_ref=str(url))


def _python(engine: str, image: str) -> Iterator[Component]:
    for name, version in json.loads(_ask(engine, image, "python", "-c", PYTHON)):
        url = PackageURL("pypi", None, name.lower().replace("_", "-"), version)
        yield Component(name=name, version=version, purl=url, bom_ref=str(url))


def _ask(engine: str, image: str, *words: str) -> str:
    command = [engine, "run", "--rm", "--network", "none", image, *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
