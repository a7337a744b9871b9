"""`make soak`: long, unattended, disturbed use of the real command."""
