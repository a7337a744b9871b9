"""Who moved from which segment to which when one model follows another."""
