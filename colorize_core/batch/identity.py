"""Whether a photo is the one that an earlier run has seen.

Its content decides. It is read only where its path, size or times differ: a resume of many photos
looks at their folder entries alone.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from pathlib import Path

from colorize_core.batch import store
from colorize_core.batch.manifest import Row
from colorize_core.imaging.image import MAX_BYTES

BLOCK = 1 << 20  # bytes


def note(row: Row, source: Path) -> Row:
    """The row with what tells its photo from others: path, size, times and sha256. Empty where
    there is no such file, or it is larger than any that is read."""
    seen = _look(replace(row, input=os.path.abspath(source)), source)
    return replace(
        seen, input_sha256=_hash(source) if seen.input_bytes and not store.is_remote(source) else ""
    )


def compare(row: Row, source: Path) -> Row | None:
    """None if the photo is another than the row's, else the row as it is to be: with the path and
    the times that the photo has now."""
    seen = _look(replace(row, input=os.path.abspath(source)), source)
    if seen == row and row.input_changed_ns:
        return row
    same = row.input_bytes and seen.input_bytes == row.input_bytes and row.input_sha256
    return seen if same and _hash(source) == row.input_sha256 else None


def _look(row: Row, source: Path) -> Row:
    if store.is_remote(source):  # it is not read for its hash: the store tells when it changes
        size, mark = store.describe(source) or ("", "")
        return replace(row, input_bytes=size, input_modified_ns="", input_changed_ns=mark)
    try:
        found = source.stat()
    except OSError:  # reading it says why
        return replace(row, input_bytes="", input_modified_ns="", input_changed_ns="")
    read = os.path.isfile(source) and found.st_size <= MAX_BYTES
    return replace(
        row,
        input_bytes=str(found.st_size) if read else "",
        input_modified_ns=str(found.st_mtime_ns),
        input_changed_ns=str(found.st_ctime_ns),
    )


def _hash(source: Path) -> str:
    """The sha256 in hexadecimal; empty where the file cannot be read, which reading it tells."""
    digest = hashlib.sha256()
    try:
        with source.open("rb") as file:
            while block := file.read(BLOCK):
                digest.update(block)
    except OSError:
        return ""
    return digest.hexdigest()
