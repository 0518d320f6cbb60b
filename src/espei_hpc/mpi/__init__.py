"""MPI: which library a rank loads, and what an image needs of the host's (``host``)."""
