"""The errors that the engine raises on purpose."""


class KMeansError(ValueError):
    """The data or the options cannot be clustered; the message says what is wrong, where, and what to do."""


class WorkerLost(RuntimeError):
    """Another worker of a distributed fit is gone; what it left behind is a checkpoint, if one was asked for."""
