"""The pipeline side by side with the stock TFX DAG, on the same file in the same session."""
