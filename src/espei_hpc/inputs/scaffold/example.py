"""The example as a project of the user's own: Cu-Mg, a fit in under a minute."""

from espei_hpc.shipped import shipped

# Named, since a source tree may hold what a fit has written there.
FILES = ("mcmc.yaml", "cu-mg_start.tdb", "phase_models.json", "README.md", "compare.py", "generate.yaml")


def contents() -> dict[str, bytes]:
    """Return the contents of the example's files by their names."""
    place = shipped("inputs/scaffold/example", "examples/cu-mg")
    datasets = sorted(place.glob("datasets/*.json"))
    files = [*(place / name for name in FILES), *datasets]
    return {str(file.relative_to(place)): file.read_bytes() for file in files}
