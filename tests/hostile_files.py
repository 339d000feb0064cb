"""Picture files that are made to hurt: damaged, announcing what they do not have, or costing far
more than they are. Always the same ones; `python hostile_files.py FOLDER` writes them there."""

from __future__ import annotations

import struct
import sys
import zlib
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import numpy as np
from PIL import Image

from tests import image_files as files

MUTANTS = 18  # of each picture
LARGE = (7000, 7000)  # pixels that the public profile allows
HUGE = (15_000, 15_000)  # and that it does not
Files = Iterator[tuple[str, bytes]]


def make_files() -> Files:
    """(name, bytes) of some 700 files, each of at most a few MB."""
    for name, data in make_pictures().items():
        yield from spoil(name, data)
    yield from announce()
    yield from crowd()
    yield from repeat(20_000)


def make_large_files() -> Files:
    """Those that have tens of MB, or need as much time as there is."""
    yield "JPEG of 0xFF", b"\xff\xd8" + b"\xff" * 64_000_000
    yield from ((f"large: {name}", data) for name, data in repeat(1_000_000))
    yield "overlapping strips", overlap_strips(1_000_000)
    yield "JPEG of many scans", many_scans(190, 4000)
    yield "JPEG of too many scans", many_scans(1000, 4000)


def make_pictures() -> dict[str, bytes]:
    """Small pictures of every kind, whole."""
    pixels, clear = files.soft(), files.colours(channels=4)
    gray = Image.fromarray(pixels).convert("L")
    more = [Image.fromarray(files.colours(48, 64, seed=seed)) for seed in range(3)]
    exif = files.exif_block()
    return {
        "JPEG": files.saved(pixels, "JPEG", exif=b"Exif\0\0" + exif, comment=b"a note"),
        "progressive JPEG": files.saved(pixels, "JPEG", progressive=True, subsampling=0),
        "CMYK JPEG": files.saved(Image.fromarray(pixels).convert("CMYK"), "JPEG"),
        "PNG": files.saved(pixels, "PNG", exif=exif),
        "palette PNG": files.saved(Image.fromarray(pixels).quantize(16), "PNG", bits=4),
        "deep PNG": files.deep_png(files.deep(channels=4)),
        "interlaced PNG": files.interlaced_png(pixels),
        "WebP": files.saved(pixels, "WEBP", exif=exif),
        "lossless WebP": files.saved(clear, "WEBP", lossless=True),
        "animated WebP": files.saved(more[0], "WEBP", save_all=True, append_images=more[1:]),
        "TIFF": files.tiff(files.deep(), photometric="rgb", rowsperstrip=4),
        "tiled TIFF": files.tiff(
            files.colours(), photometric="rgb", tile=(16, 16), compression="zlib"
        ),
        "LZW TIFF": files.lzw_tiff(files.deep()),
        "GIF": files.saved(more[0], "GIF", save_all=True, append_images=more[1:], comment=b"note"),
        "BMP": files.saved(pixels, "BMP"),
        "RLE BMP": rle_bmp(64, 48),
        "AVIF": files.saved(pixels, "AVIF", exif=exif),
        "JPEG 2000": files.saved(pixels, "JPEG2000"),
        "PGM": files.saved(gray, "PPM"),
        "TGA": files.saved(gray, "TGA", rle=True),
    }


