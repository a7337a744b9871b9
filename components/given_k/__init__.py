"""The number of segments as a parameter of a run."""
