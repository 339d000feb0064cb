"""The finished film: the new picture with all else of the old file, none of it encoded again."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import av

from colorize_core.errors import OptionError, SaveError
from colorize_core.film.encoding import Encoding
from colorize_core.film.segments import Parts
from colorize_core.film.source import Film

_OPTIONS = {"mp4": {"movflags": "+faststart"}, "mov": {"movflags": "+faststart"}}


def choose_streams(film: Film, container: str) -> tuple[list[Any], list[str]]:
    """The other streams that the container takes as they are, and a sentence for each that it does
    not take."""
    kept, notes = [], []
    for stream in film.container.streams:
        if stream.index == film.stream.index:
            continue
        if why := _try_stream(stream, container):
            notes.append(f"{_describe(stream)} is left out: {why}")
        else:
            kept.append(stream)
    return kept, notes


def _try_stream(stream: Any, container: str) -> str:
    """Why a container cannot hold a stream as it is; empty where it can."""
    try:
        with av.open(io.BytesIO(), "w", format=container) as trial:
            trial.add_stream_from_template(stream, opaque=True)
            trial.start_encoding()
    except (ValueError, av.FFmpegError) as error:
        return f"it would have to be encoded again ({error}). Most fit into .mkv."
    return ""


def _describe(stream: Any) -> str:
    context = stream.codec_context
    name = getattr(context, "name", None) or "unknown"
    language = f", {stream.language}" if getattr(stream, "language", None) else ""
    return f"Stream {stream.index} ({stream.type}, {name}{language})"


def assemble(
    film: Film,
    target: Path,
    encoding: Encoding,
    container: str,
    parts: Parts,
    count: int,
    step: Callable[[float], None],
    *,
    statement: str,
    alone: bool = False,
) -> None:
    """Put the parts together with the streams of the film that the container takes, under the name
    `target` once all is done; or without these, `alone`. `statement` is added to its comment.
    `step` gets the seconds that are done, and what it raises stops the work. SaveError where it
    cannot be written."""
    made = parts.folder / f"whole{target.suffix}"
    try:
        film.rewind()
        kept = [] if alone else choose_streams(film, container)[0]
        _write(
            film, made, encoding, container, _Pictures(parts, count, film), kept, statement, step
        )
        os.replace(made, target)
    except av.FFmpegError as error:
        raise SaveError(f"{target} cannot be written: {error.strerror or error}.") from error
    except OSError as error:
        raise SaveError(f"{target} cannot be written: {error.strerror or error}.") from error


def _write(
    film: Film,
    path: Path,
    encoding: Encoding,
    container: str,
    coded: _Pictures,
    kept: list[Any],
    statement: str,
    step: Callable[[float], None],
) -> None:
    options = _OPTIONS.get(container, {})
    with av.open(str(path), "w", format=container, container_options=options) as out:
        stream = add_picture(out, film, encoding)
        copies = {each.index: _copy_stream(out, each) for each in kept}
        told = film.container.metadata
        comments = [text for key, text in told.items() if key.lower() == "comment"]
        out.metadata.update({k: v for k, v in told.items() if k.lower() != "comment"})
        if comment := "\n".join(filter(None, [*comments, statement])):
            out.metadata["comment"] = comment
        if chapters := film.container.chapters():
            out.set_chapters(chapters)
        pictures = coded.packets(stream)
        waiting = next(pictures, None)
        last: dict[int, int] = {}
        for packet in film.container.demux(*kept) if kept else ():
            if not _put_in_order(packet, last):
                continue
            now = _seconds(packet)
            while waiting is not None and _seconds(waiting) <= now:
                out.mux_one(waiting)
                waiting = next(pictures, None)
            packet.stream = copies[packet.stream_index]
            out.mux_one(packet)
            step(now)
        while waiting is not None:
            now = _seconds(waiting)
            out.mux_one(waiting)
            step(now)
            waiting = next(pictures, None)


def add_picture(out: av.container.OutputContainer, film: Film, encoding: Encoding) -> Any:
    """The stream for the picture. OptionError where the container does not take it."""
    try:
        stream: Any = out.add_stream(encoding.codec, rate=film.look.rate)
    except ValueError as error:
        raise OptionError(f"{error}. Choose another suffix, or another --codec.") from error
    encoding.set_up(stream, film.look)
    counted = out.format.name == "avi"  # which knows frames, and no times
    stream.time_base = 1 / film.look.rate if counted else film.look.time_base
    if film.look.matrix:
        stream.set_display_matrix(film.look.matrix)
    stream.metadata.update(
        {key: value for key, value in film.stream.metadata.items() if key.lower() != "encoder"}
    )
    return stream


def check_picture(film: Film, encoding: Encoding, container: str) -> None:
    """Whether the encoder takes the film and the container the encoder. Raises OptionError."""
    encoding.open(film.look)
    try:
        with av.open(io.BytesIO(), "w", format=container) as trial:
            add_picture(trial, film, encoding)
            trial.start_encoding()
    except av.FFmpegError as error:
        raise OptionError(
            f"{container} cannot hold what {encoding.codec} writes ({error}). "
            "Choose another suffix, or another --codec."
        ) from error


def _copy_stream(out: av.container.OutputContainer, stream: Any) -> Any:
    copy: Any = out.add_stream_from_template(stream, opaque=True)
    copy.metadata.update(stream.metadata)
    copy.disposition = stream.disposition
    return copy


def _put_in_order(packet: Any, last: dict[int, int]) -> bool:
    """Whether a packet is to be copied: the end of a stream is none. A damaged file may have times
    that go back, which no container takes."""
    if packet.dts is None:
        packet.dts = packet.pts
    if not packet.size or packet.dts is None:
        return False
    least = last.get(packet.stream_index, packet.dts - 1) + 1
    if packet.dts < least and packet.stream.type == "audio":
        packet.dts = least
        packet.pts = max(packet.pts or least, least)
    last[packet.stream_index] = packet.dts
    return True


def _seconds(packet: Any) -> float:
    return float(packet.dts * packet.time_base)


class _Pictures:
    """The packets of all parts, with the times at which they are to be decoded: those of the frames
    in order, as much earlier as frames wait for others."""

    def __init__(self, parts: Parts, count: int, film: Film) -> None:
        self.parts, self.count = parts, count
        self.time_base = film.look.time_base
        self.step = max(1, round(1 / (film.look.rate * film.look.time_base)))
        decoded = [pts for index in parts.list()[:count] for pts, *_ in index.packets]
        self.times = sorted(decoded)
        self.after = dict(pairwise(self.times))
        self.delay = 0
        for position, pts in enumerate(decoded):
            while position >= self.delay and self.times[position - self.delay] > pts:
                self.delay += 1

    def packets(self, stream: Any) -> Iterator[Any]:
        position = 0
        for number in range(self.count):
            for coded in self.parts.read(number):
                packet: Any = av.Packet(coded.data)
                packet.pts, packet.is_keyframe = coded.pts, coded.keyframe
                packet.dts = self._decode_time(position - self.delay)
                after = self.after.get(coded.pts)
                packet.duration = after - coded.pts if after is not None else coded.duration
                packet.time_base, packet.stream = self.time_base, stream
                yield packet
                position += 1

    def _decode_time(self, position: int) -> int:
        return self.times[max(position, 0)] + min(position, 0) * self.step
