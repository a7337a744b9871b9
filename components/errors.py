"""What a component raises for people. Anything else it raises is a failure of the run."""

from __future__ import annotations


class DataError(Exception):
    """The data must be mended before a run can go on. The message has one line per problem."""


class ServingError(Exception):
    """A served model, or the folder it is served from, is not as it must be."""
