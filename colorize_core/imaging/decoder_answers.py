"""What a decoding process answers: a line of JSON, then the samples that it announces.

The one who asked does not trust it: a file may have made something else of the process, so nothing
that comes is run, and sizes are checked before room is made for them.
"""

from __future__ import annotations

import base64
import json
from dataclasses import asdict, replace
from typing import Any, BinaryIO

import numpy as np

from colorize_core import errors
from colorize_core.errors import PictureError
from colorize_core.imaging.image import Photo
from colorize_core.imaging.limits import MAX_BLOCK
from colorize_core.imaging.metadata import Metadata
from colorize_core.steering.provenance import Record

MOST_LINE = 16 * MAX_BLOCK  # bytes: some kinds of metadata, and six for a letter at most
DEPTHS: dict[int, Any] = {1: np.uint8, 2: np.uint16}  # by bytes a sample
# What reading an answer ends in that is none.
FAULTS = (EOFError, BrokenPipeError, KeyError, RecursionError, TypeError, ValueError)


def write_photo(sink: BinaryIO, photo: Photo) -> None:
    planes = [each for each in (photo.pixels, photo.alpha) if each is not None]
    record = photo.metadata.record
    told = {
        "shapes": [each.shape for each in planes],
        "depth": photo.pixels.dtype.itemsize,
        "metadata": asdict(replace(photo.metadata, record=None)),
        "record": record.write() if record else None,
        "format": photo.format,
        "pages": photo.pages,
        "left_out": photo.left_out,
    }
    sink.write(json.dumps(told, default=_pack).encode() + b"\n")
    for plane in planes:
        sink.write(np.ascontiguousarray(plane).data.cast("B"))
    sink.flush()


def write_error(sink: BinaryIO, error: PictureError) -> None:
    told = {"error": type(error).__name__, "words": str(error)}
    sink.write(json.dumps(told).encode() + b"\n")
    sink.flush()


def read_answer(source: BinaryIO, most: int) -> Photo:
    """A photo of at most `most` pixels. Raises the PictureError that was answered, and one of
    FAULTS for anything else."""
    line = source.readline(MOST_LINE)
    if not line.endswith(b"\n"):
        raise EOFError
    told = json.loads(line, object_hook=_unpack)
    if "error" in told:
        raise _find_error(told["error"])(told["words"])
    depth = DEPTHS[told["depth"]]
    shape, *more = (tuple(map(int, shape)) for shape in told["shapes"])
    height, width, channels = shape
    if channels != 3 or more not in ([], [shape[:2]]) or height * width > most:
        raise ValueError(f"planes of {told['shapes']}")
    planes = [np.empty(each, depth) for each in (shape, *more)]
    for plane in planes:
        if source.readinto(plane.data.cast("B")) < plane.nbytes:  # type: ignore[attr-defined]
            raise EOFError
    alpha = planes[1] if more else None
    given = {name: _freeze(value) for name, value in told["metadata"].items()}
    record = Record.read(told["record"]) if told["record"] is not None else None
    metadata = replace(Metadata(**given), record=record)
    return Photo(
        planes[0], alpha, metadata, told["format"], told["pages"], _freeze(told["left_out"])
    )


def _find_error(name: str) -> type[PictureError]:
    found = getattr(errors, name, None)
    if isinstance(found, type) and issubclass(found, PictureError):
        return found
    raise ValueError(f"no error of a picture: {name}")


def _pack(block: bytes) -> dict[str, str]:
    return {"base64": base64.b64encode(block).decode()}


def _unpack(found: dict[str, Any]) -> Any:
    return base64.b64decode(found["base64"]) if found.keys() == {"base64"} else found


def _freeze(value: Any) -> Any:
    """JSON has lists where there were tuples."""
    return tuple(map(_freeze, value)) if isinstance(value, list) else value
