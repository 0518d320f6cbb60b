"""Tests of batch jobs, on a real Slurm. A package, so that its conftest is not taken for another."""
