"""What changed since a run began (row 19 of the fault table)."""

from hypothesis import given, settings
from hypothesis import strategies as st

from espei_hpc.rundir.changes import compare

DIGEST, OTHER = "0123456789abcdef" * 4, "fedcba9876543210" * 4


def test_fault_19_same_fingerprint_has_no_change() -> None:
    assert compare({"espei": "0.9.1", "symbols": DIGEST}, {"symbols": DIGEST, "espei": "0.9.1"}) == []


def test_fault_19_each_change_is_named() -> None:
    recorded = {"espei": "0.9.1", "database": DIGEST, "dataset a.json": DIGEST, "setting mcmc.prior": "zero"}
    now = {"espei": "0.9.2", "database": OTHER, "dataset b.json": OTHER, "setting mcmc.approximate": "true"}
    assert compare(recorded, now) == [
        "espei 0.9.1 -> 0.9.2",
        "database has changed",
        "dataset a.json is gone",
        "setting mcmc.prior is gone (zero)",
        "dataset b.json is new",
        "setting mcmc.approximate is new (true)",
    ]


def test_fault_19_long_values_are_not_shown() -> None:
    assert compare({"symbols": "V0000 " * 20}, {"symbols": "V0001 " * 20}) == ["symbols has changed"]


fingerprints = st.dictionaries(st.sampled_from("abcdef"), st.sampled_from(["", "1", "2", DIGEST, OTHER]))


@settings(deadline=None)
@given(fingerprints, fingerprints)
def test_fault_19_there_is_one_line_for_each_difference(one: dict[str, str], other: dict[str, str]) -> None:
    differing = {name for name in one.keys() | other.keys() if one.get(name) != other.get(name)}
    assert sorted(line[0] for line in compare(one, other)) == sorted(differing)
