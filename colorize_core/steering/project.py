"""Project files: a photo with all that it is colorized with, to go on another day. Torch-free.

A ZIP archive whose name ends with `.autochrome`:

    project.json   {"version": 1, "software": "Autochrome Studio 0.1.0",
                    "photo": {"name": "old.png", "sha256": "...", "bytes": 81234},
                    "colours": ...}, the record of provenance.py: model, settings, finish, hints
    photo.png      the photo's own file, byte for byte, not packed; may be missing
    mask-1.png     the mask of the first region, gray, and so on

Where a photo was coloured selectively, "regions" is a list with what each is filled with, from the
lowest on, and "outside" what surrounds them.

Whatever else is in it, or in its JSON, is passed over: a later version may add to this one. The
archive is not trusted: sizes are looked at before anything is unpacked, and no name in it becomes
a path.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import colorize_core
from colorize_core.errors import BrokenPictureError, OptionError, PictureError, PictureTooLargeError
from colorize_core.file_names import clean_name, split_suffix
from colorize_core.folders import write_whole
from colorize_core.imaging.limits import MAX_BYTES
from colorize_core.options import Options
from colorize_core.selective.blending import Region
from colorize_core.selective.masks import Mask, encode_mask
from colorize_core.steering.provenance import MOST_BYTES as MOST_RECORD
from colorize_core.steering.provenance import SOFTWARE, Record, read_options, record_options

VERSION = 1
SUFFIX = ".autochrome"
MEMBER = "project.json"  # the first, by which the archive is recognized
MOST_JSON = MOST_RECORD + 100_000  # bytes
MOST_MEMBERS = 100
MOST_REGIONS = 40
PLAIN = Region()
MOST_AT_ONCE = 1 << 18  # bytes that are read at a time; no directory of MOST_MEMBERS has as many
_PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_START = re.compile(rb"PK\x03\x04.{26}" + re.escape(MEMBER.encode()), re.DOTALL)


@dataclass(frozen=True)
class Project:
    """What a project file says."""

    options: Options  # with hints and a variant also where the model takes none
    name: str  # of the photo's file, without a folder
    sha256: str  # of the same
    has_photo: bool  # whether it is in the project file
    regions: tuple[Region, ...] = ()  # without their masks, which extract_masks() gives
    outside: Region = PLAIN


def recognize(path: Path) -> bool:
    """Whether a file is a project, or is called one."""
    if path.suffix.lower() == SUFFIX:
        return True
    try:
        with path.open("rb") as file:
            return _START.match(file.read(64)) is not None
    except OSError:
        return False


def write(
    path: Path,
    options: Options,
    photo: Path,
    with_photo: bool = True,
    regions: Sequence[Region] = (),
    outside: Region = PLAIN,
) -> None:
    """Put a project file in place whole, or not at all; without the photo it has only its hash.
    `regions` have masks. Raises PictureError where the photo cannot be read, and SaveError."""
    name = clean_name(photo.name)
    try:
        size, digest = photo.stat().st_size, measure_sha256(photo)
        told = {
            "version": VERSION,
            "software": f"{SOFTWARE} {colorize_core.__version__}",
            "photo": {"name": name, "sha256": digest, "bytes": size},
            "colours": record_options(options).as_dict(),
        }
        if regions:
            told["regions"] = [region.as_dict() for region in regions]
            told["outside"] = outside.as_dict()
        source = photo.open("rb") if with_photo else io.BytesIO()
    except OSError as error:
        raise PictureError(f"{photo.name} cannot be read: {error.strerror}.") from error
    with source, write_whole(path) as file, zipfile.ZipFile(file, "w") as archive:
        text = json.dumps(told, ensure_ascii=False, indent=1)
        archive.writestr(MEMBER, text.encode("utf-8", "replace"), zipfile.ZIP_DEFLATED)
        if with_photo:
            with archive.open(_name_member(name), "w") as member:
                _copy(source, member, size)
        for number, region in enumerate(regions, 1):
            archive.writestr(_name_mask(number), encode_mask(cast(Mask, region.mask)))


def read(path: Path) -> Project:
    """What a project file says; its photo is not looked at. Raises OptionError, also where it is no
    project, damaged, too large or of a later version."""
    with _open(path) as archive:
        told = json.loads(_read_member(archive, MEMBER))
        version = told["version"]
        if isinstance(version, int) and version > VERSION:
            raise OptionError(
                f"{path.name} was saved by a later version of the program. Open it with that, or "
                "have it saved again by this one."
            )
        if version != VERSION:
            raise ValueError("of no version")
        about = told["photo"]
        name, digest = clean_name(str(about["name"])), str(about["sha256"])
        record = Record.read(json.dumps(told["colours"]))
        names = archive.namelist()
        regions = tuple(Region.read(each) for each in list(told.get("regions", ()))[:MOST_REGIONS])
        if any(_name_mask(number + 1) not in names for number in range(len(regions))):
            raise ValueError("a region without its mask")
        outside = Region.read(told.get("outside", {}))
        there = _name_member(name) in names
    return Project(read_options(record), name, digest, there, regions, outside)


def extract_photo(path: Path, project: Project, target: Path, most: int = MAX_BYTES) -> None:
    """Write the photo of a project file, of at most so many bytes, as a file: whole, or not at all.
    Raises PictureTooLargeError, BrokenPictureError where it is not the one that was saved,
    OptionError where the archive is damaged, and SaveError."""
    with write_whole(target) as file, _open(path) as archive:
        member = archive.getinfo(_name_member(project.name))
        if member.file_size > most:
            raise PictureTooLargeError(
                f"The photo in {path.name} has {member.file_size / 1e6:,.0f} MB; at most "
                f"{most / 1e6:,.0f} MB are read."
            )
        # So a small file never becomes a large one.
        if member.compress_type != zipfile.ZIP_STORED or member.compress_size != member.file_size:
            raise OptionError(
                f"{path.name} cannot be opened: a project holds its photo without packing it. "
                "Save it again in the program."
            )
        with archive.open(member) as source:
            digest = _copy(source, file, member.file_size)
        if digest != project.sha256:
            raise BrokenPictureError(
                f"{path.name} cannot be opened: its photo is not the one that it was saved with. "
                "Try another copy."
            )


def extract_masks(path: Path, project: Project, targets: Sequence[Path]) -> None:
    """Write the masks of the regions of a project file as files, which are pictures that have not
    been looked at. Raises OptionError where the archive is damaged, and SaveError."""
    with _open(path) as archive:
        for number, target in enumerate(targets[: len(project.regions)], 1):
            data = _read_member(archive, _name_mask(number))
            with write_whole(target) as file:
                file.write(data)


def measure_sha256(path: Path) -> str:
    """Of a file, as hexadecimal digits. Raises OSError."""
    with path.open("rb") as file:
        return _copy(file, None, path.stat().st_size)


def _copy(source: Any, target: Any, size: int) -> str:
    """So many bytes at most; the SHA-256 of what was there."""
    digest = hashlib.sha256()
    while size > 0 and (data := source.read(min(size, MOST_AT_ONCE))):
        digest.update(data)
        if target is not None:
            target.write(data)
        size -= len(data)
    return digest.hexdigest()


def _name_mask(number: int) -> str:
    """What the mask of a region, from 1 on, is called in the archive."""
    return f"mask-{number}.png"


def _name_member(name: str) -> str:
    """What the photo is called in the archive."""
    return f"photo{split_suffix(name)[1].lower()}"


class _Careful(io.FileIO):
    """A file of which little is read at once: zipfile would read a directory of any size."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and 0 <= size <= MOST_AT_ONCE:
            return super().read(size) or b""
        data = super().read(MOST_AT_ONCE + 1) or b""
        if len(data) > MOST_AT_ONCE:
            raise zipfile.BadZipFile("too much is read at once")
        return data


