"""The Trainer: its `run_fn` and the k-means engine it trains with."""
