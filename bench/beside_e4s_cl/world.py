"""A plain mpi4py program, run in the image: tells its rank, and whether 1 MB arrives."""

import json
import os

from mpi4py import MPI

comm = MPI.COMM_WORLD
message = b"x" * 1_000_000
data = bytearray(message if comm.rank == 0 else len(message))


def tell(**what: object) -> None:
    """Print in one piece, in the form of ``espei-hpc probe``."""
    os.write(1, f"espei-probe {json.dumps({'process': os.getpid(), **what})}\n".encode())


tell(rank=comm.rank, size=comm.size)
comm.Bcast(data, root=0)
tell(message=data == message)
