"""TFX's Evaluator with clustering metrics, and the served model as baseline."""
