"""Set-up of all tests."""

from __future__ import annotations

import os

# Before TensorFlow is imported anywhere: its start-up messages drown what a test prints.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
