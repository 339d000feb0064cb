"""A picture file taken apart: its first picture alone, and what stands beside it."""

from __future__ import annotations

from dataclasses import dataclass, field

from colorize_core.imaging.limits import MAX_BLOCK, MAX_TEXTS


@dataclass
class Parts:
    """What is found in a file without decoding it; each format's module adds what its decoder
    needs.

    Decoders get `bare` and nothing else of the file: what they would do by themselves with an
    orientation, a profile, texts or further frames can neither happen twice nor cost anything.
    """

    bare: bytes  # a file with the first picture alone
    size: tuple[int, int]  # width and height as stored
    pages: int = 1  # pictures in the file: pages, frames
    icc: bytes | None = None  # a profile
    exif: bytes | None = None  # a TIFF block
    xmp: bytes | None = None  # an XML packet
    iptc: bytes | None = None  # datasets of the Information Interchange Model
    comments: list[bytes] = field(default_factory=list)  # of an unknown encoding
    texts: list[tuple[str, str]] = field(default_factory=list)  # keywords of PNG, what they say
    dpi: tuple[float, float] | None = None  # dots an inch, horizontal and vertical
    orientation: int | None = None  # 1 to 8 where the file has it outside EXIF and XMP
    complete: bool = True  # whether there are as many bytes as such a picture takes at least
    left_out: list[str] = field(default_factory=list)  # metadata that is too large to be kept

    def add_comment(self, comment: bytes) -> None:
        """Keeps a comment unless it is empty, or there are too many."""
        if not comment.strip(b"\0 "):
            return
        if len(self.comments) < MAX_TEXTS and sum(map(len, self.comments)) < MAX_BLOCK:
            self.comments.append(comment)
        elif "texts" not in self.left_out:
            self.left_out.append("texts")
