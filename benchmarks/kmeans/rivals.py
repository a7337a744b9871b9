"""The rivals' environment: their newest versions, apart from this project's pins."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("scikit-learn", "scikit-learn-intelex", "faiss-cpu", "numpy")
SPARK_PACKAGES = ("pyspark", "pyarrow")


class RivalsError(Exception):
    """The environment could not be made; the message ends with what the installer said."""


def prepare(folder: Path, spark: bool) -> Path:
    """Makes `folder` an environment that holds the rivals, unless it is one already; returns its interpreter.

    What is there is kept as it is: remove the folder to get the newest versions again.

    Args:
        folder: Of the environment.
        spark: Whether Spark is wanted too. It needs Java, which is not installed here.

    Raises:
        RivalsError: if uv, the interpreter or a package cannot be had.
    """
    python, stamp = folder / "bin" / "python", folder / "installed"
    wanted = [*PACKAGES, *(SPARK_PACKAGES if spark else ())]
    if stamp.exists() and set(wanted) <= set(stamp.read_text().split()):
        return python
    uv = _run([str(ROOT / "scripts" / "find-uv"), sys.executable]).strip()
    if not python.exists():
        # The interpreter that this environment is made of, so that both sides run the same Python.
        base = getattr(sys, "_base_executable", sys.executable)
        _run([uv, "venv", "--quiet", "--no-python-downloads", "--python", base, str(folder)])
    _run([uv, "pip", "install", "--quiet", "--upgrade", "--python", str(python), *wanted])
    stamp.write_text("\n".join(wanted) + "\n")
    return python


def _run(command: Sequence[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, env=_environment())
    if done.returncode != 0:
        raise RivalsError(f"`{' '.join(command)}` failed: {done.stderr.strip()[-2000:]}")
    return done.stdout


def _environment() -> dict[str, str]:
    # As in scripts/setup: the index and certificates that this machine's pip was told of serve uv as well.
    environment = dict(os.environ)
    for uv, pip in (("UV_DEFAULT_INDEX", "PIP_INDEX_URL"), ("SSL_CERT_FILE", "PIP_CERT")):
        if environment.get(pip):
            environment.setdefault(uv, environment[pip])
    return environment
