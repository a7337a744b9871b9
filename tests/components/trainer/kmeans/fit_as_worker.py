"""One of two workers (TF_CONFIG says which): fits every scenario on its share and on all rows alone."""

from __future__ import annotations

import json
import os
import sys

import tensorflow as tf
from scenarios import SCENARIOS, refusals, summary


def main() -> None:
    strategy = tf.distribute.MultiWorkerMirroredStrategy()
    worker = json.loads(os.environ["TF_CONFIG"])["task"]["index"]
    fits, alone = {}, {}
    for name, (border, fit) in SCENARIOS.items():
        fits[name] = summary(fit(slice(0, border) if worker == 0 else slice(border, None), strategy))
        alone[name] = summary(fit(slice(None), None))
    sys.stdout.write(
        "RESULT " + json.dumps({"fits": fits, "alone": alone, "refusals": refusals(worker, strategy)}) + "\n"
    )


if __name__ == "__main__":
    main()
