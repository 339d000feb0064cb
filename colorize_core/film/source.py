"""A film that is read: what its container says of the picture, and the frames one by one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import av
import numpy as np
from av.video.format import VideoFormat
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from colorize_core.errors import FilmError
from colorize_core.film.signal import UNSPECIFIED, Luma, Signal, guess_matrix

BLOCK = 1 << 20  # bytes
LIMITED, FULL = 1, 2  # ranges, as FFmpeg numbers them
RGB = 0  # as a matrix
# Their gray goes from 16 to 235 where nothing is said; other gray from 0 to 255, as FFmpeg has it.
_LIMITED_GRAY = ("h264", "hevc", "av1", "vp8", "vp9", "mpeg2video", "mpeg4", "prores", "dnxhd")
MOST_FAULTS = 1000  # parts that cannot be decoded, in turn


@dataclass(frozen=True)
class Look:
    """How the picture is stored and to be shown."""

    width: int
    height: int
    time_base: Fraction
    rate: Fraction
    format: str  # what frames are read as: planes of which the first is luma, or gray
    chroma: str  # "420", "422" or "444"
    signal: Signal
    tags: tuple[int, int, int, int]  # range, primaries, transfer and matrix
    shape: Fraction  # of a pixel, width through height
    turn: int = 0  # degrees that it is turned by to be shown, counter-clockwise
    rgb: bool = False  # whether it is stored so, and has no luma of its own
    matrix: tuple[int, ...] = ()  # that says so, and of mirrors, as the container has it
    notes: tuple[str, ...] = ()

    @property
    def shown(self) -> tuple[int, int]:
        """Width and height as it is to be seen: upright, with square pixels."""
        width = max(1, round(self.width * self.shape))
        return (self.height, width) if self.turn % 180 else (width, self.height)


@dataclass
class Film:
    """An open film; a context manager. Raises FilmError where it cannot be read as one."""

    path: Path
    container: av.container.InputContainer = field(init=False)
    stream: VideoStream = field(init=False)
    look: Look = field(init=False)
    faults: int = 0  # parts that could not be decoded

    def __post_init__(self) -> None:
        try:
            self.container = av.open(str(self.path), "r", metadata_errors="replace")
        except (av.FFmpegError, OSError) as error:
            why = getattr(error, "strerror", None) or error
            raise FilmError(f"{self.path} cannot be read as a film: {why}.") from error
        try:
            self.stream = _choose_stream(self.container, self.path)
            self.stream.thread_type = "AUTO"
            told = _read_tags(self.stream.codec_context)  # decoding changes them
            first = next(self._decode(), None)
            if first is None:
                raise FilmError(f"{self.path} holds no frame that can be decoded.")
            self.look = _examine(self.stream, first, told)
            self.rewind()
        except BaseException:
            self.container.close()
            raise

    def __enter__(self) -> Film:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.container.close()

    @property
    def start(self) -> float:
        """In seconds."""
        return float((self.stream.start_time or 0) * self.look.time_base)

    @property
    def seconds(self) -> float:
        """How long it is, as far as the container says; else 0."""
        if self.stream.duration:
            return float(self.stream.duration * self.look.time_base)
        return (self.container.duration or 0) / av.time_base

    def rewind(self) -> None:
        self.container.close()
        self.container = av.open(str(self.path), "r", metadata_errors="replace")
        self.stream = _choose_stream(self.container, self.path)
        self.stream.thread_type = "AUTO"

    def frames(self, start: int | None = None) -> Iterator[tuple[Luma, int, int]]:
        """The luma (H, W) of each frame with its pts and its duration (0 if unknown), in units of
        the time base and in the order of time; from the one with the pts `start` on."""
        if start is not None and self._can_seek(start):
            self.container.seek(start, stream=self.stream)
        last: int | None = None
        step = max(1, round(1 / (self.look.rate * self.look.time_base)))
        for frame in self._decode():
            pts = frame.pts if frame.pts is not None else frame.dts
            if pts is None or (last is not None and pts <= last):
                pts = step + last if last is not None else 0  # a file that tells no times
            last = pts
            if start is None or pts >= start:
                yield read_luma(frame, self.look), pts, frame.duration or 0

    def _can_seek(self, start: int) -> bool:
        """Whether a seek to a frame comes out at it or before; the film stands anywhere then."""
        try:
            self.container.seek(start, stream=self.stream)
            first = next(self._decode(), None)
        except av.FFmpegError:
            first = None
        found = first is not None and first.pts is not None and first.pts <= start
        if not found:
            self.rewind()
        return found

    def _decode(self) -> Iterator[VideoFrame]:
        faults = 0
        for packet in self.container.demux(self.stream):
            try:
                for frame in packet.decode():
                    faults = 0
                    yield frame
            except (av.error.InvalidDataError, av.error.EOFError) as error:
                if isinstance(error, av.error.InvalidDataError):
                    self.faults += 1
                    faults += 1
                if faults > MOST_FAULTS:
                    raise FilmError(f"{self.path} cannot be decoded: {error}.") from error

    def digest(self) -> str:
        """What tells it from other films: its size and a hash of its beginning, middle and end."""
        size = self.path.stat().st_size
        told = hashlib.sha256(str(size).encode())
        with self.path.open("rb") as file:
            for start in sorted({0, max(0, size // 2), max(0, size - BLOCK)}):
                file.seek(start)
                told.update(file.read(BLOCK))
        return told.hexdigest()


def _choose_stream(container: av.container.InputContainer, path: Path) -> VideoStream:
    pictures = av.stream.Disposition.attached_pic
    there = [each for each in container.streams.video if not each.disposition & pictures]
    if not there:
        raise FilmError(f"{path} holds no film, or one that cannot be decoded.")
    return max(there, key=lambda each: (each.width or 0) * (each.height or 0))


def _read_tags(of: Any) -> tuple[int, int, int, int]:
    """Range, primaries, transfer and matrix, of an encoder, a decoder or a frame."""
    return of.color_range, of.color_primaries, of.color_trc, of.colorspace


def _examine(stream: VideoStream, frame: VideoFrame, told: tuple[int, int, int, int]) -> Look:
    context, notes = stream.codec_context, []
    name, bits, chroma, rgb = _choose_format(frame.format)
    known = [
        theirs if theirs not in (0, UNSPECIFIED) else ours
        for theirs, ours in zip(_read_tags(frame), told, strict=True)
    ]
    known[0] = frame.color_range or told[0]  # of which 2 says something
    matrix = known[3]
    full = known[0] == FULL or frame.format.name.startswith("yuvj")
    if name.startswith("gray") and not known[0]:
        full = context.name not in _LIMITED_GRAY
    if rgb:
        full, matrix = True, UNSPECIFIED
        notes.append("It is stored as RGB and is written as luma and chroma.")
    if matrix in (RGB, UNSPECIFIED, 3):
        matrix = guess_matrix(frame.width, frame.height)
    if "a" in frame.format.name.replace("gray", "").replace("pal8", ""):
        notes.append("Its transparency is left out.")
    if frame.interlaced_frame:
        notes.append("It is interlaced, and is coloured and written as whole frames.")
    tags = (FULL if full else LIMITED if known[0] else 0, known[1], known[2], matrix)
    raw: Any = frame.side_data.get("DISPLAYMATRIX")
    return Look(
        frame.width,
        frame.height,
        stream.time_base or Fraction(1, 90000),
        stream.average_rate or stream.guessed_rate or Fraction(25),
        name,
        chroma,
        Signal(bits, full, matrix, tags[1], tags[2]),
        tags,
        stream.sample_aspect_ratio or Fraction(1),
        round(frame.rotation / 90) * 90 % 360,
        rgb,
        tuple(np.frombuffer(bytes(raw), np.int32).tolist()) if raw else (),
        tuple(notes),
    )


def _choose_format(stored: VideoFormat) -> tuple[str, int, str, bool]:
    """What frames are read as, bits of a sample, how chroma is to be sampled, and whether they are
    stored as RGB."""
    bits = max(part.bits for part in stored.components)
    depth = 8 if bits <= 8 else next(each for each in (10, 12, 16) if bits <= each or each == 16)
    ending = "" if depth == 8 else f"{depth}le"
    if stored.is_rgb or stored.has_palette or stored.name.startswith("xyz"):
        return f"yuv444p{ending}", depth, "444", True
    if len(stored.components) < 3:  # gray, with or without transparency
        return f"gray{ending}", depth, "420", False
    across, down = stored.chroma_width(16), stored.chroma_height(16)
    chroma = "444" if across == 16 else "420" if down < 16 else "422"
    return f"yuv{chroma}p{ending}", depth, chroma, False


def read_luma(frame: VideoFrame, look: Look) -> Luma:
    """The samples (H, W), as they are stored wherever the format has a plane of them."""
    first = frame.format.components[0]
    height, width = frame.height, frame.width
    same = (height, width) == (look.height, look.width)
    planar = frame.format.is_planar and not frame.format.is_rgb
    single = len(frame.format.components) == 1 and not frame.format.has_palette
    native = not frame.format.is_big_endian and first.bits in (8, 10, 12, 16)
    semi = frame.format.name.startswith(("p0", "p2", "p4"))  # whose samples stand in the upper bits
    if not (same and (planar or single) and native and first.bits == look.signal.bits) or semi:
        frame = _convert(frame, look)
    plane: Any = frame.planes[0]
    kind = np.dtype(np.uint8 if look.signal.bits == 8 else np.uint16)
    rows = np.frombuffer(plane, kind).reshape(plane.height, -1)
    return rows[: look.height, : look.width].copy()  # the decoder takes its own back


def _convert(frame: VideoFrame, look: Look) -> VideoFrame:
    if look.rgb:
        matrix = "ITU709" if look.signal.matrix == 1 else "ITU601"
        return frame.reformat(
            look.width, look.height, look.format, dst_colorspace=matrix, dst_color_range="JPEG"
        )
    return frame.reformat(look.width, look.height, look.format)
