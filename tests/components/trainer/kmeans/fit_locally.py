"""Fits with two local workers for as long as it is let, and prints their process ids once they are at work."""

from __future__ import annotations

import json
import os
import sys

import numpy as np
import psutil

from components.trainer.kmeans import Iteration, KMeansOptions
from components.trainer.kmeans.local.fit import fit_on_local_workers


def main() -> None:
    told = False

    def on_iteration(iteration: Iteration) -> None:
        nonlocal told
        if not told:
            workers = [process.pid for process in psutil.Process().children()]
            sys.stdout.write("RESULT " + json.dumps({"parent": os.getpid(), "workers": workers}) + "\n")
            sys.stdout.flush()
            told = True

    rows = np.random.default_rng(0).random((200_000, 8), np.float32)
    options = KMeansOptions(100, n_init=1, tolerance=0.0, max_iterations=1_000_000)
    fit_on_local_workers(rows, options, 2, on_iteration=on_iteration)


if __name__ == "__main__":
    main()
