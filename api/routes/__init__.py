"""Routes: HTTP in and out, nothing else."""
