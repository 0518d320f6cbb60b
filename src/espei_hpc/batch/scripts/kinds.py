"""The kinds of job scripts, each for a way to run fits."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ScriptKind:
    """A kind of job script.

    Attributes:
        title: what it is for, in a sentence.
        nodes: number of nodes where none is named; 1 if it can have no more.
        more_nodes: whether it can have more than one.
        inputs: least and greatest number of ESPEI inputs.
        starts_itself: whether it is run by bash, and hands itself to the batch system in several jobs.
    """

    title: str
    nodes: int = 1
    more_nodes: bool = True
    inputs: tuple[int, int] = (1, 1)
    starts_itself: bool = False


KINDS = {
    "one-node": ScriptKind("A fit on one node.", more_nodes=False),
    "many-nodes": ScriptKind("A fit on several nodes: the host's launcher starts the ranks.", nodes=2),
    "host-mpi": ScriptKind(
        "A fit on several nodes whose ranks load the host's MPI, bound into the image.", nodes=2
    ),
    "image-mpi": ScriptKind(
        "A fit on one node, where the host has no MPI or is not to use it.", more_nodes=False
    ),
    "long-fit": ScriptKind(
        "A fit longer than a job may be: its job starts again until it is finished.",
        nodes=2,
    ),
    "array": ScriptKind(
        "Several fits, a job each, and a job behind them that says which are finished.",
        inputs=(2, 1000),
        starts_itself=True,
    ),
    "chain": ScriptKind(
        "A job that generates parameters, and one behind it that fits them.",
        nodes=2,
        inputs=(2, 2),
        starts_itself=True,
    ),
    "two-steps": ScriptKind("ESPEI's documented way: a cluster of its own, and stock espei on it.", nodes=2),
}
"""By name, which is that of the example's file too."""
