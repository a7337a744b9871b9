"""The number of segments, chosen from the data: TFX's Tuner with a KerasTuner tuner over k."""
