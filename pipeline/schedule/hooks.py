"""Telling others how a run ended. What goes wrong here is told too, and changes nothing about the run."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from configs.schedule import HookConfig

_FIRST_WAIT_SECONDS = 1.0
# What a run can end with that a hook's `when` has no word of its own for.
_IS_FAILURE = ("timed_out", "usage")


@dataclass(frozen=True)
class HookResult:
    """What became of one hook. `target` names it, `message` says why it failed."""

    target: str
    ok: bool
    attempts: int
    message: str = ""


def call_hooks(
    hooks: Sequence[HookConfig],
    content: dict[str, Any],
    folder: str,
    wait: Callable[[float], Any] = time.sleep,
) -> list[HookResult]:
    """Calls every hook that waits for this ending.

    Args:
      hooks: in this order.
      content: the run's result; its `status` decides.
      folder: where commands run.
      wait: between attempts, for seconds; true ends the attempts.
    """
    status = "failed" if content["status"] in _IS_FAILURE else content["status"]
    body = json.dumps(content, default=str).encode()
    return [_call(hook, body, folder, wait) for hook in hooks if status in hook.when]


def _call(hook: HookConfig, body: bytes, folder: str, wait: Callable[[float], Any]) -> HookResult:
    target = hook.url or (hook.command if isinstance(hook.command, str) else " ".join(hook.command or []))
    for attempt in range(1, hook.retries + 2):
        try:
            if hook.url:
                _post(hook.url, body, hook.timeout_seconds)
            else:
                _run(hook.command or "", body, folder, hook.timeout_seconds)
            return HookResult(target, True, attempt)
        except Exception as error:
            result = HookResult(target, False, attempt, _sentence(error))
        if attempt <= hook.retries and wait(_FIRST_WAIT_SECONDS * 2 ** (attempt - 1)):
            break
    return result


def _run(command: str | list[str], body: bytes, folder: str, seconds: float) -> None:
    process = subprocess.Popen(
        command,
        shell=isinstance(command, str),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        cwd=folder,
        # A shell's children are ended with it.
        start_new_session=True,
    )
    try:
        _, said = process.communicate(body, timeout=seconds)
    except subprocess.TimeoutExpired as error:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise TimeoutError(f"did not end within {seconds:g} s") from error
    if process.returncode:
        lines = said.decode(errors="replace").strip().splitlines()
        raise RuntimeError(f"ended with exit code {process.returncode}" + (f": {lines[-1]}" if lines else ""))


def _post(url: str, body: bytes, seconds: float) -> None:
    headers = {"Content-Type": "application/json", "User-Agent": "customer-segments"}
    request = urllib.request.Request(url, data=body, headers=headers, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=seconds):
            pass
    except urllib.error.HTTPError as error:
        raise RuntimeError(f"answered {error.code} {error.reason}") from error
    except urllib.error.URLError as error:
        raise RuntimeError(f"cannot be reached: {error.reason}") from error


def _sentence(error: Exception) -> str:
    text = str(error) or type(error).__name__
    return text if len(text) <= 300 else text[:297] + "..."
