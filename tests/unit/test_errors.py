"""The form of a refusal."""

from espei_hpc.errors import Fault


def test_fault_is_one_line_whatever_upstream_said() -> None:
    assert str(Fault("x.yaml: mcmc", "one\n  two", "do\nthis")) == "x.yaml: mcmc: one two; do this"
