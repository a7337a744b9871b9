"""TensorFlow without its start-up messages, which drown what a command prints."""

from __future__ import annotations

import os
import warnings


def quiet_tensorflow() -> None:
    """To be called before TensorFlow is imported."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # Or a command that asks one question takes all the memory of the GPUs.
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    warnings.simplefilter("ignore")
    from absl import logging

    logging.set_verbosity(logging.ERROR)
