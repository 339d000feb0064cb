"""TIFF files taken apart: the page that counts, and what stands beside its pixels.

Sources: TIFF 6.0; TIFF/EP and DNG (reduced pages).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from colorize_core.errors import NotAPictureError
from colorize_core.imaging import photoshop, tiff
from colorize_core.imaging.limits import MAX_BLOCK, MAX_FRAMES
from colorize_core.imaging.metadata import read_density, select_descriptive
from colorize_core.imaging.parts import Parts
from colorize_core.imaging.tiff import Directory, Entry, Tags

RAW = "it is a camera's raw file. Export it as TIFF or JPEG first"
# What only raw files have: filter arrays and linear sensors as photometric interpretations, and the
# compressions of Sony, Nikon and Pentax.
RAW_INTERPRETATIONS = frozenset({32803, 34892})
RAW_COMPRESSIONS = frozenset({32767, 34713, 65535})


@dataclass
class TiffParts(Parts):
    """A TIFF; `page` is the directory of its first picture of full size."""

    page: Directory = field(default_factory=lambda: Directory("<"))


def take_apart(data: bytes) -> TiffParts:
    """The first page that is not a reduced picture of another, and how many such pages there are.

    Raises NotAPictureError for cameras' raw files, ValueError or struct.error where the directories
    are damaged, BrokenPictureError where a page is cut off, PictureTooLargeError for what is beyond
    the limits."""
    reader = tiff.DirectoryReader(data)
    chain: list[Directory] = []
    for directory in reader.read_chain():
        chain.append(directory)
        if len(chain) > MAX_FRAMES:
            break
    full = [each for each in chain if _is_full(each)]
    page, parent = (full[0], full[0]) if full else _find_inner_page(reader, chain)
    if data[8:10] == b"CR" or any(tiff.DNG_VERSION in each.entries for each in chain):
        raise NotAPictureError(RAW)
    if page.number(tiff.PHOTOMETRIC) in RAW_INTERPRETATIONS:
        raise NotAPictureError(RAW)
    if page.number(tiff.COMPRESSION) in RAW_COMPRESSIONS:
        raise NotAPictureError(RAW)
    size = page.number(tiff.WIDTH), page.number(tiff.HEIGHT)
    parts = TiffParts(data, size, max(1, len(full)), page=page)
    # What only the file's first directory says of the photograph counts for a later one, too.
    described = Directory(page.order, {**chain[0].entries, **parent.entries, **page.entries})
    _read_metadata(reader, page, described, parts)
    parts.orientation = page.number(tiff.ORIENTATION) or parent.number(tiff.ORIENTATION) or None
    return parts


def _is_full(directory: Directory) -> bool:
    """Whether it is neither a reduced picture nor a mask of another page."""
    flags = directory.number(tiff.SUBFILE)
    return not flags & 5 and directory.number(tiff.OLD_SUBFILE) != 2


def _find_inner_page(
    reader: tiff.DirectoryReader, chain: list[Directory]
) -> tuple[Directory, Directory]:
    """The first page of full size below one of the chain, and that one."""
    for parent in chain:
        for place in parent.numbers(tiff.SUB_IFDS)[:MAX_FRAMES]:
            inner = reader.read(place)
            if _is_full(inner):
                return inner, parent
    raise NotAPictureError(RAW)


def _read_metadata(
    reader: tiff.DirectoryReader, page: Directory, described: Directory, parts: Parts
) -> None:
    large: list[str] = []

    def read(directory: Directory, tag: int, name: str) -> bytes | None:
        entry = directory.entries.get(tag)
        if entry is not None and len(entry.value) > MAX_BLOCK:
            large.append(name)
            return None
        return directory.raw(tag)

    parts.icc = read(page, tiff.PROFILE, "the colour profile")
    parts.xmp = read(described, tiff.XMP, "XMP")
    iptc = read(described, tiff.IPTC, "IPTC")
    if iptc and not iptc.startswith(photoshop.IPTC_MARK):  # bytes that were taken for numbers
        iptc = bytes(described.entries[tiff.IPTC].swap().value)
    parts.iptc = iptc or photoshop.find_iptc(read(described, tiff.PHOTOSHOP, "IPTC") or b"")
    tags = select_descriptive(reader, described)
    if sum(_measure(each) for each in tags.values()) > MAX_BLOCK:
        large.append("EXIF")
    elif tags:
        order = page.order
        parts.exif = tiff.write_header(order) + tiff.write_directory(order, tags)
    parts.dpi = read_density(page)
    parts.left_out = large


def _measure(each: Entry | Tags) -> int:
    if isinstance(each, Entry):
        return len(each.value)
    return sum(_measure(inner) for inner in each.values())
