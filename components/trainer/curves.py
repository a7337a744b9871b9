"""What a fit tells while it runs: a line per pass, and curves for TensorBoard."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import tensorflow as tf
from absl import logging

from components.trainer.kmeans import Iteration


@contextmanager
def told_passes(directory: str | None) -> Iterator[Callable[[Iteration], None]]:
    """Yields what to call after every pass of a fit.

    Each pass is a line in the log, whose record has it as `progress` too, for who shows it live; and a point in
    the curves `inertia`, `movement`, `reseeded` (how many clusters) and `seconds`, the first at step 1.

    Args:
      directory: of the curves; None for none.
    """
    # Flushed every second: a curve is looked at while it grows.
    writer = (
        tf.summary.create_file_writer(directory, flush_millis=1000)
        if directory
        else tf.summary.create_noop_writer()
    )
    numbers = itertools.count(1)

    def tell(iteration: Iteration) -> None:
        number = next(numbers)
        line = (
            f"pass {number}: inertia {iteration.inertia:.6g}, moved {iteration.movement:.2g}, "
            f"{len(iteration.reseeded)} re-seeded, {iteration.seconds:.2f} s"
        )
        logging.get_absl_logger().info("k-means %s", line, extra={"progress": line})
        with writer.as_default(step=number):
            tf.summary.scalar("inertia", iteration.inertia)
            tf.summary.scalar("movement", iteration.movement)
            tf.summary.scalar("reseeded", len(iteration.reseeded))
            tf.summary.scalar("seconds", iteration.seconds)

    try:
        yield tell
    finally:
        writer.close()
