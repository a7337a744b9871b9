"""The TFX components of the pipeline and the numerics behind them."""
