"""The one error that the engine raises on purpose."""


class KMeansError(ValueError):
    """The data or the options cannot be clustered; the message says what is wrong, where, and what to do."""
