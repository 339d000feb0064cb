"""A process that decodes pictures for another: `python -m colorize_core.imaging.decoder_process
MEMORY SECONDS PIXELS`, started by decoder_pool.py.

Paths come in on standard input, pictures leave on standard output. What a file may cost is a matter
of the system here, whatever is in it: no more memory is given, and time that is over ends the
process and nothing else.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from pathlib import Path
from queue import SimpleQueue
from typing import Any, BinaryIO

from colorize_core.errors import PictureError
from colorize_core.imaging import decoder_answers, image

FIRST_TO_GO = "1000"  # by Linux, where the machine has no memory left


def main() -> None:
    """Answer requests until standard input ends, which it does when whoever asks has ended."""
    memory, seconds, pixels = map(int, sys.argv[1:])
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no part of an answer
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is for the one who asks
    requests: SimpleQueue[list[str]] = SimpleQueue()
    threading.Thread(target=_take_requests, args=[requests], daemon=True).start()
    _limit_memory(memory)
    while True:
        path, name = requests.get()
        _limit_time(seconds)
        _answer(answers, path, name, pixels)


def _take_requests(requests: SimpleQueue[list[str]]) -> None:
    for line in sys.stdin.buffer:
        requests.put(json.loads(line))
    os._exit(0)  # even amid a picture


def _answer(answers: BinaryIO, path: str, name: str, pixels: int) -> None:
    try:
        photo = image.read(path, name, pixels)
    except PictureError as error:
        decoder_answers.write_error(answers, error)
    else:
        decoder_answers.write_photo(answers, photo)


def _limit_memory(most: int) -> None:
    """`most` bytes beside what is there already. Only Linux counts what it gives."""
    if sys.platform != "linux":
        return
    import resource

    Path("/proc/self/oom_score_adj").write_text(FIRST_TO_GO)
    data_pages = int(Path("/proc/self/statm").read_text().split()[5])
    limit = data_pages * resource.getpagesize() + most
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


def _limit_time(seconds: int) -> None:
    """For the next picture, on all cores: if nobody is left who would end it."""
    if sys.platform == "win32":
        return
    import resource

    used: Any = resource.getrusage(resource.RUSAGE_SELF)
    limit = int(used.ru_utime + used.ru_stime) + seconds * (os.cpu_count() or 1)
    resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.RLIM_INFINITY))


if __name__ == "__main__":
    main()
