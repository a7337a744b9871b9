"""Which new segment is which old one, told by the customers that they share. NumPy and SciPy only.

overlap = count_overlap(old, new, len(parent.ids), k)
succession = succeed(overlap, k, parent, known)
succession.ids  # an id per new segment, for life
"""
