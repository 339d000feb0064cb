"""How much of the machine strangers may have: the public profile of the app, in numbers."""

from __future__ import annotations

import math
import os
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from colorize_core.imaging.decoder_pool import Budget
from colorize_core.imaging.limits import MAX_PIXELS
from ui.server.refusals import Refused

MB = 1_000_000
DECODING = 24  # bytes for each pixel that is decoded: benchmarks/results/public_memory.csv
SPARE = 250 * MB  # on top, whatever the size
# Of memory, for two photos of strangers at once, for one, and for the app without any:
# docs/deploying.md.
TWO, ONE, NONE = 4_500 * MB, 3_000 * MB, 1_000 * MB
LARGEST = 50 * MB  # pixels of a photo, where the memory is there for it
CACHED = 8  # the share of the memory that decoded photos may keep is one in so many
MOST_CACHED = 600 * MB
CLIENTS = 10_000  # whose use is remembered; beyond, who has been quiet for longest is forgotten


def measure_memory(
    groups: Path = Path("/sys/fs/cgroup"), own: Path = Path("/proc/self/cgroup")
) -> float:
    """Bytes that this program can have: the machine's, or those of its container or its service
    where these have fewer. Infinite where nobody tells.

    Source: the kernel's documentation of control groups, versions 1 and 2."""
    found = [math.inf]
    if hasattr(os, "sysconf"):
        found.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    places = {groups / "memory.max", groups / "memory/memory.limit_in_bytes"}
    with suppress(OSError):
        for line in own.read_text().splitlines():
            _, kinds, path = line.split(":", 2)
            if not kinds:
                places.add(groups / path.strip("/") / "memory.max")
            elif kinds == "memory":
                places.add(groups / "memory" / path.strip("/") / "memory.limit_in_bytes")
    for place in places:
        with suppress(OSError, ValueError):  # another version, or "max"
            found.append(int(place.read_text()))
    return min(found)


def count_lanes(memory: float) -> int:
    """Photos that are worked on at a time: one in the network while another reads or writes its
    file, where the memory is there for both. More would only cost memory."""
    return 2 if memory >= TWO else 1


def count_pixels(memory: float) -> int:
    """The most of a stranger's photo: what there is beside the app itself decides."""
    share = (memory - NONE) / (ONE - NONE)
    return int(LARGEST * min(1.0, max(0.1, share)) // MB * MB)


MEMORY = measure_memory()
AT_ONCE = count_lanes(MEMORY)
PREDICTIONS = int(max(16, min(200, MEMORY / 64_000_000)))  # kept, of everybody; 3 to 7 MB each
CACHE_BYTES = int(min(MOST_CACHED, MEMORY / CACHED))  # of decoded photos, of everybody together


@dataclass(frozen=True)
class Rate:
    """`burst` at once, and as many again spread over `seconds`."""

    burst: float
    seconds: float


# At home: one may wait for the largest photos, and stop whenever one likes.
HOME = Budget(memory=DECODING * MAX_PIXELS + SPARE, seconds=600)


@dataclass(frozen=True)
class Public:
    """What one client may ask of an app that is open to everybody.

    A client is an address: of IPv6 its first 64 bits, as a household has all that follow. Behind
    `proxies` reverse proxies of one's own it is the entry of X-Forwarded-For that the first of them
    has written; without any the header is not believed.
    """

    upload_bytes: int = 64 * MB  # a file
    pixels: int = count_pixels(MEMORY)  # a photo
    seconds: int = 60  # to decode a photo
    waiting: int = 16  # runs in the queue, of all clients
    proxies: int = 0
    starts: Rate = field(
        default=Rate(90, 60)
    )  # of runs, by an address: several people may share it
    own_starts: Rate = field(default=Rate(30, 60))  # of runs, by a session
    uploads: Rate = field(default=Rate(60, 120))  # each costs one, and one more for every 8 MB
    quick: Rate = field(default=Rate(600, 60))  # what a page asks for on the way: strokes, previews
    logins: Rate = field(default=Rate(10, 60))
    pages: Rate = field(default=Rate(240, 60))  # the page and what describes it
    streams: int = 48  # answers and uploads that stay open, at a time
    requests: int = 128  # and these with all others
    connections: int = 192  # with or without a request, where the app knows whose they are
    sessions: int = 5000  # of all, each some 25 kB; the one that was used least recently goes
    body_bytes: int = 32 * MB  # of a request that uploads nothing
    batch_photos: int = 20  # in the queue of the tab Batch
    batch_pixels: int = 16 * MB  # a photo there: it is worked on beside what others ask for
    batches: int = 8  # queues that are worked on, of all clients; of an address one
    free_bytes: int = 1_000 * MB  # that stay free on the disk, whatever is asked for

    @property
    def budget(self) -> Budget:
        """What decoding a photo may cost."""
        return Budget(DECODING * self.pixels + SPARE, self.seconds, self.pixels)

    @property
    def own_waiting(self) -> int:
        """Runs in the queue, of an address: nobody fills it alone."""
        return max(1, self.waiting // 2)

    @property
    def request_bytes(self) -> int:
        """Of an upload, which may be of several files."""
        return 4 * self.upload_bytes


class Places:
    """How many of something a client may have at a time."""

    def __init__(self, most: int):
        self._most = most
        self._taken: Counter[str] = Counter()

    @contextmanager
    def hold(self, client: str) -> Iterator[None]:
        """Have one for as long as the block lasts. Raises Refused where there are too many."""
        if self._taken[client] >= self._most:
            raise Refused(429, "Too many connections are open. Close other pages of this app.", 5)
        self._taken[client] += 1
        try:
            yield
        finally:
            self._taken[client] -= 1
            if not self._taken[client]:
                del self._taken[client]


class Buckets:
    """A token bucket for each key, full at first: RFC 2697 without its second bucket."""

    def __init__(self, rate: Rate, clock: Callable[[], float] = time.monotonic):
        self.rate = rate
        self._clock = clock
        self._left: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()  # tokens, when
        self._lock = Lock()

    def take(self, key: Hashable, cost: float = 1.0) -> float:
        """0 where the tokens were there, and they are gone then; else the seconds until they are.

        What costs more than a full bucket is had for a full one."""
        now, speed = self._clock(), self.rate.burst / self.rate.seconds
        cost = min(cost, self.rate.burst)
        with self._lock:
            tokens = self._count_tokens(key, now)
            self._left.pop(key, None)
            wait = max(0.0, (cost - tokens) / speed)
            self._left[key] = (tokens if wait else tokens - cost, now)
            if len(self._left) > CLIENTS:
                self._left.popitem(last=False)
        return wait

    def give_back(self, key: Hashable, cost: float = 1.0) -> None:
        """What was taken, where it was not used after all."""
        with self._lock:
            now = self._clock()
            tokens = self._count_tokens(key, now) + cost
            self._left[key] = (min(self.rate.burst, tokens), now)

    def wait(self, key: Hashable) -> float:
        """Seconds until a token is there; none is taken."""
        with self._lock:
            missing = 1.0 - self._count_tokens(key, self._clock())
        return max(0.0, missing * self.rate.seconds / self.rate.burst)

    def _count_tokens(self, key: Hashable, now: float) -> float:
        tokens, then = self._left.get(key, (self.rate.burst, now))
        return min(self.rate.burst, tokens + (now - then) * self.rate.burst / self.rate.seconds)
