"""The kinds of job scripts."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ScriptKind:
    """A kind of job script.

    Attributes:
        title: purpose, in one sentence.
        nodes: default number of nodes.
        more_nodes: whether it can have more than one node.
        inputs: smallest and largest number of ESPEI inputs.
        user_code: whether its one command takes a directory of the user's Python modules.
        starts_itself: whether the user runs it with bash, and it submits itself as several jobs.
    """

    title: str
    nodes: int = 1
    more_nodes: bool = True
    inputs: tuple[int, int] = (1, 1)
    user_code: bool = False
    starts_itself: bool = False


KINDS = {
    "one-node": ScriptKind("A fit on one node.", more_nodes=False, user_code=True),
    "many-nodes": ScriptKind(
        "A fit on several nodes: the host's launcher starts the ranks.", nodes=2, user_code=True
    ),
    "host-mpi": ScriptKind(
        "A fit on several nodes whose ranks load the host's MPI, bound into the image.",
        nodes=2,
        user_code=True,
    ),
    "image-mpi": ScriptKind(
        "A fit on one node with the image's MPI, for hosts without MPI.", more_nodes=False
    ),
    "long-fit": ScriptKind(
        "A fit longer than the longest job: the job is requeued until the fit is finished.",
        nodes=2,
        user_code=True,
    ),
    "array": ScriptKind(
        "Several fits, one job each, and a job after them that lists which are finished.",
        inputs=(2, 1000),
        starts_itself=True,
    ),
    "chain": ScriptKind(
        "A job that generates parameters, followed by a job that fits them.",
        nodes=2,
        inputs=(2, 2),
        starts_itself=True,
    ),
    "two-steps": ScriptKind("As in ESPEI's documentation: start a cluster, then stock espei on it.", nodes=2),
}
"""By name, which is also the name of the example file."""
