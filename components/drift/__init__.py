"""Compares today's customers with those that the served model was made from."""
