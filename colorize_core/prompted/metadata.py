"""The prompt, the seed and the settings in a PNG's text, and back."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterator
from dataclasses import asdict, fields

from colorize_core.errors import OptionError, PictureError
from colorize_core.imaging.png import SETTINGS_KEYWORD as KEYWORD
from colorize_core.prompted.settings import PromptSettings

VERSION = 1
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEADER = 33  # bytes of the signature and the first chunk, after which text may stand


def write_settings(png: bytes, settings: PromptSettings) -> bytes:
    """The PNG file with two text chunks more: Description, which many programs show, has the
    prompt; KEYWORD has everything as JSON."""
    if not png.startswith(_SIGNATURE):
        raise PictureError("Settings are kept in PNG files only, and this is none. Save it as PNG.")
    stated = json.dumps({"version": VERSION, **asdict(settings)}, ensure_ascii=False)
    chunks = _make_text_chunk("Description", settings.prompt.replace("\0", " ")) + _make_text_chunk(
        KEYWORD, stated
    )
    return png[:_HEADER] + chunks + png[_HEADER:]


def read_settings(png: bytes) -> PromptSettings | None:
    """What write_settings() put into the file; None if it has none, or is no PNG.

    Raises OptionError if what it has is damaged or not allowed."""
    plain = KEYWORD.encode() + b"\0\0\0"  # then the names of a language, and the text
    for kind, body in _read_chunks(png):
        if kind == b"iTXt" and body.startswith(plain):
            return _parse(body[len(plain) :].split(b"\0", 2)[-1])
    return None


def _read_chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind and content of those before the pixels."""
    place = len(_SIGNATURE) if png.startswith(_SIGNATURE) else len(png)
    while place + 8 <= len(png):
        size, kind = struct.unpack_from(">I4s", png, place)
        if kind == b"IDAT":
            return
        yield kind, png[place + 8 : place + 8 + size]
        place += 12 + size


def _parse(stated: bytes) -> PromptSettings:
    try:
        values = json.loads(stated)
        version = values.pop("version")
    except (ValueError, RecursionError, AttributeError, KeyError, TypeError) as error:
        raise OptionError(
            "The settings in this PNG are damaged. Type them again, or drop another copy."
        ) from error
    if version != VERSION:
        raise OptionError(
            f"The settings in this PNG are of version {version!r}, version {VERSION} is read. "
            "Use the program that wrote them."
        )
    known = {field.name for field in fields(PromptSettings)}
    if values.keys() != known:
        strange = ", ".join(sorted(values.keys() ^ known))
        raise OptionError(f"The settings in this PNG do not fit: {strange}. Type them again.")
    return PromptSettings(**values)


def _make_text_chunk(keyword: str, text: str) -> bytes:
    """An iTXt chunk (PNG, third edition, 11.3.3.4): UTF-8, not compressed, no language named."""
    body = keyword.encode("latin-1") + b"\0\0\0\0\0" + text.encode()
    checked = b"iTXt" + body
    return struct.pack(">I", len(body)) + checked + struct.pack(">I", zlib.crc32(checked))
