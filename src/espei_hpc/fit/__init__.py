"""The fit itself: ESPEI's own on a cluster, with signals, progress and a summary.

``run`` is the whole of it in order; ``stock`` is the seam to ESPEI.
"""
