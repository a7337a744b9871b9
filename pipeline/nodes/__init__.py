"""The nodes of the DAG, stretch by stretch."""
