"""Public sets of photographs, made small for training: zips of WebP files, split by a rule.
Torch-free.

Nothing is downloaded here: the sets are large, and their terms are to be agreed to by whoever takes
them. SETS says where they are.
"""

from __future__ import annotations

import hashlib
import io
import itertools
import os
import tarfile
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from colorize_core.errors import OptionError
from colorize_core.folders import write_whole
from colorize_core.imaging.color import rgb_to_lab
from colorize_core.imaging.formats import WRITTEN

SIDES = (64, 512)  # pixels of the shorter side that can be asked for
SHARD = 10_000  # photographs in a zip at most
LEAST_CHROMA = 4.0  # mean of a photograph, in Lab units: what has less is as good as gray
QUALITY = 90  # of WebP
PARTS = {"val": 1, "test": 1, "train": 14}  # of 16
SUFFIXES = {*WRITTEN, ".bmp"}
AT_ONCE = 256  # photographs in memory


@dataclass(frozen=True)
class PhotoSet:
    """What is known of a set before it is downloaded."""

    title: str
    photos: str  # how many
    size: str  # of the download
    address: str
    terms: str


SETS = {
    "coco": PhotoSet(
        "COCO 2017, train",
        "118,000",
        "18 GB",
        "http://images.cocodataset.org/zips/train2017.zip",
        "the photographs are of Flickr, under its terms and the licence of each",
    ),
    "coco-val": PhotoSet(
        "COCO 2017, val",
        "5,000",
        "1 GB",
        "http://images.cocodataset.org/zips/val2017.zip",
        "the photographs are of Flickr, under its terms and the licence of each",
    ),
    "imagenet": PhotoSet(
        "ImageNet, ILSVRC 2012, train",
        "1.28 million",
        "138 GB (--limit takes a subset)",
        "https://www.image-net.org/download.php (asks for an account)",
        "non-commercial research and education only",
    ),
    "sports": PhotoSet(
        "100 Sports Image Classification",
        "14,500",
        "under 1 GB",
        "https://www.kaggle.com/datasets/gpiosenka/sports-classification (asks for an account)",
        "published as CC0; collected from searches of the internet",
    ),
}


class Prepared(NamedTuple):
    """What became of a set: photographs in each part, and why others were left out."""

    parts: dict[str, int]
    left_out: dict[str, int]


def prepare(
    name: str,
    sources: Iterable[Path],
    out: Path,
    side: int = 160,
    limit: int | None = None,
    report: Callable[[int], None] | None = None,
) -> Prepared:
    """Write `out`/NAME-train-00.zip and so on, NAME-val.zip and NAME-test.zip.

    They hold photographs whose shorter side is `side` pixels, under the paths that they have in the
    sources, which are folders, zips and tars, also tars of tars. Left out are those that are gray,
    smaller, the same once more, or damaged. `limit`: how many at most. `report` gets the number
    that was looked at. Raises OptionError and OSError; a zip has its name once all are whole.
    """
    if not SIDES[0] <= side <= SIDES[1]:
        raise OptionError(f"side is {side}, allowed is {SIDES[0]} to {SIDES[1]}.")
    missing = [str(source) for source in sources if not source.exists()]
    if missing:
        raise OptionError(f"{', '.join(missing)}: there is no such file or folder.")
    left_out: Counter[str] = Counter()
    seen: set[int] = set()
    out.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack, ThreadPoolExecutor() as pool:
        shards = Shards(out, name, stack)
        number = 0
        members = (member for source in sources for member in list_members(source))
        while batch := list(itertools.islice(members, AT_ONCE)):
            for (path, _), made in zip(
                batch, pool.map(lambda member: shrink(member[1], side), batch), strict=True
            ):
                number += 1
                if report:
                    report(number)
                if isinstance(made, str):
                    left_out[made] += 1
                elif made.likeness in seen:
                    left_out["the same as another"] += 1
                elif limit is None or sum(shards.counts.values()) < limit:
                    seen.add(made.likeness)
                    shards.add(path, made.data)
                else:
                    left_out["beyond the limit"] += 1
            if limit is not None and sum(shards.counts.values()) >= limit:
                break
    if not sum(shards.counts.values()):
        raise OptionError("No photograph in colour was found there.")
    return Prepared(dict(shards.counts), dict(left_out))


