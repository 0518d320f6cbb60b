"""Start a Dask cluster through MPI and wait until it is ready.

``prepare`` creates the directory of one cluster start, ``rank`` runs in each
MPI rank, ``readiness`` waits, ``local`` is the cluster without MPI.
"""
