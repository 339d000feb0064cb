"""A film that is written: the encoder for its picture, and frames of luma and new chroma."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from colorize_core.errors import OptionError
from colorize_core.film.propagation import Ab, FilmFrame
from colorize_core.film.signal import Luma
from colorize_core.film.source import Look
from colorize_core.imaging import chroma
from colorize_core.imaging.resampling import resize

GLOBAL_HEADER = 1 << 22  # AV_CODEC_FLAG_GLOBAL_HEADER
GLOBAL_HEADER_WANTED = 0x40  # AVFMT_GLOBALHEADER, of a container

# Encoder -> its options; "{q}" is the quality, whose default follows. What is not here runs with
# FFmpeg's own defaults.
_SETTINGS: dict[str, tuple[dict[str, str], int]] = {
    "libx264": ({"preset": "medium", "crf": "{q}"}, 17),
    "libx265": ({"preset": "fast", "crf": "{q}", "x265-params": "log-level=error"}, 18),
    "libvpx-vp9": ({"crf": "{q}", "b": "0", "deadline": "good", "cpu-used": "4"}, 24),
    "libsvtav1": ({"crf": "{q}", "preset": "8"}, 24),
    "mpeg4": ({"flags": "+qscale", "global_quality": "{lambda}"}, 3),
    "ffv1": ({"level": "3", "slicecrc": "1"}, 0),
}
# Container -> encoders of 8 bits and of more.
_CHOICES = {
    "webm": ("libvpx-vp9", "libsvtav1"),
    "avi": ("libx264", "ffv1"),
    "mpegts": ("libx264", "libx265"),
}
_USUAL = ("libx264", "libx265")
_PICTURES = ("image2", "gif", "apng", "webp", "mp3", "null")  # containers that are none of films


@dataclass(frozen=True)
class Encoding:
    """How the picture is encoded; the same text is the same packets."""

    codec: str
    format: str  # of its samples
    options: dict[str, str] = field(default_factory=dict)
    apart: bool = True  # whether the container keeps the encoder's header, and packets have none
    notes: tuple[str, ...] = ()

    @property
    def bits(self) -> int:
        return av.VideoFormat(self.format).components[0].bits

    def set_up(self, target: Any, look: Look) -> None:
        """Give an encoder, or a stream that has one, all that the film's picture needs."""
        context = getattr(target, "codec_context", target)
        context.width, context.height, context.pix_fmt = look.width, look.height, self.format
        context.time_base, context.framerate = look.time_base, look.rate
        context.sample_aspect_ratio = look.shape
        context.color_range, context.color_primaries = look.tags[0], look.tags[1]
        context.color_trc, context.colorspace = look.tags[2], look.tags[3]
        context.options = dict(self.options)

    def open(self, look: Look) -> VideoCodecContext:
        made = av.CodecContext.create(self.codec, "w")
        assert isinstance(made, VideoCodecContext)
        self.set_up(made, look)
        made.flags |= GLOBAL_HEADER if self.apart else 0
        try:
            made.open()
        except (av.FFmpegError, ValueError) as error:
            raise OptionError(
                f"The encoder {self.codec} refuses this film ({look.width} × {look.height}, "
                f"{self.format}): {error}. Choose another with --codec."
            ) from error
        return made


def get_container(path: Path) -> str:
    """FFmpeg's name of the container that the suffix stands for. OptionError where there is none
    that holds a film."""
    try:
        found = str(av.open(str(path), "w").format.name)  # makes no file before the first packet
    except (ValueError, av.FFmpegError):
        found = ""
    if not found or found in _PICTURES:
        raise OptionError(
            f"{path}: the suffix {path.suffix!r} stands for no container of films. "
            "Choose .mp4, .mov, .mkv, .webm, .avi or .ts."
        )
    return found


def choose_encoding(look: Look, container: str, codec: str | None, quality: int | None) -> Encoding:
    """What keeps most of the picture. Raises OptionError for what is no encoder of pictures."""
    few, many = _CHOICES.get(container, _USUAL)
    name = codec or (few if look.signal.bits == 8 else many)
    try:
        encoder = av.Codec(name, "w")
    except ValueError as error:
        raise OptionError(f"--codec: FFmpeg has no encoder {name!r} here.") from error
    if encoder.type != "video":
        raise OptionError(f"--codec: {name} encodes {encoder.type}, not pictures.")
    settings, usual = _SETTINGS.get(name, ({}, 0))
    asked = usual if quality is None else quality
    options = {
        key: value.format(q=asked, **{"lambda": asked * 118}) for key, value in settings.items()
    }
    if container == "avi":  # which keeps no times, so that frames have to be in order
        options["bf"] = "0"
    there = {each.name for each in encoder.video_formats or ()}
    if not there:
        raise OptionError(f"--codec: {name} does not say what pictures it takes.")
    wanted = _name_format(look.chroma, look.signal.bits)
    for chroma_kind, bits in _list_formats(look):
        found = _name_format(chroma_kind, bits)
        if found in there:
            notes = (
                *_describe_loss(look, name, chroma_kind, bits),
                *_describe_shape(look, name, container),
            )
            apart = bool(av.ContainerFormat(container, "w").flags & GLOBAL_HEADER_WANTED)
            return Encoding(name, found, options, apart, notes)
    raise OptionError(f"--codec: {name} takes no {wanted}. Choose another one.")


