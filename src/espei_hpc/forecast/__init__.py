"""How long a fit takes: sampler and workers replayed on a simulated clock, and what follows from it.

``replay`` is the simulation, ``cut`` decides into how many pieces an evaluation is cut, ``tables`` compares
numbers of ranks for ``espei-hpc plan``.
"""
