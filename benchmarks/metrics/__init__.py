"""All clustering metrics over many customers, as plain arrays and through the Evaluator: `make bench-metrics`."""
