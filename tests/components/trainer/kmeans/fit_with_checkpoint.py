"""One of two workers (TF_CONFIG says which) of a fit with a checkpoint; the second may kill itself on the way.

Arguments: scenario, folder of the checkpoint, passes after which the second worker dies (-1: never).
"""

from __future__ import annotations

import json
import os
import signal
import sys

import tensorflow as tf
from scenarios import rows, summary

from components.trainer.kmeans import Checkpoint, KMeansOptions, WorkerLost, fit_kmeans

_OPTIONS = {
    "array": KMeansOptions(8, n_init=1, tolerance=0.0),
    "bounded": KMeansOptions(40, n_init=1, tolerance=0.0),
}


def main() -> None:
    scenario, folder, dies_after = sys.argv[1], sys.argv[2], int(sys.argv[3])
    strategy = tf.distribute.MultiWorkerMirroredStrategy()
    worker = json.loads(os.environ["TF_CONFIG"])["task"]["index"]
    passes = []

    def on_iteration(iteration: object) -> None:
        passes.append(iteration)
        if worker == 1 and len(passes) == dies_after + 1:
            os.kill(os.getpid(), signal.SIGKILL)

    mine = slice(0, 6_000) if worker == 0 else slice(6_000, None)
    try:
        result = fit_kmeans(
            rows()[mine],
            _OPTIONS[scenario],
            strategy,
            on_iteration=on_iteration,
            checkpoint=Checkpoint(folder, every_seconds=0),
        )
    except WorkerLost as error:
        sys.stdout.write(f"{error}\n")
        sys.stdout.flush()
        os._exit(3)
    sys.stdout.write("RESULT " + json.dumps({**summary(result), "passes": len(passes)}) + "\n")


if __name__ == "__main__":
    main()