def _name_format(chroma_kind: str, bits: int) -> str:
    return f"yuv{chroma_kind}p" + (f"{bits}le" if bits > 8 else "")


def _list_formats(look: Look) -> list[tuple[str, int]]:
    """Chroma sampling and bits, the best first: bits before sampling, finer before coarser."""
    bits = look.signal.bits
    depths = [bits, *(each for each in (10, 12, 16) if each > bits)]
    depths += [each for each in (12, 10, 8) if each < bits]
    kinds = [look.chroma, *(each for each in ("444", "422", "420") if each != look.chroma)]
    return [(kind, depth) for depth in depths for kind in kinds]


def _describe_loss(look: Look, name: str, kind: str, bits: int) -> tuple[str, ...]:
    notes = []
    if bits < look.signal.bits:
        notes.append(f"{name} holds {bits} of its {look.signal.bits} bits.")
    if kind < look.chroma:
        notes.append(f"{name} holds colours at {kind} where the film has {look.chroma}.")
    return tuple(notes)


def _describe_shape(look: Look, name: str, container: str) -> tuple[str, ...]:
    """PyAV does not tell these containers the shape of a pixel, so that the packets have to."""
    told = name in ("libx264", "libx265", "mpeg4", "mpeg2video") or look.shape == 1
    if told or container not in ("matroska", "webm", "avi"):
        return ()
    return (
        f"Its pixels are {look.shape} times as wide as high, which {name} in {container} does not "
        "tell players: choose .mp4 or another --codec.",
    )


class Painter:
    """Makes frames with new chroma beside the film's own luma."""

    def __init__(self, look: Look, encoding: Encoding) -> None:
        self.look = look
        self.encoding = encoding
        made = av.VideoFormat(encoding.format)
        self.size = made.chroma_width(look.width), made.chroma_height(look.height)

    def paint(self, frame: FilmFrame, ab: Ab) -> VideoFrame:
        """`ab` (h, w, 2) in Lab units, at the size of the frame's `luma`. Raises nothing."""
        signal = self.look.signal
        planes = chroma.guide(signal.find_chroma(frame.lightness, ab), frame.luma * 100)
        slopes, offsets = np.split(cv2.resize(planes, self.size), 2, axis=-1)
        luma = signal.read_luma(resize(frame.samples, *self.size[::-1]))
        wanted = slopes * (luma * 100)[..., None] + offsets
        both = signal.write_chroma(signal.limit_chroma(luma, wanted))
        return self._fill(frame, both)

    def _fill(self, frame: FilmFrame, both: Luma) -> VideoFrame:
        made = VideoFrame(self.look.width, self.look.height, self.encoding.format)
        bits, own = self.encoding.bits, self.look.signal.bits
        planes: Any = made.planes
        for plane, samples in zip(planes, (frame.samples, both[..., 0], both[..., 1]), strict=True):
            kind = np.dtype(np.uint8 if bits == 8 else np.uint16)
            rows = np.frombuffer(plane, kind).reshape(plane.height, -1)
            rows[:, : plane.width] = _change_depth(samples, own, bits, self.look.signal.full)
        made.pts, made.time_base = frame.pts, self.look.time_base
        made.duration = frame.duration
        made.color_range, made.color_primaries = self.look.tags[0], self.look.tags[1]
        made.color_trc, made.colorspace = self.look.tags[2], self.look.tags[3]
        return made


def _change_depth(samples: Luma, own: int, bits: int, full: bool) -> Luma:
    if own == bits:
        return samples
    factor = ((1 << bits) - 1) / ((1 << own) - 1) if full else 2.0 ** (bits - own)
    wide = np.minimum(samples.astype(np.float32) * factor + 0.5, (1 << bits) - 1)
    return wide.astype(np.uint8) if bits == 8 else wide.astype(np.uint16)