@contextmanager
def _open(path: Path) -> Iterator[zipfile.ZipFile]:
    """The archive; whatever is wrong with it becomes an OptionError."""
    try:
        with _Careful(path) as file, zipfile.ZipFile(cast(Any, file)) as archive:
            names = archive.namelist()
            if len(names) > MOST_MEMBERS or len(set(names)) < len(names):
                raise zipfile.BadZipFile("too many files, or two of one name")
            yield archive
    except (OptionError, PictureError):
        raise
    except FileNotFoundError as error:
        raise OptionError(f"{path.name} is no longer here. Add it again.") from error
    except Exception as error:  # zipfile and json raise anything, as do values of other types
        raise OptionError(
            f"{path.name} cannot be opened: it is damaged, or no project of {SOFTWARE}. Try "
            "another copy."
        ) from error


def _read_member(archive: zipfile.ZipFile, name: str) -> bytes:
    """Raises ValueError where it is too large, whatever its size is said to be."""
    member = archive.getinfo(name)
    if member.compress_type not in _PACKED or member.file_size > MOST_JSON:
        raise ValueError("too large, or packed in another way")
    with archive.open(member) as source:
        parts = []
        while data := source.read(MOST_AT_ONCE):
            parts.append(data)
            if sum(map(len, parts)) > MOST_JSON:
                raise ValueError("too large")
        return b"".join(parts)
