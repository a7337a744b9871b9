"""Stands for `segments run`: does what the next line of a script says (JSON), and writes down that it was called.

    python fake_run.py FOLDER

Lines of FOLDER/script: {"result": {...}, "exit": 0, "sleep": seconds, "on_term": "end" | "ignore", "kill": true,
"say": text}. After the last line it is repeated.
"""

import json
import os
import signal
import sys
import time
from pathlib import Path

folder = Path(sys.argv[1])
with (folder / "calls").open("a") as calls:
    calls.write(f"{time.time()}\n")
number = len((folder / "calls").read_text().splitlines())
lines = (folder / "script").read_text().splitlines()
step = json.loads(lines[min(number, len(lines)) - 1])


def terminate(*_: object) -> None:
    (folder / "terminated").write_text("")
    if step.get("on_term", "end") == "end":
        sys.exit(130)


signal.signal(signal.SIGTERM, terminate)
(folder / "ready").write_text("")
end = time.monotonic() + step.get("sleep", 0)
while time.monotonic() < end:
    time.sleep(0.02)
if step.get("kill"):
    os.kill(os.getpid(), signal.SIGKILL)
sys.stdout.write(step.get("say", json.dumps(step.get("result", {"status": "pushed", "version": "1"}))))
sys.stdout.flush()
sys.exit(step.get("exit", 0))
