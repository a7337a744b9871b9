"""What ends a command with a sentence, besides what is wrong with a config or with data."""

from __future__ import annotations


class MetadataError(RuntimeError):
    """ML Metadata cannot be used. The message is a sentence for people, without secrets."""
