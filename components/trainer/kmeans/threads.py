"""Work on chunks by as many threads as there are cores: NumPy and TensorFlow let go of the interpreter's lock."""

from __future__ import annotations

import functools
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sized
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TypeVar

import tensorflow as tf

_Item = TypeVar("_Item")
_Outcome = TypeVar("_Outcome")


def cores() -> int:
    """Threads to use: what TensorFlow was told, or the cores that this process may run on."""
    told = tf.config.threading.get_intra_op_parallelism_threads()
    return int(told) if told > 0 else len(os.sched_getaffinity(0))


def in_order(function: Callable[[_Item], _Outcome], items: Iterable[_Item]) -> Iterator[_Outcome]:
    """Yields `function(item)` for every item, in their order; a few at a time are worked on and kept."""
    threads = cores()
    if threads == 1 or (isinstance(items, Sized) and len(items) < 2):
        yield from map(function, items)
        return
    pool = _pool(threads)
    pending: deque[Future[_Outcome]] = deque()
    try:
        for item in items:
            pending.append(pool.submit(function, item))
            if len(pending) > 2 * threads:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        # After an error nothing of this call may go on behind the caller's back.
        for future in pending:
            future.cancel()
        wait(pending)


@functools.cache  # starting threads takes longer than a pass over a few thousand rows
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, "kmeans")
