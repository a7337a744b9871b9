"""The gate: stops the run on data that must be mended."""
