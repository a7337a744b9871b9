"""Clustering metrics: the formulas in NumPy (`clustering`), and as a TFMA metric (`tfma_metric`)."""
