"""Why one customer is in a segment, and what would move it to another; every answer is the served model's own."""
