"""Evaluations on the workers of a Dask cluster.

``dispatch`` decides which worker runs which job (pure, no I/O); ``runner`` runs
on the workers; ``pool`` connects both through a ``distributed.Client``.
"""
