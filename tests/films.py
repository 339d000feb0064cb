"""Tiny films that the tests make."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray


def draw_scene(number: int, height: int, width: int) -> NDArray[np.uint8]:
    """A gray picture with large and small shapes, another one for each number."""
    random = np.random.default_rng(number)
    coarse = random.integers(0, 255, (5, 7)).astype(np.float32)
    fine = random.integers(-60, 60, (height // 8, width // 8)).astype(np.float32)
    picture = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    picture += cv2.resize(fine, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.clip(picture, 20, 230).astype(np.uint8)


def pan(number: int, count: int, height: int, width: int, step: int = 2) -> list[NDArray[np.uint8]]:
    """`count` frames of a camera that moves `step` pixels a frame."""
    wide = draw_scene(number, height, width + step * count)
    return [wide[:, step * index : step * index + width].copy() for index in range(count)]


def write_film(
    path: Path,
    frames: Sequence[NDArray[Any]],
    *,
    codec: str = "ffv1",
    pixels: str = "gray",
    times: Sequence[int] | None = None,
    time_base: Fraction = Fraction(1, 25),
    rotation: int = 0,
    shape: Fraction = Fraction(1),
    tags: tuple[int, int, int, int] | None = None,
    audio: str = "",
    subtitles: str = "",
    options: dict[str, str] | None = None,
) -> Path:
    """Frames of luma (H, W), as they are to be stored, at `times` in units of the time base.
    `tags`: range, primaries, transfer, matrix."""
    height, width = frames[0].shape
    with av.open(str(path), "w") as out:
        stream: Any = out.add_stream(codec, rate=25, options=options or {})
        stream.width, stream.height, stream.pix_fmt = width, height, pixels
        stream.codec_context.time_base = stream.time_base = time_base
        stream.codec_context.sample_aspect_ratio = shape
        if tags:
            context = stream.codec_context
            context.color_range, context.color_primaries, context.color_trc, context.colorspace = (
                tags
            )
        if rotation:
            stream.set_display_rotation(rotation)
        sound: Any = out.add_stream(audio, rate=48000) if audio else None
        words = _add_subtitles(out, subtitles) if subtitles else None
        out.start_encoding()
        for index, luma in enumerate(frames):
            frame = _make_frame(luma, pixels)
            frame.pts, frame.time_base = (times[index] if times else index), time_base
            if tags:
                frame.color_range, frame.color_primaries, frame.color_trc, frame.colorspace = tags
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
        if sound is not None:
            _write_tone(out, sound, len(frames) / 25)
        if words is not None:
            _write_words(out, words)
    return path


def _make_frame(luma: NDArray[Any], pixels: str) -> av.VideoFrame:
    frame = av.VideoFrame(luma.shape[1], luma.shape[0], pixels)
    planes: Any = frame.planes
    for number, plane in enumerate(planes):
        rows = np.frombuffer(plane, luma.dtype).reshape(plane.height, -1)
        middle = 128 if luma.dtype == np.uint8 else 1 << (frame.format.components[0].bits - 1)
        rows[:] = middle
        if number == 0:
            rows[:, : plane.width] = luma
    return frame


def _write_tone(out: Any, stream: Any, seconds: float) -> None:
    rate, size = 48000, 1024
    form = stream.codec_context.format.name
    for number in range(int(seconds * rate / size)):
        time = (np.arange(size) + number * size) / rate
        wave = np.tile(np.sin(2 * np.pi * 440 * time) * 0.3, (2, 1))
        if form in ("fltp",):
            frame = av.AudioFrame.from_ndarray(wave.astype(np.float32), form, "stereo")
        else:
            packed = (wave.T * 32767).astype(np.int16).reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(packed, "s16", "stereo")
        frame.sample_rate, frame.pts, frame.time_base = rate, number * size, Fraction(1, rate)
        out.mux(stream.encode(frame))
    out.mux(stream.encode(None))


def _add_subtitles(out: Any, codec: str) -> Any:
    stream = out.add_mux_stream(codec)
    stream.time_base = Fraction(1, 1000)
    stream.metadata["language"] = "ger"
    return stream


def _write_words(out: Any, stream: Any) -> None:
    for start, text in ((0, "Guten Tag"), (300, "Auf Wiedersehen")):
        packet: Any = av.Packet(text.encode())
        packet.pts = packet.dts = start
        packet.duration, packet.time_base = 250, Fraction(1, 1000)
        packet.stream = stream
        out.mux_one(packet)


def read_packets(path: Path, kind: str) -> list[tuple[float, float, bytes]]:
    """Time of showing, length in seconds, and bytes of each packet of the first such stream."""
    with av.open(str(path)) as film:
        stream = getattr(film.streams, kind)[0]
        return [
            (float(p.pts * p.time_base), float((p.duration or 0) * p.time_base), bytes(p))
            for p in film.demux(stream)
            if p.pts is not None
        ]


def read_frames(path: Path) -> list[av.VideoFrame]:
    with av.open(str(path)) as film:
        return list(film.decode(video=0))


def read_plane(frame: av.VideoFrame, number: int = 0) -> NDArray[Any]:
    plane: Any = frame.planes[number]
    kind = np.uint8 if frame.format.components[0].bits == 8 else np.uint16
    return np.frombuffer(plane, kind).reshape(plane.height, -1)[:, : plane.width]


def get_times(path: Path) -> list[float]:
    return [float(frame.pts * frame.time_base) for frame in read_frames(path)]  # type: ignore[operator]
