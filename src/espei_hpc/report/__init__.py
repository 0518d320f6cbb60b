"""``espei-hpc report`` and ``export``: statistics and plots of a chain; its samples for other programs."""
