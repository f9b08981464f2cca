"""A Parquet file → how many rows and bytes it says it holds, read from its footer and page headers.

polars would unpack whatever a file asks for: a few kilobytes of zeros, packed, are gigabytes in
memory, and a page that says it has fewer than no values ends the process. Apache Parquet's format
(parquet.thrift) in Thrift's compact protocol.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple

_MAGIC = b"PAR1"

# Fields of the records that are read, by their numbers in parquet.thrift.
_ROW_GROUPS, _GROUP_COLUMNS, _GROUP_ROWS, _CHUNK_META = 4, 1, 3, 3
_PATH, _CHUNK_VALUES, _PACKED_BYTES, _DATA_PAGE, _DICTIONARY_PAGE = 3, 5, 7, 9, 11
_PAGE_UNPACKED, _PAGE_PACKED = 2, 3
#: The header of a page's own kind, and which of its fields count something, values first.
_DATA_COUNTS = {5: (1,), 8: (1, 2, 3, 5, 6)}
_DICTIONARY_COUNTS = {7: (1,)}

_MOST_PAGES, _MOST_LEVELS, _LONGEST_HEADER = 200_000, 16, 1 << 16


class _Page(NamedTuple):
    """What a page's header says: bytes unpacked, and values, of a dictionary none."""

    n_bytes: int
    n_values: int


class Contents(NamedTuple):
    """Rows of a file and the bytes that its columns take unpacked, by column."""

    n_rows: int
    n_bytes: dict[str, int]


def parquet_contents(stream: BinaryIO) -> Contents:
    """Return what a Parquet file holds; raises ValueError for one whose structure is damaged."""
    footer = _footer(stream)
    n_rows, n_bytes, n_pages = 0, dict[str, int](), 0
    for group in _list(footer, _ROW_GROUPS):
        group_rows = _number(_record(group), _GROUP_ROWS)
        n_rows += group_rows
        for chunk in map(_record, _list(group, _GROUP_COLUMNS)):
            meta = _record(chunk.get(_CHUNK_META))
            name, n_values = _name(meta), 0
            for page in _pages(stream, meta):
                n_bytes[name] = n_bytes.get(name, 0) + page.n_bytes
                n_values += page.n_values
                n_pages += 1
                if n_pages > _MOST_PAGES:
                    raise ValueError(f"more than {_MOST_PAGES:,} pages")
            is_flat = len(_list(meta, _PATH)) == 1
            if n_values != _number(meta, _CHUNK_VALUES) or (is_flat and n_values != group_rows):
                raise ValueError(f"pages of {n_values:,} values in a column that says otherwise")
    return Contents(n_rows, n_bytes)


def _name(meta: dict[int, Any]) -> str:
    """Return the name of a chunk's column, of a nested one the outermost."""
    path = _list(meta, _PATH)
    if not path or not isinstance(path[0], bytes):
        raise ValueError("a column without a name")
    return path[0].decode(errors="replace")


def _footer(stream: BinaryIO) -> dict[int, Any]:
    """Return the record at the end of the file."""
    end = stream.seek(0, 2)
    stream.seek(max(end - 8, 0))
    tail = stream.read(8)
    length = int.from_bytes(tail[:4], "little")
    if tail[4:] != _MAGIC or length > end - 12:
        raise ValueError("no footer")
    stream.seek(end - 8 - length)
    return _Record(stream.read(length)).read()


def _pages(stream: BinaryIO, meta: dict[int, Any]) -> Iterator[_Page]:
    """Yield what each page of a column says it holds."""
    offsets = [meta[key] for key in (_DATA_PAGE, _DICTIONARY_PAGE) if _number(meta, key)]
    place = min(offsets, default=0)
    end = place + _number(meta, _PACKED_BYTES)
    while 0 < place < end:
        stream.seek(place)
        record = _Record(stream.read(_LONGEST_HEADER))
        header = record.read()
        yield _Page(_number(header, _PAGE_UNPACKED), _count_values(header))
        place += record.place + _number(header, _PAGE_PACKED)


def _count_values(header: dict[int, Any]) -> int:
    """Return the number of values of a page; raises ValueError where a count is below zero."""
    counts = {
        kind: [_number(_record(header[kind]), field) for field in fields]
        for kind, fields in (_DATA_COUNTS | _DICTIONARY_COUNTS).items()
        if kind in header
    }
    return sum(counts[kind][0] for kind in counts if kind in _DATA_COUNTS)


def _record(value: object) -> dict[int, Any]:
    if not isinstance(value, dict):
        raise ValueError("no record where one belongs")
    return value


def _list(record: dict[int, Any], field: int) -> list[Any]:
    found = record.get(field, [])
    if not isinstance(found, list):
        raise ValueError(f"no list in field {field}")
    return found


def _number(record: dict[int, Any], field: int) -> int:
    found = record.get(field, 0)
    if not isinstance(found, int) or found < 0:
        raise ValueError(f"no number in field {field}")
    return found


class _Record:
    """Reads one record of Thrift's compact protocol; `place` is where it ended."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.place = 0

    def read(self, level: int = 0) -> dict[int, Any]:
        """Return the fields by number; raises ValueError where the bytes are no record."""
        if level > _MOST_LEVELS:
            raise ValueError("records nested too deeply")
        fields: dict[int, Any] = {}
        number = 0
        while (head := self._byte()) != 0:
            step = head >> 4
            number = number + step if step else self._whole()
            fields[number] = self._value(head & 15, level)
        return fields

    def _byte(self) -> int:
        if self.place >= len(self._content):
            raise ValueError("a record that is cut off")
        self.place += 1
        return self._content[self.place - 1]

    def _varint(self) -> int:
        value = shift = 0
        while True:
            byte = self._byte()
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value
            if shift > 63:
                raise ValueError("a number of more than 64 bits")

    def _whole(self) -> int:
        coded = self._varint()
        return (coded >> 1) ^ -(coded & 1)

    def _value(self, kind: int, level: int) -> Any:
        """Return a value of a kind: 1, 2 truth; 3 byte; 4–6 whole; 7 float; 8 bytes; 9–12."""
        if kind in (1, 2):
            return kind == 1
        if kind == 3:
            return self._byte()
        if kind in (4, 5, 6):
            return self._whole()
        if kind in (7, 8):
            return self._bytes(8 if kind == 7 else self._varint())
        if kind in (9, 10):
            return self._values(level)
        if kind == 12:
            return self.read(level + 1)
        raise ValueError(f"a value of kind {kind}")

    def _bytes(self, length: int) -> bytes:
        start = self.place
        self.place += length
        if self.place > len(self._content):
            raise ValueError("a text that is cut off")
        return self._content[start : self.place]

    def _values(self, level: int) -> list[Any]:
        """Return a list; truth values in it take a byte each."""
        head = self._byte()
        length = head >> 4 if head >> 4 < 15 else self._varint()
        if length > len(self._content) - self.place:
            raise ValueError("a list that is cut off")
        kind = head & 15
        return [self._byte() if kind in (1, 2) else self._value(kind, level) for _ in range(length)]
