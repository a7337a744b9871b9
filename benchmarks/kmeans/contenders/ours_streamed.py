"""This project's engine on rows that are read from TFRecords in every pass."""

from __future__ import annotations

from benchmarks.kmeans.contenders.fitting import run
from benchmarks.kmeans.contenders.ours import fit
from benchmarks.kmeans.records import open_records

if __name__ == "__main__":
    run("tensorflow", fit, load=open_records)
