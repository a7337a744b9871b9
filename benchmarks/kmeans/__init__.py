"""The k-means engine beside its rivals, on the same rows with the same threads: `make bench-kmeans`."""
