"""Errors that a user can act on; each knows the exit code of the command line."""

from __future__ import annotations

from pathlib import Path

from hemc.printable import one_line

#: Faults of one input that an error tells; the rest it counts.
MOST_FAULTS = 20


class HemcError(Exception):
    """Anything that ends a command with one line instead of a traceback."""

    exit_code = 2


class InputError(HemcError):
    """A document, table or setting that cannot be used as it is.

    `place` is a line, row, column or dotted key inside `file`; `found` and `expected` say what
    stands there and what may stand there. Whatever they quote from a file is told printable and
    on one line; only `expected` may hold further lines, one a further fault.
    """

    def __init__(self, file: str | Path, place: str, found: str, expected: str) -> None:
        self.file, self.place, self.found = one_line(str(file)), one_line(place), one_line(found)
        self.expected = "\n".join(one_line(line, 700) for line in expected.split("\n"))
        where = f"{self.file}: {self.place}" if self.place else self.file
        super().__init__(f"{where}: found {self.found}; expected {self.expected}")

    def __reduce__(self) -> tuple[type[InputError], tuple[str, str, str, str]]:
        """Survive the way back from another process."""
        return type(self), (self.file, self.place, self.found, self.expected)


class TieOutError(HemcError):
    """A certificate whose figures do not tie out, where the user asked to stop for that."""

    exit_code = 1


class FailedDealsError(HemcError):
    """Deals of a portfolio that could not be run; the others' results are written."""

    exit_code = 4


class InternalError(Exception):
    """A broken cash identity or a value that is not finite: a fault of hemc, with traceback."""
