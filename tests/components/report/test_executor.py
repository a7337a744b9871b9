import json
import math
from pathlib import Path

import lxml.html
import numpy as np
import pytest

from components.evaluator.verdict import write_verdict


def test_smoke(run):
    run.report()
    print(len(run.html))
    import shutil; shutil.copy(run.root/"reports"/"2026-05-03T10-00-00"/"report.html", "/tmp/smoke.html")
