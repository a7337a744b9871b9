"""Puts a blessed model into the served folder, whole or not at all."""
