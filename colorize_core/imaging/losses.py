"""What a result does not keep of the file that it was made from, in words."""

from __future__ import annotations

from collections.abc import Sequence

from colorize_core.imaging import tiff
from colorize_core.imaging.encoders import JPEG_SEGMENT, list_jpeg_comments, list_jpeg_resources
from colorize_core.imaging.metadata import Metadata, list_text_tags, read_exif_density
from colorize_core.imaging.records import join_record


def describe_pages(count: int) -> str:
    """A sentence where a file holds more pictures than the first; else nothing."""
    if count < 2:
        return ""
    rest = "the other one is" if count == 2 else f"the other {count - 1:,} are"
    return f"The file holds {count:,} pictures: this is the first, {rest} left out."


def describe_dropped(kinds: Sequence[str]) -> str:
    """A sentence on metadata that is not kept; nothing where all of it is."""
    if not kinds:
        return ""
    *first, last = kinds
    return f"Not kept: {', '.join(first)} and {last}." if first else f"Not kept: {last}."


def list_dropped(metadata: Metadata, format: str) -> list[str]:
    """The kinds of metadata that a format (a name of FORMATS) cannot hold, in words."""
    room = {"most": JPEG_SEGMENT} if format == "JPEG" else {}
    _, dropped = join_record(metadata.xmp, metadata.record, **room)
    if format == "JPEG":
        blocks: dict[str, list[bytes | None]] = {
            "EXIF": [metadata.exif],
            "IPTC": [*list_jpeg_resources(metadata)],
            "a long text": [*list_jpeg_comments(metadata)],
        }
        for name, bodies in blocks.items():
            if any(body and len(body) >= JPEG_SEGMENT for body in bodies):
                dropped.append(name)
    if format == "WEBP":
        dropped += ["IPTC"] if metadata.iptc else []
        if metadata.dpi and metadata.exif and read_exif_density(metadata.exif) is None:
            dropped.append("the resolution")
    if format in ("TIFF", "WEBP"):
        texts = len(metadata.texts) + len(metadata.comments)
        kept = _count_kept_texts(metadata, format)
        if texts > kept:
            dropped.append("a text" if texts - kept == 1 else f"{texts - kept} texts")
    return dropped


def _count_kept_texts(metadata: Metadata, format: str) -> int:
    """In TIFF those that become tags which EXIF does not fill, in WebP none beside EXIF."""
    tags = list_text_tags(metadata, "<")
    if metadata.exif is None:
        return len(tags)
    return sum(not tiff.has_tag(metadata.exif, tag) for tag in tags) if format == "TIFF" else 0
