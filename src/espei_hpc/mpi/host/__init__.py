"""The host's MPI: find it, predict whether it works with the image, and what to bind and set for it."""
