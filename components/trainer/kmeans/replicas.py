"""What the engine asks of `tf.distribute`: kernels over chunks of rows, sums and small tables between workers."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf

from components.trainer.kmeans.errors import KMeansError, WorkerLost
from components.trainer.kmeans.rounds import Chunk, Rounds
from components.trainer.kmeans.threads import in_order

# Tensors that a kernel keeps of a chunk from one pass to the next.
State = tuple[tf.Tensor, ...]


@dataclasses.dataclass(frozen=True)
class Kernel:
    """What is computed of one chunk.

    Attributes:
      function: (rows, weights, state, *arguments) -> (new state, float64 vector to be summed over all chunks).
      state: types of the state's tensors, each [b, ...] or a scalar.
      arguments: types of the arguments.
    """

    function: Callable[..., tuple[State, tf.Tensor]]
    state: tuple[tf.TensorSpec, ...]
    arguments: tuple[tf.TensorSpec, ...]


class Replicas:
    """The replicas of a strategy, as seen from one worker.

    Chunks are summed without any communication, so workers may hold different numbers of them; then one
    reduction per pass adds the workers up. A worker is known by its first replica.

    Attributes:
      devices: one per replica of this process; None stands for TensorFlow's own choice.
      worker: index of this worker, 0 for the chief.
      workers: number of workers.
      alone: whether there is no strategy at all.
    """

    def __init__(self, strategy: tf.distribute.Strategy | None) -> None:
        if isinstance(strategy, tf.distribute.experimental.ParameterServerStrategy):
            raise KMeansError(
                "strategy: k-means needs a synchronous strategy; use MirroredStrategy or "
                "MultiWorkerMirroredStrategy instead of ParameterServerStrategy"
            )
        self._strategy = strategy
        self.devices: list[str | None] = [None]
        self.alone = strategy is None
        self._concurrent = not tf.config.list_logical_devices("GPU")
        self.worker, self.workers = 0, 1
        if strategy is None:
            return
        self._ids: list[int] = []
        strategy.experimental_distribute_values_from_function(self._note_replica)
        if len(self._ids) > 1:
            self.devices = list(strategy.extended.worker_devices)
            # Rounds at once on several devices were seen to get each other's chunks; the devices are busy anyway.
            self._concurrent = False
        if len(self._ids) < strategy.num_replicas_in_sync:
            self.workers = 2  # at least: enough for the sum that counts them
            leaders = np.flatnonzero(self._slots(np.ones([1])))
            self.worker, self.workers = int(np.searchsorted(leaders, self._ids[0])), len(leaders)
            self._leaders = leaders

    def _note_replica(self, context: tf.distribute.experimental.ValueContext) -> tf.Tensor:
        self._ids.append(int(context.replica_id_in_sync_group))
        return tf.zeros([])

    def total(
        self,
        kernel: Kernel,
        rounds: Rounds,
        states: list[list[State]],
        arguments: Sequence[np.ndarray],
        size: int,
    ) -> np.ndarray:
        """Runs a kernel over every chunk of every worker.

        Args:
          kernel: what is computed.
          rounds: this worker's chunks.
          states: [rounds][replicas], replaced in place by the new ones; as the kernel's state says.
          arguments: of the kernel.
          size: length of its vector.

        Returns:
          The sum of its vectors, float64 [size], the same on all workers. The order of addition is that of the
          chunks, whatever thread was first.
        """
        step = _compiled(kernel, self._strategy, len(self.devices))
        tensors = [
            tf.constant(value, spec.dtype) for value, spec in zip(arguments, kernel.arguments, strict=True)
        ]

        def run(index: int) -> list[tf.Tensor]:
            states[index], vectors = step(rounds[index], states[index], tensors)
            return vectors

        outputs = in_order(run, range(len(rounds))) if self._concurrent else map(run, range(len(rounds)))
        total = np.zeros(size)
        for vectors in outputs:
            for vector in vectors:
                total += vector.numpy()
        return self.sum(total)

    def sum(self, values: np.ndarray) -> np.ndarray:
        """Adds up the float64 arrays of all workers, which have one shape; the same on all."""
        if self.workers == 1:
            return values
        others = [tf.zeros(values.shape, tf.float64)] * (len(self.devices) - 1)
        per_replica = _per_replica(self._strategy, [tf.constant(values, tf.float64), *others])
        try:
            summed = self._strategy.reduce(tf.distribute.ReduceOp.SUM, per_replica, axis=None)  # type: ignore[union-attr]
            array: np.ndarray = summed.numpy()
            return array
        except tf.errors.OpError as error:
            raise WorkerLost(
                "k-means: another worker of this fit is gone or out of reach; its own log says why. Start all "
                f"workers again: with a checkpoint the fit goes on where it was ({error.message.splitlines()[0]})"
            ) from error

    def gather(self, values: np.ndarray) -> np.ndarray:
        """Stacks the arrays of all workers, which have one shape, to float64 [workers, ...], on all workers."""
        if self.workers == 1:
            return values[None]
        return self._slots(values)[self._leaders]

    def gather_rows(self, rows: np.ndarray) -> np.ndarray:
        """Joins tables [m, c] of all workers, of different m, in the order of the workers."""
        counts = self.gather(np.array([len(rows)], np.float64))[:, 0].astype(int)
        padded = np.zeros([counts.max(), rows.shape[1]])
        padded[: len(rows)] = rows
        return np.concatenate([shard[:n] for shard, n in zip(self.gather(padded), counts, strict=True)])

    def from_chief(self, compute: Callable[[], np.ndarray], shape: Sequence[int]) -> np.ndarray:
        """Computes float64 values on the chief alone and hands them to all.

        Workers of different hardware round differently; what decides for all must come from one of them.
        """
        return self.sum(compute() if self.worker == 0 else np.zeros(shape))

    def agree(self, problem: KMeansError | None) -> None:
        """Raises on every worker if one has a problem: raised on one alone, it leaves the others waiting."""
        refused = np.flatnonzero(self.gather(np.array([problem is not None], np.float64)))
        if problem is not None:
            raise problem
        if len(refused):
            raise KMeansError(f"worker {refused[0]} refused its rows; its own log says why")

    def _slots(self, values: np.ndarray) -> np.ndarray:
        slots = np.zeros((self._strategy.num_replicas_in_sync, *values.shape))  # type: ignore[union-attr]
        slots[self._ids[0]] = values
        return self.sum(slots)


def _per_replica(strategy: tf.distribute.Strategy, values: Sequence[tf.Tensor]) -> tf.Tensor:
    """The replicas of this process ask for their values in order."""
    remaining = iter(values)
    return strategy.experimental_distribute_values_from_function(lambda _: next(remaining))


@functools.lru_cache(maxsize=32)  # tracing takes as long as a pass; fits on the same strategy share it
def _compiled(
    kernel: Kernel, strategy: tf.distribute.Strategy | None, replicas: int
) -> Callable[..., tuple[list[State], list[tf.Tensor]]]:
    def step(
        chunks: list[Chunk], states: list[State], arguments: list[tf.Tensor]
    ) -> tuple[list[State], list[tf.Tensor]]:
        def run(rows: tf.Tensor, weights: tf.Tensor, *state: tf.Tensor) -> tuple[State, tf.Tensor]:
            return kernel.function(rows, weights, state, *arguments)

        if strategy is None:
            state, vector = run(*chunks[0], *states[0])
            return [state], [vector]
        values = [(*chunk, *state) for chunk, state in zip(chunks, states, strict=True)]
        outputs = strategy.run(run, args=tuple(_per_replica(strategy, v) for v in zip(*values, strict=True)))
        parts = [strategy.experimental_local_results(part) for part in outputs[0]]
        kept: list[State] = list(zip(*parts, strict=True)) if parts else [()] * replicas
        return kept, list(strategy.experimental_local_results(outputs[1]))

    chunk = (tf.TensorSpec([None, None], tf.float32), tf.TensorSpec([None], tf.float32))
    # Without autograph, which would take most of the time of tracing: kernels have no Python control flow.
    function = tf.function(
        step,
        input_signature=[[chunk] * replicas, [kernel.state] * replicas, list(kernel.arguments)],
        autograph=False,
    )
    # Traced here and now, not by whichever thread is first; calling what was traced takes half the time.
    return function.get_concrete_function()
