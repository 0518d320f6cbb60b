"""What the kernel repeats and uses of pycalphad without a promise: a change must be loud."""

import hashlib
from importlib.resources import files

import pytest

DIGESTS = {
    "hyperplane.pyx": "153e36fe703a8245a42912860ea7f950e4be0ca695f1e2cd65d0361dd488eaf7",
    "eqsolver.pyx": "96617cfc82494cfb47dd300565494ba661e66cea91ecc91faaad07ad457b44ff",
    "constants.py": "ea01afb461ff0fd5d04c5b1797c6724d3128b8f5f9301c65d6aebcb9285ef2bd",
    "minimizer.pyx": "8c786de0b857522142fa66601ff13034824be055177288de2571a6d20b4854db",
    "minimizer.pxd": "d755e5ccb97a6d95171ab8bfeaab5957ad3158cb1e2348a7c45fe935a7df141f",
    "phase_rec.pyx": "b4baf868c1c8434c4c5aec1a1162930bf9b4210af7d6f0a70bf71958cf61cf3d",
    "phase_rec.pxd": "445b59c33ec658b1f0951ffee4d338a74ace0a04bba55b3a5fe553ba814a9581",
    "composition_set.pyx": "4d7fcc50426abcc640d9623afdbe9fd61847096dba71ae21c14ce92e2b305a37",
    "composition_set.pxd": "efe364f1ef97657b93496a6b6a7f658090ceaa78d678cd40cd6d3dcc0500ec3f",
}
"""SHA-256 of the sources that come with pycalphad 0.11.2.

The kernel repeats ``hyperplane.pyx``, ``eqsolver.pyx``, the loop of ``minimizer.pyx`` and the update of
``composition_set.pyx``, calls the functions of ``phase_rec.pyx``, and is built with the three ``.pxd``.
"""


@pytest.mark.parametrize("name", DIGESTS)
def test_source_is_the_one_that_the_kernel_was_written_from(name: str) -> None:
    source = (files("pycalphad.core") / name).read_bytes()
    assert hashlib.sha256(source).hexdigest() == DIGESTS[name], (
        f"pycalphad/core/{name} has changed: read what the kernel repeats of it, then put its new digest here"
    )
