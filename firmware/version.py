# The firmware's own version, as in info and in pyproject.toml.

VERSION = "0.1.0"
