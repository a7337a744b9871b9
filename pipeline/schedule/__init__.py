"""Runs that happen by themselves: a foreground scheduler, and manifests for those of other systems."""
