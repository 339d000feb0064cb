"""Directories of TIFF files: read within a budget, and written. EXIF blocks are such files, too.

Values stay the bytes that the file has, so that no text is decoded and encoded again.

Sources: TIFF 6.0; CIPA DC-008 (EXIF); BigTIFF, https://www.awaresystems.be/imaging/tiff/bigtiff.html.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Union

import numpy as np

from colorize_core.imaging.limits import MAX_ENTRIES

SUBFILE, OLD_SUBFILE, WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC = (
    254,
    255,
    256,
    257,
    258,
    259,
    262,
)
FILL_ORDER, STRIP_OFFSETS, CHANNELS, STRIP_ROWS, STRIP_SIZES, PLANES = 266, 273, 277, 278, 279, 284
DESCRIPTION, ORIENTATION, X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT = 270, 274, 282, 283, 296
SOFTWARE, DATE, ARTIST, COPYRIGHT = 305, 306, 315, 33432
PREDICTOR, TILE_WIDTH, TILE_HEIGHT, TILE_OFFSETS, TILE_SIZES, SUB_IFDS = (
    317,
    322,
    323,
    324,
    325,
    330,
)
INK_SET, EXTRA_SAMPLES, SAMPLE_FORMAT, XMP, IPTC, PHOTOSHOP, PROFILE = (
    332,
    338,
    339,
    700,
    33723,
    34377,
    34675,
)
EXIF_IFD, GPS_IFD, INTEROP_IFD, DNG_VERSION = 34665, 34853, 40965, 50706
SUBSAMPLING, COLOR_SPACE, PIXEL_WIDTH, PIXEL_HEIGHT = 530, 40961, 40962, 40963

BYTE, ASCII, SHORT, LONG, RATIONAL, UNDEFINED = 1, 2, 3, 4, 5, 7
# Bytes of a value by its type, and of the numbers that it consists of.
SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
SIZES |= dict.fromkeys((16, 17, 18), 8)
NUMBERS = SIZES | {5: 4, 10: 4}
CODES = {1: "u1", 3: "u2", 4: "u4", 6: "i1", 7: "u1", 8: "i2", 9: "i4", 13: "u4"}
CODES |= {16: "u8", 17: "i8", 18: "u8"}
SHARED = 1 << 16  # bytes that entries may claim together with others


@dataclass(frozen=True)
class Entry:
    """A tag's value. `value` has `count` values of the type `kind`, in the file's byte order."""

    kind: int
    count: int
    value: bytes | memoryview

    def swap(self) -> Entry:
        """The same in the other byte order."""
        size = NUMBERS[self.kind]
        swapped = np.frombuffer(self.value, f"u{size}").byteswap().tobytes()
        return Entry(self.kind, self.count, swapped)


Tags = Mapping[int, Union[Entry, "Tags"]]  # a directory; inner ones are such again


@dataclass(frozen=True)
class Directory:
    """One directory of a file: its entries, and where the next one is (0: nowhere)."""

    order: str  # "<" or ">"
    entries: dict[int, Entry] = field(default_factory=dict)
    next: int = 0

    def numbers(self, tag: int, default: tuple[int, ...] = ()) -> tuple[int, ...]:
        """The whole numbers of a tag; `default` where it is missing or no number."""
        entry = self.entries.get(tag)
        if entry is None or entry.kind not in CODES or not entry.count:
            return default
        return tuple(np.frombuffer(entry.value, self.order + CODES[entry.kind]).tolist())

    def number(self, tag: int, default: int = 0) -> int:
        """The first whole number of a tag."""
        return self.numbers(tag, (default,))[0]

    def fraction(self, tag: int) -> float | None:
        """The first value of a tag that holds fractions; None where there is none."""
        entry = self.entries.get(tag)
        if entry is None or entry.kind != RATIONAL or not entry.count:
            return None
        above, below = struct.unpack_from(self.order + "II", entry.value)
        return above / below if below else None

    def raw(self, tag: int) -> bytes | None:
        """The bytes of a tag; None where it is missing or empty."""
        entry = self.entries.get(tag)
        return bytes(entry.value) if entry and entry.count else None


class DirectoryReader:
    """Reads the directories of a TIFF file or EXIF block, classic or BigTIFF.

    Raises ValueError where the data begins as none, where the entries of a directory claim more
    bytes than there are, or all of them are more than MAX_ENTRIES, struct.error where a directory
    reaches beyond the end. An entry alone that points beyond the end, or is of an unknown type, is
    left out.
    """

    def __init__(self, data: bytes) -> None:
        self._data = memoryview(data)
        orders = {b"II*\0": ("<", False), b"MM\0*": (">", False)}
        orders |= {b"II+\0": ("<", True), b"MM\0+": (">", True)}
        if data[:4] not in orders:
            raise ValueError("no TIFF")
        self.order, self._big = orders[data[:4]]
        self.first: int = struct.unpack_from(
            self.order + ("Q" if self._big else "I"), data, 8 if self._big else 4
        )[0]
        self._entries_left = MAX_ENTRIES

    def read(self, place: int) -> Directory:
        """The directory that begins there."""
        head, item = ("Q", "HHQ8s") if self._big else ("H", "HHI4s")
        (count,) = struct.unpack_from(self.order + head, self._data, place)
        self._entries_left -= count
        if self._entries_left < 0:
            raise ValueError("more entries than are read")
        place += struct.calcsize("=" + head)
        step = struct.calcsize("=" + item)
        entries: dict[int, Entry] = {}
        claimed = 0
        for start in range(place, place + count * step, step):
            tag, kind, values, inline = struct.unpack_from(self.order + item, self._data, start)
            size = values * SIZES.get(kind, 0)
            claimed += size
            if claimed > len(self._data) + SHARED:
                raise ValueError("entries claim more bytes than there are")
            begin = start + step - len(inline)
            if size > len(inline):
                begin = struct.unpack(self.order + ("Q" if self._big else "I"), inline)[0]
            if kind in SIZES and begin + size <= len(self._data):
                entries.setdefault(tag, Entry(kind, values, self._data[begin : begin + size]))
        pointer = "Q" if self._big else "I"
        (following,) = struct.unpack_from(self.order + pointer, self._data, place + count * step)
        return Directory(self.order, entries, following)

    def read_chain(self) -> Iterator[Directory]:
        """The directories from the first one on; stops where the chain runs in a circle."""
        place, seen = self.first, set[int]()
        while place and place not in seen:
            seen.add(place)
            directory = self.read(place)
            yield directory
            place = directory.next


def make_entry(order: str, kind: int, *values: int) -> Entry:
    """An entry of whole numbers: BYTE, SHORT or LONG."""
    return Entry(kind, len(values), np.array(values, order + CODES[kind]).tobytes())


def make_fraction(order: str, value: float) -> Entry:
    """An entry with one fraction of 0.0001."""
    whole = float(value).is_integer()
    parts = (round(value), 1) if whole else (round(value * 10_000), 10_000)
    return Entry(RATIONAL, 1, struct.pack(order + "II", *parts))


def swap_tags(tags: Tags) -> dict[int, Entry | Tags]:
    """The same directory, and those in it, in the other byte order."""
    return {
        tag: each.swap() if isinstance(each, Entry) else swap_tags(each)
        for tag, each in tags.items()
    }


def write_header(order: str, first: int = 8) -> bytes:
    """The first 8 bytes of a classic file whose first directory begins at `first`."""
    return {"<": b"II", ">": b"MM"}[order] + struct.pack(order + "HI", 42, first)


def write_directory(order: str, tags: Tags, place: int = 8) -> bytes:
    """A classic directory that will stand at `place`, an even number, and what its entries point
    to, inner directories included. The next directory is nowhere."""
    after = place + 2 + 12 * len(tags) + 4
    items, bodies = [], b""
    for tag, each in sorted(tags.items()):
        if isinstance(each, Entry):
            kind, count, body = each.kind, each.count, bytes(each.value)
        else:
            kind, count = LONG, 1
            body = write_directory(order, each, after + len(bodies))
        if len(body) > 4:
            pointed = struct.pack(order + "I", after + len(bodies))
            bodies += body + bytes(len(body) % 2)
        else:
            pointed = body.ljust(4, b"\0")
        items.append(struct.pack(order + "HHI", tag, kind, count) + pointed)
    return struct.pack(order + "H", len(items)) + b"".join(items) + bytes(4) + bodies


def read_first(block: bytes | None) -> Directory | None:
    """A block's first directory; None where there is none or it is damaged."""
    try:
        reader = DirectoryReader(block or b"")
        return reader.read(reader.first)
    except (ValueError, struct.error):
        return None


def has_tag(block: bytes, tag: int) -> bool:
    """Whether a block's first directory has that tag."""
    first = read_first(block)
    return first is not None and tag in first.entries
