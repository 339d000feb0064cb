"""What is done of a film that is not finished: a folder beside the output, with a file for each
part, from which the same command goes on.

    OUT.parts/state.json      what film, options and encoder the parts are of
    OUT.parts/000007.part     the packets of a part, in the order of decoding, and an index
    OUT.parts/000007.npy      ab of the anchor that the part after it begins with, within a scene

A part is in place whole or not at all.
"""

from __future__ import annotations

import json
import os
import shutil
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from filelock import FileLock, Timeout

from colorize_core.errors import SaveError
from colorize_core.film.propagation import Ab
from colorize_core.folders import make_folder, write_whole

_LENGTH = struct.Struct("<Q")  # of the index, at the end of the file


class CodedPacket(NamedTuple):
    data: bytes
    pts: int
    duration: int
    keyframe: bool


@dataclass(frozen=True)
class Part:
    """The index of a part. Times are in units of the film's time base."""

    packets: list[tuple[int, int, bool, int]]  # pts, duration, whether a keyframe, bytes
    scenes: int  # that begin in it
    looks: int  # frames that the network looked at
    next: int | None  # pts of the frame after it; None: the film ends with it
    inside: bool  # whether that frame belongs to the same scene


@dataclass
class Parts:
    """The folder. Held by one run at a time."""

    target: Path
    ending: str = ".parts"

    @property
    def folder(self) -> Path:
        return self.target.with_name(f"{self.target.name}{self.ending}")

    @contextmanager
    def hold(self, identity: dict[str, Any], keep: bool = True) -> Iterator[None]:
        """Have the folder, with the parts of the same film and options that are there; others are
        removed, and all of them afterwards unless `keep`. SaveError where another run holds it, or
        it cannot be made."""
        make_folder(self.folder / "state.json")
        lock = FileLock(self.folder / "lock", timeout=0)
        try:
            lock.acquire()
        except Timeout:
            raise SaveError(
                f"{self.target} is being made by another run. Wait for it, or choose another "
                "output."
            ) from None
        try:
            self._prepare(identity)
            yield
        finally:
            lock.release()
            if not keep:
                self.remove()

    def _prepare(self, identity: dict[str, Any]) -> None:
        state = self.folder / "state.json"
        try:
            same = json.loads(state.read_text(encoding="utf-8")) == identity
        except (FileNotFoundError, ValueError):
            same = False
        if same:
            return
        for old in (*self.folder.glob("*.part"), *self.folder.glob("*.npy")):
            old.unlink()
        with write_whole(state) as file:
            file.write(json.dumps(identity, ensure_ascii=False).encode())

    def remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def list(self) -> list[Part]:
        """Those that are done, from the first on."""
        found: list[Part] = []
        while (path := self._name(len(found))).exists():
            found.append(_read_index(path))
        return found

    def _name(self, number: int, suffix: str = ".part") -> Path:
        return self.folder / f"{number:06}{suffix}"

    def read_carried(self, number: int) -> Ab:
        """The ab that the part of that number leaves to the one after it."""
        loaded: Ab = np.load(self._name(number, ".npy")).astype(np.float32)
        return loaded

    @contextmanager
    def write(self, number: int) -> Iterator[PartWriter]:
        """A part, in place whole once the block ends and finish() was called in it."""
        with write_whole(self._name(number)) as file:
            writer = PartWriter(file)
            yield writer
            assert writer.index is not None
            if writer.carried is not None:
                with write_whole(self._name(number, ".npy")) as other:
                    np.save(other, writer.carried.astype(np.float16))
            text = json.dumps(asdict(writer.index)).encode()
            file.write(text + _LENGTH.pack(len(text)))
            file.flush()
            os.fsync(file.fileno())
        self._name(number - 1, ".npy").unlink(missing_ok=True)

    def read(self, number: int) -> Iterator[CodedPacket]:
        """The packets of a part."""
        path = self._name(number)
        index = _read_index(path)
        with path.open("rb") as file:
            for pts, duration, keyframe, size in index.packets:
                yield CodedPacket(file.read(size), pts, duration, keyframe)


@dataclass
class PartWriter:
    file: BinaryIO
    index: Part | None = None
    carried: Ab | None = None
    packets: list[tuple[int, int, bool, int]] = field(default_factory=list)

    def add(self, packet: Any, duration: int) -> None:
        """`duration` is the frame's own, which encoders drop."""
        data = bytes(packet)
        self.file.write(data)
        self.packets.append((packet.pts, duration, packet.is_keyframe, len(data)))

    def finish(self, scenes: int, looks: int, next: int | None, carried: Ab | None) -> None:
        """`carried`: ab of the next frame, where that belongs to the same scene."""
        self.carried = carried
        self.index = Part(self.packets, scenes, looks, next, carried is not None)


def _read_index(path: Path) -> Part:
    with path.open("rb") as file:
        file.seek(-_LENGTH.size, os.SEEK_END)
        (length,) = _LENGTH.unpack(file.read())
        file.seek(-_LENGTH.size - length, os.SEEK_END)
        told = json.loads(file.read(length))
    told["packets"] = [tuple(each) for each in told["packets"]]
    return Part(**told)
