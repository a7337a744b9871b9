"""Running on this machine: the command's process watches, a child process runs TFX."""
