"""The command line: parse, call, print; nothing is computed here and stages are imported late."""

from hemc.cli.root import main

__all__ = ["main"]
