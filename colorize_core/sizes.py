"""Sizes of files in words, by the one unit that everything shows: decimal, as download pages do."""

from __future__ import annotations

MB = 1_000_000  # bytes


def format_size(count: int) -> str:
    """Bytes in words: "15.8 MB", "1.72 GB"."""
    for unit, bytes in (("GB", 1000 * MB), ("MB", MB), ("kB", 1000)):
        if count >= bytes:
            return f"{count / bytes:.3g} {unit}"
    return f"{count} B"
