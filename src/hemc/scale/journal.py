"""Records of finished work → lines of a file that survive a kill, each whole or not there."""

from __future__ import annotations

import json
import os
import zlib
from pathlib import Path
from typing import Any

Record = dict[str, Any]

_READ_AT_ONCE = 2**20


def append_record(file: Path, record: Record) -> None:
    """Add a record, which is on disk when this returns."""
    with file.open("a", encoding="utf-8") as journal:
        journal.write(json.dumps(record) + "\n")
        journal.flush()
        os.fsync(journal.fileno())


def read_records(file: Path) -> list[Record]:
    """Return the records up to the first that a kill cut short; none where there is no file."""
    records: list[Record] = []
    if not file.is_file():
        return records
    for line in file.read_bytes().splitlines(keepends=True):
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):  # the latter of brackets in brackets without end
            break
        if not line.endswith(b"\n") or not isinstance(record, dict):
            break
        records.append(record)
    return records


def rewrite_records(file: Path, records: list[Record]) -> None:
    """Replace all records at once."""
    part = file.with_name(f"{file.name}.part")
    part.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    flush_to_disk(part)
    part.replace(file)
    flush_to_disk(file.parent)


def flush_to_disk(path: Path) -> None:
    """Return when a file, or the names in a folder, are on disk and not only on their way."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def checksum(file: Path) -> list[int]:
    """Return size and CRC-32 of a file: what tells a file cut short or changed by accident."""
    size = crc = 0
    with file.open("rb") as stream:
        while data := stream.read(_READ_AT_ONCE):
            size += len(data)
            crc = zlib.crc32(data, crc)
    return [size, crc]
