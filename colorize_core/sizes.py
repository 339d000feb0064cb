"""Sizes of files in words, by the one unit that everything shows: decimal, as download pages do.
And numbers, where they are named in a message."""

from __future__ import annotations

import sys
from decimal import Decimal

MB = 1_000_000  # bytes


def format_size(count: int) -> str:
    """Bytes in words: "15.8 MB", "1.72 GB"."""
    for unit, bytes in (("GB", 1000 * MB), ("MB", MB), ("kB", 1000)):
        if count >= bytes:
            return f"{count / bytes:.3g} {unit}"
    return f"{count} B"


def format_number(value: float) -> str:
    """With six digits at most, as :g does, also of whole numbers that no float can be."""
    if isinstance(value, int) and abs(value) > sys.float_info.max:
        return f"{Decimal(value):.5e}"
    return f"{value:g}"
