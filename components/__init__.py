"""Our TFX components, a folder each, and what they are made of."""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    # Kubeflow's executor imports an artifact's class by its type's name, which may have one dot and no more.
    if name[:1].isupper():
        from components import artifacts

        return getattr(artifacts, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
