"""``make soak``: a fit under random faults for as long as one likes, and what has to hold all along."""
