"""FeatureSelection: which of the features the model is made of."""
