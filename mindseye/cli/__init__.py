"""The command line. Files are thin: each reads options, calls the library, prints."""

from mindseye.cli.main import main

__all__ = ["main"]
