"""What a measured command took and said."""

import sys

import pytest

from benchmarks.measure import run_measured

_ALLOCATE = "import time; block = b'x' * (%d << 20); time.sleep(0.6)"


def test_time_output_exit_code_and_log(tmp_path):
    script = "import sys, time; time.sleep(0.3); print('out'); print('err', file=sys.stderr); sys.exit(4)"
    measured = run_measured([sys.executable, "-c", script], tmp_path / "logs" / "log")
    assert (measured.code, measured.output) == (4, "out\n")
    assert (tmp_path / "logs" / "log").read_text() == "err\n"
    assert 0.3 <= measured.seconds < 5


def test_processor_time_counts_work_and_not_waiting(tmp_path):
    spin = "import time; end = time.process_time() + 0.5\nwhile time.process_time() < end: pass"
    working = run_measured([sys.executable, "-c", spin], tmp_path / "log")
    waiting = run_measured([sys.executable, "-c", "import time; time.sleep(0.5)"], tmp_path / "log")
    assert 0.5 <= working.cpu_seconds < 1.5
    assert waiting.cpu_seconds < 0.4 < 0.5 <= waiting.seconds


def test_memory_is_that_of_all_processes_together(tmp_path):
    alone = run_measured([sys.executable, "-c", _ALLOCATE % 200], tmp_path / "log")
    spawn = "import subprocess, sys; subprocess.run([sys.executable, '-c', sys.argv[1]], check=True)"
    nested = f"block = b'x' * (100 << 20); {spawn}"
    both = run_measured([sys.executable, "-c", nested, _ALLOCATE % 200], tmp_path / "log")
    assert 200 <= alone.peak_mb < 280
    assert 300 <= both.peak_mb < 400


def test_a_command_that_does_not_exist(tmp_path):
    with pytest.raises(FileNotFoundError):
        run_measured([str(tmp_path / "absent")], tmp_path / "log")
