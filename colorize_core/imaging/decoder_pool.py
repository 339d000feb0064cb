"""Pictures of strangers, decoded in processes of their own (decoder_process.py).

A process that takes too long, that nobody waits for any more or that a file has crashed is ended
and replaced; the one who asked is told in one sentence. It is a bound on cost, not a prison: the
process has the rights of its user.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
import weakref
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from colorize_core.errors import (
    BrokenPictureError,
    Cancelled,
    ColorizeError,
    PictureTooLargeError,
)
from colorize_core.imaging import decoder_answers
from colorize_core.imaging.image import NO_MEMORY, Photo
from colorize_core.imaging.limits import MAX_PIXELS

LOOK = 0.05  # seconds between two looks at whether somebody still waits
PIPE = 1 << 20  # bytes, where the system lets one choose
STOPPED = "Stopped."


@dataclass(frozen=True)
class Budget:
    """What one picture may cost."""

    memory: int  # bytes, beside some 70 MB of the process itself; on Linux alone
    seconds: int
    pixels: int = MAX_PIXELS


class DecoderPool:
    """At most `most` processes at a time, started when they are needed and kept for the next
    picture. Threads may share it."""

    def __init__(self, budget: Budget, most: int = 1):
        self.budget = budget
        self._free = threading.Semaphore(most)
        self._idle: list[_Process] = []
        self._lock = threading.Lock()
        weakref.finalize(self, _end_all, self._idle)  # at the latest when the program ends

    def start(self) -> None:
        """Have a process ready for the first picture."""
        with self._free:
            self._put(self._take())

    def decode(self, path: Path, name: str, stopped: threading.Event | None = None) -> Photo:
        """What image.read() gives; `name` is for messages. Raises PictureError, and Cancelled soon
        after `stopped` is set."""
        stopped = stopped or threading.Event()
        while not self._free.acquire(timeout=LOOK):
            if stopped.is_set():
                raise Cancelled(STOPPED)
        try:
            process = self._take()
            try:
                return process.decode(path, name, stopped)
            finally:
                self._put(process)
        finally:
            self._free.release()

    def list_pids(self) -> list[int]:
        """Of the processes that are idle."""
        with self._lock:
            return [process.pid for process in self._idle]

    def _take(self) -> _Process:
        with self._lock:
            while self._idle:
                process = self._idle.pop()
                if process.usable:
                    return process
                process.end()
        return _Process(self.budget)

    def _put(self, process: _Process) -> None:
        if process.usable:
            with self._lock:
                self._idle.append(process)
        else:
            process.end()


def _end_all(processes: list[_Process]) -> None:
    while processes:
        processes.pop().end()


class _Process:
    def __init__(self, budget: Budget):
        self._seconds, self._pixels = budget.seconds, budget.pixels
        self._fault: ColorizeError | None = None  # why it is of no use any more
        numbers = map(str, (budget.memory, budget.seconds, budget.pixels))
        own = {
            "PYTHONPATH": os.pathsep.join(sys.path),  # it finds the package where this program has
            "OPENBLAS_NUM_THREADS": "1",
            "MALLOC_MMAP_THRESHOLD_": str(1 << 20),  # glibc keeps little of what a picture took
        }
        self._running = subprocess.Popen(
            [sys.executable, "-m", "colorize_core.imaging.decoder_process", *numbers],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pipesize=PIPE,
            env=os.environ | own,
        )

    @property
    def pid(self) -> int:
        return self._running.pid

    @property
    def usable(self) -> bool:
        return self._fault is None and self._running.poll() is None

    def end(self) -> None:
        self._running.kill()
        self._running.communicate()  # closes the pipes, and waits

    def decode(self, path: Path, name: str, stopped: threading.Event) -> Photo:
        done = threading.Event()
        watch = threading.Thread(target=self._watch, args=[name, stopped, done], daemon=True)
        watch.start()
        try:
            return self._ask(path, name)
        except decoder_answers.FAULTS as error:  # it has ended, or a file has taken it over
            self._fault = self._fault or BrokenPictureError(
                f"{name} cannot be read: the program that reads pictures has failed on it. Open it "
                "elsewhere and save it again as JPEG."
            )
            raise self._fault from error
        except MemoryError as error:  # here; what it sends stays unread
            self._fault = PictureTooLargeError(f"{name} {NO_MEMORY}.")
            raise self._fault from error
        finally:
            done.set()
            watch.join()

    def _watch(self, name: str, stopped: threading.Event, done: threading.Event) -> None:
        """End it where nobody waits any more, or it takes too long."""
        end = time.monotonic() + self._seconds
        while not done.wait(LOOK):
            if stopped.is_set():
                self._fault = Cancelled(STOPPED)
            elif time.monotonic() > end:
                self._fault = PictureTooLargeError(
                    f"{name} takes longer than {self._seconds} s to read. Scale it down first, or "
                    "save it as JPEG."
                )
            if self._fault:
                self._running.kill()
                return

    def _ask(self, path: Path, name: str) -> Photo:
        sink: Any = self._running.stdin
        source: Any = self._running.stdout
        sink.write(json.dumps([str(path), name]).encode() + b"\n")
        sink.flush()
        return decoder_answers.read_answer(source, self._pixels)
