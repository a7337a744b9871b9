"""The DAG, what runs it, and the command line."""
