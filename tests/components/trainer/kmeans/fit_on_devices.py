"""Runs every scenario on 1, 2 and 4 logical CPUs of this process and prints the fits as JSON."""

from __future__ import annotations

import json
import sys

import tensorflow as tf
from scenarios import SCENARIOS, summary


def main() -> None:
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 4)
    strategies = {
        "none": None,
        "one": tf.distribute.OneDeviceStrategy("/cpu:0"),
        "two": tf.distribute.MirroredStrategy(["/cpu:0", "/cpu:1"]),
        "four": tf.distribute.MirroredStrategy([f"/cpu:{i}" for i in range(4)]),
    }
    fits = {
        name: {devices: summary(fit(slice(None), strategy)) for devices, strategy in strategies.items()}
        for name, (_, fit) in SCENARIOS.items()
    }
    sys.stdout.write("RESULT " + json.dumps(fits) + "\n")


if __name__ == "__main__":
    main()
