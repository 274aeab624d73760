"""The version of azml-magics, as `azml_magics.__version__` and the User-Agent show it."""

__version__ = "0.2.0"
