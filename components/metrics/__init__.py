"""How good a clustering is: formulas over arrays. NumPy and the k-means engine; never TFX or Beam."""
