"""The table of who is in which segment."""
