"""The Cu-Mg example as a new project: a fit that takes less than a minute."""

from espei_hpc.shipped import shipped

# Listed explicitly, because a source tree may have output files of a fit.
FILES = ("mcmc.yaml", "cu-mg_start.tdb", "phase_models.json", "README.md", "compare.py", "generate.yaml")


def contents() -> dict[str, bytes]:
    """Return the contents of the example's files, by name."""
    place = shipped("inputs/scaffold/example", "examples/cu-mg")
    datasets = sorted(place.glob("datasets/*.json"))
    files = [*(place / name for name in FILES), *datasets]
    return {str(file.relative_to(place)): file.read_bytes() for file in files}
