"""What a component raises for people, and what it tells of others' errors. Anything else is a failure of the run."""

from __future__ import annotations


class DataError(Exception):
    """The data must be mended before a run can go on. The message has one line per problem."""


class ServingError(Exception):
    """A served model, or the folder it is served from, is not as it must be."""


def graph_cause(error: Exception) -> str:
    """Why a TensorFlow graph failed, in a line of many: they tell where it failed, then why, then the node."""
    lines = [line.strip() for line in str(error).splitlines()]
    causes = [line for line in lines if line and not line.startswith("[[")]
    return causes[-1].removeprefix("Name: <unknown>, ") if causes else type(error).__name__
