"""Evaluations on the workers of a Dask cluster: which worker runs what, and what becomes of it.

``dispatch`` decides and is pure; ``runner`` is what a worker holds; ``pool``
brings both together over a ``distributed.Client``.
"""