def spoil(name: str, data: bytes) -> Files:
    """Cut off, with bytes exchanged, and with runs of the same byte: most in the first part, where
    the headers are."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    for share in (0.02, 0.1, 0.3, 0.5, 0.8, 0.99):
        yield f"{name} cut off at {share:.0%}", data[: max(4, int(share * len(data)))]
    for number in range(MUTANTS):
        mutant = bytearray(data)
        end = len(data) if number % 3 == 0 else min(len(data), 200)
        for place in rng.integers(4, end, 1 + number % 5):
            mutant[place] = rng.choice([0, 1, 127, 128, 255, *rng.integers(0, 256, 5)])
        yield f"{name}, mutant {number}", bytes(mutant)
    for value in (0x00, 0xFF):
        for place in rng.integers(4, min(len(data), 400), 5):
            mutant = bytearray(data)
            mutant[place : place + 4] = bytes([value]) * 4
            yield f"{name}, {value:02x} at {place}", bytes(mutant)


def announce() -> Files:
    """Headers of large pictures, with the data of a small one or none."""
    pictures = make_pictures()
    for side, _ in (LARGE, HUGE):
        for name in ("PNG", "deep PNG", "interlaced PNG"):
            header, *rest = files.chunks_of(pictures[name])
            size = struct.pack(">II", side, side)
            yield f"{name} of {side}", files.png_of((b"IHDR", size + header[1][8:]), *rest)
        for name in ("JPEG", "progressive JPEG", "CMYK JPEG"):
            data = bytearray(pictures[name])
            frame = max(data.find(b"\xff\xc0"), data.find(b"\xff\xc2"))
            struct.pack_into(">HH", data, frame + 5, side, side)
            yield f"{name} of {side}", bytes(data)
            yield f"{name} of {side}, long", bytes(data[:-2]) + bytes(2_000_000)
        for name, (height, width) in {"BMP": (48, 64), "RLE BMP": (48, 64)}.items():
            data = pictures[name].replace(
                struct.pack("<ii", width, height), struct.pack("<ii", side, side), 1
            )
            yield f"{name} of {side}", data
        small, large = (struct.pack(">II", *each) for each in ((48, 64), (side, side)))
        yield f"JPEG 2000 of {side}", pictures["JPEG 2000"].replace(small, large)
        swapped = struct.pack(">II", 64, 48)
        yield f"codestream of {side}", pictures["JPEG 2000"].replace(swapped, large)
        yield f"AVIF of {side}", pictures["AVIF"].replace(swapped, large)
        yield f"GIF of {side}", _put(pictures["GIF"], 6, struct.pack("<HH", side, side))
        canvas = (side - 1).to_bytes(3, "little") * 2
        yield f"animated WebP of {side}", _put(pictures["animated WebP"], 24, canvas)
        bits = struct.pack("<I", (side - 1) | (side - 1) << 14)
        still = b"VP8L" + struct.pack("<I", 10) + b"\x2f" + bits + bytes(5)
        yield f"WebP of {side}", b"RIFF" + struct.pack("<I", 4 + len(still)) + b"WEBP" + still
        yield f"PGM of {side}", b"P5 %d %d 255\n" % (side, side) + bytes(1000)
        yield f"plain PGM of {side}", b"P2 %d %d 255\n" % (side, side) + b"1 " * 500_000
        yield f"TGA of {side}", _put(pictures["TGA"], 12, struct.pack("<HH", side, side))
        yield f"RLE BMP of {side}, nothing", rle_bmp(side, side, b"\0\1")
        for name in ("TIFF", "tiled TIFF", "LZW TIFF"):
            sizes = {256: files.longs(side), 257: files.longs(side)}
            yield f"{name} of {side}", files.rewritten(pictures[name], sizes)


def crowd() -> Files:
    """Metadata that claims or becomes far more than it is."""
    block, pictures = crowded_exif(), make_pictures()
    yield "crowded EXIF in a JPEG", files.saved(files.soft(), "JPEG", exif=b"Exif\0\0" + block)
    for name in ("PNG", "WEBP", "AVIF"):
        yield f"crowded EXIF in {name}", files.saved(files.soft(), name, exif=block)
    bomb = zlib.compress(bytes(200_000_000), 9)
    header, *rest = files.chunks_of(pictures["PNG"])
    for kind, start in {
        b"zTXt": b"Comment\0\0",
        b"iTXt": b"Comment\0\1\0\0\0",
        b"iCCP": b"profile\0\0",
    }.items():
        for count in (1, 50):
            chunks = [(kind, start + bomb)] * count
            yield f"{count} inflating {kind.decode()}", files.png_of(header, *chunks, *rest)
    yield "inflating pixels", files.png_of(header, (b"IDAT", bomb), (b"IEND", b""))
    for count in (1000, 60_000):
        yield f"{count} overlapping strips", overlap_strips(count)
    for tag, what in ((700, "XMP"), (34675, "profile"), (33723, "IPTC")):
        claim = (7, 1 << 31, struct.pack("<I", 8))
        data = pictures["TIFF"]
        with_claim = bytearray(files.rewritten(data, {tag: files.longs(1)}))
        place = with_claim.rfind(struct.pack("<HH", tag, 4))
        struct.pack_into("<HI4s", with_claim, place + 2, *claim)
        yield f"TIFF whose {what} has 2 GB", bytes(with_claim)


def repeat(count: int) -> Files:
    """A part of a file, again and again."""
    pictures = make_pictures()
    header, *rest = files.chunks_of(pictures["PNG"])
    for kind, body in ((b"tEXt", b"a\0b"), (b"IDAT", b""), (b"abCd", b"")):
        chunks = [(kind, body)] * count
        yield f"PNG of many {kind.decode()}", files.png_of(header, *chunks, *rest)
    jpeg = pictures["JPEG"]
    for what, segment in {
        "comments": b"\xff\xfe\0\3a",
        "profiles": b"\xff\xe2\0\x13ICC_PROFILE\0\1\1abc",
        "resources": b"\xff\xed\0\x16Photoshop 3.0\x008BIM\4",
        "tables": b"\xff\xdb\0\x43\0" + b"\1" * 64,
        "empty segments": b"\xff\xef\0\2",
    }.items():
        yield f"JPEG of many {what}", jpeg[:2] + segment * count + jpeg[2:]
    yield "JPEG of 0xFF, short", b"\xff\xd8" + b"\xff" * 40 * count
    yield "JPEG of many ends", jpeg + b"\xff\xd9" * count
    gif = pictures["GIF"]
    start = 13 + (6 << (gif[10] & 7))  # behind the palette
    for what, block in {
        "comments": b"\x21\xfe\1a\0",
        "extensions": b"\x21\xf9\4\0\0\0\0\0",
        "frames": b"\x2c" + struct.pack("<4HB", 0, 0, 1, 1, 0) + b"\2\2\x44\1\0",
    }.items():
        yield f"GIF of many {what}", gif[:start] + block * count + gif[start:]
    yield "GIF of one comment", gif[:start] + b"\x21\xfe" + b"\1a" * count + b"\0" + gif[start:]
    webp = pictures["animated WebP"]
    body = webp[12:] + (b"ANMF" + struct.pack("<I", 16) + bytes(16)) * count
    yield "WebP of many frames", b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body
    for name in ("JPEG 2000", "AVIF"):
        box = struct.pack(">I4s", 8, b"free")
        yield f"{name} of many boxes", pictures[name] + box * count
        first = struct.unpack_from(">I", pictures[name])[0]
        yield (
            f"{name} behind many boxes",
            pictures[name][:first] + box * count + pictures[name][first:],
        )
    yield "TIFF of many pages", many_pages(min(count, 200_000))
    yield "PGM of comments", b"P5\n" + b"#a\n" * count + b"4 4 255\n" + bytes(16)
    yield "RLE BMP of steps", rle_bmp(64, 48, b"\0\2\0\0" * count + b"\0\1")


def overlap_strips(count: int) -> bytes:
    """A TIFF whose strips are all the same bytes."""
    strips = {
        278: files.longs(1),
        257: files.longs(count),
        273: files.longs(*[8] * count),
        279: files.longs(*[1000] * count),
    }
    return files.rewritten(make_pictures()["TIFF"], strips)


def many_scans(count: int, side: int) -> bytes:
    """A progressive JPEG that goes over its pixels again and again."""
    data = files.saved(np.zeros((side, side), np.uint8), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:-2] + data[last:-2] * count + data[-2:]


def many_pages(count: int) -> bytes:
    """A TIFF of gray pixels; the last directory leads back to the first."""
    tags = {256: 1, 257: 1, 258: 8, 259: 1, 262: 1, 273: 4, 278: 1, 279: 1}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    step = 2 + len(entries) + 4
    pages = [
        struct.pack("<H", len(tags)) + entries + struct.pack("<I", 8 + step * (number % count))
        for number in range(1, count + 1)
    ]
    return struct.pack("<2sHI", b"II", 42, 8) + b"".join(pages)


def crowded_exif() -> bytes:
    """A block of 5,000 entries, of which each claims the same 60,000 bytes."""
    entries = b"".join(
        struct.pack("<HHII", 0x9000 + number, 7, 60_000, 0) for number in range(5000)
    )
    return struct.pack("<2sHIH", b"II", 42, 8, 5000) + entries + bytes(4)


def rle_bmp(width: int, height: int, runs: bytes | None = None) -> bytes:
    """A BMP of 8 bits in runs, by default of one colour."""
    if runs is None:
        runs = (bytes([width, 1]) + b"\0\0") * height + b"\0\1"
    palette = bytes(range(256)) * 4
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, len(runs), 0, 0, 256, 0)
    start = 14 + len(info) + len(palette)
    head = struct.pack("<2sIHHI", b"BM", start + len(runs), 0, 0, start)
    return head + info + palette + runs


def _put(data: bytes, place: int, part: bytes) -> bytes:
    return data[:place] + part + data[place + len(part) :]


if __name__ == "__main__":
    for number, (_, data) in enumerate(chain(make_files(), make_large_files())):
        Path(sys.argv[1], f"{number:04}").write_bytes(data)
