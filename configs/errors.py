"""The one exception of this package."""


class ConfigError(ValueError):
    """A configuration that cannot be used.

    The message is one readable line that names the file, the key and what is allowed there.
    """
