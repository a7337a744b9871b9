"""What the engine asks of `tf.distribute`: chunks to replicas, sums and small tables between workers."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import tensorflow as tf

from components.trainer.kmeans.errors import KMeansError

# (rows float32 [b, d], weights float32 [b]), on the device of one replica.
Chunk = tuple[tf.Tensor, tf.Tensor]
# One chunk for each replica of this process; a chunk may have no rows.
Round = Sequence[Chunk]
# kernel(rows, weights, centroids float64 [k, d]) -> float64 vector, to be summed over all chunks.
Kernel = Callable[[tf.Tensor, tf.Tensor, tf.Tensor], tf.Tensor]


class Replicas:
    """The replicas of a strategy, as seen from one worker.

    Chunks are summed without any communication, so workers may hold different numbers of them; then one
    reduction per pass adds the workers up. A worker is known by its first replica.

    Attributes:
      devices: one per replica of this process; None stands for TensorFlow's own choice.
      worker: index of this worker, 0 for the chief.
      workers: number of workers.
    """

    def __init__(self, strategy: tf.distribute.Strategy | None) -> None:
        if isinstance(strategy, tf.distribute.experimental.ParameterServerStrategy):
            raise KMeansError(
                "strategy: k-means needs a synchronous strategy; use MirroredStrategy or "
                "MultiWorkerMirroredStrategy instead of ParameterServerStrategy"
            )
        self._strategy = strategy
        self.devices: list[str | None] = [None]
        self.worker, self.workers = 0, 1
        if strategy is None:
            return
        self._ids: list[int] = []
        strategy.experimental_distribute_values_from_function(self._note_replica)
        if len(self._ids) > 1:
            self.devices = list(strategy.extended.worker_devices)
        if len(self._ids) < strategy.num_replicas_in_sync:
            leaders = np.flatnonzero(self._slots(np.ones([1])))
            self.worker, self.workers = int(np.searchsorted(leaders, self._ids[0])), len(leaders)
            self._leaders = leaders

    def _note_replica(self, context: tf.distribute.experimental.ValueContext) -> tf.Tensor:
        self._ids.append(int(context.replica_id_in_sync_group))
        return tf.zeros([])

    def total(self, kernel: Kernel, rounds: Iterable[Round], centroids: np.ndarray, size: int) -> np.ndarray:
        """Sums `kernel` over every chunk of every worker: float64 [size], the same on all workers."""
        step = _compiled(kernel, self._strategy, len(self.devices))
        argument = tf.constant(centroids, tf.float64)
        totals: list[tf.Tensor] = [tf.zeros([size], tf.float64) for _ in self.devices]
        for chunks in rounds:
            totals = step(list(chunks), totals, argument)
        return self._reduce(totals)

    def gather(self, values: np.ndarray) -> np.ndarray:
        """Stacks the arrays of all workers, which have one shape, to [workers, ...], on all workers."""
        if self.workers == 1:
            return values[None]
        return self._slots(values)[self._leaders]

    def from_chief(self, compute: Callable[[], np.ndarray], shape: Sequence[int]) -> np.ndarray:
        """Computes float64 values on the chief alone and hands them to all.

        Workers of different hardware round differently; what decides for all must come from one of them.
        """
        values = compute() if self.worker == 0 else np.zeros(shape)
        if self.workers == 1:
            return values
        return self._reduce([tf.constant(values)] + [tf.zeros(shape, tf.float64)] * (len(self.devices) - 1))

    def agree(self, problem: KMeansError | None) -> None:
        """Raises on every worker if one has a problem: raised on one alone, it leaves the others waiting."""
        refused = np.flatnonzero(self.gather(np.array([problem is not None], np.float64)))
        if problem is not None:
            raise problem
        if len(refused):
            raise KMeansError(f"worker {refused[0]} refused its rows; its own log says why")

    def _slots(self, values: np.ndarray) -> np.ndarray:
        slots = np.zeros((self._strategy.num_replicas_in_sync, *values.shape), values.dtype)  # type: ignore[union-attr]
        slots[self._ids[0]] = values
        return self._reduce([tf.constant(slots)] + [tf.zeros_like(slots)] * (len(self.devices) - 1))

    def _reduce(self, values: Sequence[tf.Tensor]) -> np.ndarray:
        if self._strategy is None:
            return values[0].numpy()
        per_replica = _per_replica(self._strategy, values)
        return self._strategy.reduce(tf.distribute.ReduceOp.SUM, per_replica, axis=None).numpy()


def _per_replica(strategy: tf.distribute.Strategy, values: Sequence[tf.Tensor]) -> tf.Tensor:
    """The replicas of this process ask for their values in order."""
    remaining = iter(values)
    return strategy.experimental_distribute_values_from_function(lambda _: next(remaining))


@functools.lru_cache(maxsize=32)  # tracing takes as long as a pass; fits on the same strategy share it
def _compiled(
    kernel: Kernel, strategy: tf.distribute.Strategy | None, replicas: int
) -> Callable[..., list[tf.Tensor]]:
    def step(chunks: list[Chunk], totals: list[tf.Tensor], centroids: tf.Tensor) -> list[tf.Tensor]:
        def add(rows: tf.Tensor, weights: tf.Tensor, total: tf.Tensor) -> tf.Tensor:
            return total + kernel(rows, weights, centroids)

        if strategy is None:
            return [add(*chunks[0], totals[0])]
        rows, weights = zip(*chunks, strict=True)
        arguments = tuple(_per_replica(strategy, values) for values in (rows, weights, totals))
        return list(strategy.experimental_local_results(strategy.run(add, args=arguments)))

    chunk = (tf.TensorSpec([None, None], tf.float32), tf.TensorSpec([None], tf.float32))
    return tf.function(
        step,
        input_signature=[
            [chunk] * replicas,
            [tf.TensorSpec([None], tf.float64)] * replicas,
            tf.TensorSpec([None, None], tf.float64),
        ],
    )
