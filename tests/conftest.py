"""Set-up of all tests."""

from __future__ import annotations

import os
import signal

# Before TensorFlow is imported anywhere: its start-up messages drown what a test prints.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

# A job that a shell started in the background ignores Ctrl-C, and so would the commands that tests interrupt.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
