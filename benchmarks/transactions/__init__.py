"""Purchases to customers, beside pandas' groupby: `make bench-transactions`."""
