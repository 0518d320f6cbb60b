"""The fit: ESPEI's own run on a cluster, with signal handling, progress and a summary.

``run`` performs the whole fit, step by step; ``stock`` runs ESPEI's own sampler.
"""
