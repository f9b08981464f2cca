"""Arrays of records: what belongs together in one element, described by a class.

A step that gets one array of records instead of ten arrays compiles in a fraction of the time:
numba passes every array as seven arguments or more, and types and prints each of them at each call.
"""

from __future__ import annotations

from typing import Any, Protocol, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

#: Whole numbers in 32 bits, for records of which there are many. Those that are indices are
#: unsigned: numba then looks for no negative ones.
Short = int
Place = int

_FORMATS = {"float": "f8", "int": "i8", "bool": "?", "Short": "i4", "Place": "u4"}

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Records(Protocol[T_co]):
    """An array whose elements have the attributes of a class."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Its shape."""

    @property
    def size(self) -> int:
        """Number of its elements."""

    def __getitem__(self, at: int | tuple[int, ...], /) -> T_co:
        """Return the element at a position; setting its attributes changes the array."""

    def __setitem__(self, at: int, element: Any, /) -> None:
        """Copy an element of another such array to a position."""


def records(shape: int | tuple[int, ...], of: type[T], **columns: Any) -> Records[T]:
    """Return records with the annotated attributes of a class, zero but for `columns`."""
    names = of.__annotations__
    formats = [_FORMATS[kind] for kind in names.values()]
    made = np.zeros(shape, np.dtype({"names": list(names), "formats": formats}, align=True))
    for name, values in columns.items():
        made[name] = values
    return cast(Records[T], made.view(np.recarray))


def column(of: Records[Any], name: str) -> NDArray[Any]:
    """Return one attribute of all records as an array; changing it changes the records."""
    return np.asarray(of)[name]
