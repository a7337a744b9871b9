"""One script per contender; each runs in a process of its own and prints one JSON line.

The rivals' scripts run in the rivals' environment: they, this file and `fitting` import nothing of ours.
"""
