"""What the commands print alike."""

from __future__ import annotations

from collections.abc import Sequence


def aligned(rows: Sequence[tuple[str, ...]]) -> str:
    """A table whose columns are as wide as they need to be; the first row is its heading."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
    return "\n".join(lines)


def size(count: int) -> str:
    """Bytes in words: "15.8 MB", "1.72 GB"."""
    for unit, bytes in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= bytes:
            return f"{count / bytes:.3g} {unit}"
    return f"{count} B"