class Small(NamedTuple):
    data: bytes  # a WebP file
    likeness: int  # equal for what looks the same


def shrink(data: bytes, side: int) -> Small | str:
    """A photograph with that shorter side, or why it is left out."""
    try:
        with Image.open(io.BytesIO(data)) as photo:
            if min(photo.size) < side:
                return "smaller"
            photo.draft("RGB", (2 * side, 2 * side))  # of a JPEG less is decoded
            picture = photo.convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return "damaged"
    scale = side / min(picture.size)
    size = tuple(max(side, round(length * scale)) for length in picture.size)
    small = picture.resize((size[0], size[1]), Image.Resampling.BOX)
    lab = rgb_to_lab(np.asarray(small, np.float32) / 255)
    if float(np.hypot(lab[..., 1], lab[..., 2]).mean()) < LEAST_CHROMA:
        return "gray"
    file = io.BytesIO()
    small.save(file, "WEBP", quality=QUALITY)
    return Small(file.getvalue(), measure_likeness(small))


def measure_likeness(picture: Image.Image) -> int:
    """Whether each of 128 places is lighter than its neighbour, across and down, as bits (Krawetz,
    "Kind of Like That", 2013, https://www.hackerfactor.com/blog/?/archives/529)."""
    gray = picture.convert("L")
    across = np.asarray(gray.resize((9, 8), Image.Resampling.BOX), np.int16)
    down = np.asarray(gray.resize((8, 9), Image.Resampling.BOX), np.int16)
    bits = np.concatenate(
        [(np.diff(across, axis=1) > 0).ravel(), (np.diff(down, axis=0) > 0).ravel()]
    )
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


def choose_part(path: str) -> str:
    """Of a photograph's path in its set: the same part for ever, whatever else is there."""
    number = hashlib.sha256(path.encode()).digest()[0] % sum(PARTS.values())
    for part, share in PARTS.items():
        if number < share:
            return part
        number -= share
    raise AssertionError


class Shards:
    """The zips that are written; each gets its name when it is whole."""

    def __init__(self, out: Path, name: str, stack: ExitStack):
        self.counts: Counter[str] = Counter()
        self._out, self._name, self._stack = out, name, stack
        self._open: dict[str, zipfile.ZipFile] = {}

    def add(self, path: str, data: bytes) -> None:
        part = choose_part(path)
        number = self.counts[part] // SHARD
        file = (
            f"{self._name}-{part}-{number:02}.zip"
            if part == "train"
            else f"{self._name}-{part}.zip"
        )
        if file not in self._open:
            stream: Any = self._stack.enter_context(write_whole(self._out / file))
            self._open[file] = self._stack.enter_context(zipfile.ZipFile(stream, "w"))
        self._open[file].writestr(f"{self._name}/{os.path.splitext(path)[0]}.webp", data)
        self.counts[part] += 1


def list_members(source: Path) -> Iterator[tuple[str, bytes]]:
    """Path, without what is above the source, and bytes of each file that may be a photograph."""
    if source.is_dir():
        for path in sorted(source.rglob("*")):
            if path.suffix.lower() in SUFFIXES and path.is_file():
                yield path.relative_to(source).as_posix(), path.read_bytes()
    elif zipfile.is_zipfile(source):
        with zipfile.ZipFile(source) as archive:
            for name in sorted(archive.namelist()):
                if os.path.splitext(name)[1].lower() in SUFFIXES:
                    yield name, archive.read(name)
    elif tarfile.is_tarfile(source):
        with source.open("rb") as file:
            yield from _list_tar(file, "")
    else:
        raise OptionError(f"{source} is no folder, no zip and no tar.")


def _list_tar(file: Any, above: str) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(fileobj=file, mode="r|*") as archive:
        for member in archive:
            stream = archive.extractfile(member) if member.isfile() else None
            if stream is None:
                continue
            stem, suffix = os.path.splitext(member.name)
            if suffix.lower() == ".tar":  # of one class
                yield from _list_tar(io.BytesIO(stream.read()), f"{above}{stem}/")
            elif suffix.lower() in SUFFIXES:
                yield above + member.name, stream.read()
