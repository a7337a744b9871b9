"""The model in production, as an artifact of the run."""
