"""Starting a Dask cluster through MPI and waiting until it is really there.

``prepare`` makes a place for one start of the cluster, ``rank`` is what each
MPI rank does, ``readiness`` waits, ``local`` is the cluster without MPI.
"""
