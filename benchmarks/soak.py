"""python -m benchmarks.soak : many strangers at once on the public app, for a while.

Each client has an address of its own. Again and again it brings a photo of its own and looks
whether what comes back is that photo in colour, brings a hostile file, opens the page, or leaves a
request half sent. Some photos are as large as may be. In the middle the app is killed (SIGKILL) and
started again. Written down are answers of each kind, and of the app's processes together: memory,
descriptors, files, and how many processes the system ended for want of memory.

With `--memory MB` the app is in a control group that gets no more, as in a container of that size,
for which the benchmark has to be run by root. Needs the extra `test` and Linux's /proc.
"""

from __future__ import annotations

import io
import json
import math
import os
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.options import make_parser
from benchmarks.public_memory import MIB, list_tree, measure_tree
from benchmarks.results_file import write
from colorize_core.imaging.color import lightness
from tests.app_server import free_port, is_up, wait_until
from tests.public_app import ROOT, Served
from ui.server import limits

PATIENCE = 60.0  # seconds that an app may take to start, and to put away what nobody needs
SMALL = (160, 120)  # at which two pictures are compared
SAME = 8.0  # mean difference of L between a photo and its colouring, in [0, 100]: JPEG's is under 2
MODELS = ("autochrome", "autochrome", "autochrome", "unet-gan", "se-unet-student", "cnn-lpips")
SETTINGS: list[Any] = [1.0, 1.0, 1.0, True, "JPEG", ""]
LARGE_EVERY = 16  # clients, one of which has a large photo
GROUPS = Path("/sys/fs/cgroup/memory")  # version 1; with version 2 the group is one level higher
MB = 1_000_000


class MemoryGroup:
    """A control group of the kernel whose processes get so many bytes together, swap aside."""

    def __init__(self, most: int) -> None:
        old = GROUPS.is_dir()
        self.path = (GROUPS if old else GROUPS.parent) / f"soak-{os.getpid()}"
        self.path.mkdir()
        limit = "memory.limit_in_bytes" if old else "memory.max"
        (self.path / limit).write_text(str(most))
        self.most = int((self.path / limit).read_text())  # in whole pages
        self.ended = self.path / ("memory.oom_control" if old else "memory.events")

    def enter(self) -> None:
        """For the process that calls it, and those that it will start."""
        (self.path / "cgroup.procs").write_text(str(os.getpid()))

    def count_ended(self) -> int:
        """Processes that were ended because the memory was used up."""
        rows = [line.split() for line in self.ended.read_text().splitlines()]
        return sum(int(row[1]) for row in rows if row[0] == "oom_kill")

    def close(self) -> None:
        self.path.rmdir()


class App:
    """The app in a process of its own, which can be killed and started again."""

    def __init__(self, folder: Path, group: MemoryGroup | None) -> None:
        self.folder, self.group = folder, group
        self.start()

    def start(self) -> None:
        self.port = free_port()  # another one each time: the old one may not be free yet
        command = [sys.executable, "app.py", "--public", "--no-auth", "--proxies", "1"]
        self.process = subprocess.Popen(
            [*command, "--port", str(self.port)],
            cwd=ROOT,
            env={**os.environ, "GRADIO_TEMP_DIR": str(self.folder)},
            preexec_fn=self.group.enter if self.group else None,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.served = Served(self.port, self.folder, self.process)
        wait_until(lambda: is_up(self.port), seconds=PATIENCE)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def stop(self) -> int:
        """The exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=PATIENCE)

    def measure(self) -> dict[str, int]:
        """Of the app and its children: memory, descriptors; files in its folder."""
        files = [path for path in self.folder.rglob("*") if path.is_file()]
        return {
            "mib": measure_tree(self.process.pid) // MIB,
            "descriptors": sum(map(_count_descriptors, list_tree(self.process.pid))),
            "files": len([path for path in files if "lasting" not in path.parts]),
        }


def _count_descriptors(pid: int) -> int:
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))
    except OSError:
        return 0


class Client(threading.Thread):
    """One stranger. `answers` counts what became of what it asked for."""

    def __init__(
        self,
        app: App,
        number: int,
        hostile: list[bytes],
        answers: Counter[str],
        largest: int,
    ) -> None:
        super().__init__(daemon=True)
        self.app, self.hostile, self.answers = app, hostile, answers
        self.rng = random.Random(number)
        self.address = f"10.0.{number // 250}.{number % 250 + 1}"
        large = number % LARGE_EVERY == 0
        self.photo = make_photo(number, largest if large else 0)
        self.ended = threading.Event()

    def run(self) -> None:
        ways = [self.colour] * 4 + [self.attack] * 2 + [self.open_page] * 2 + [self.dawdle]
        while not self.ended.is_set():
            try:
                answer = self.rng.choice(ways)()
            except (OSError, ValueError, KeyError):  # killed, or too busy to answer
                answer = "no answer"
            self.answers[answer] += 1
            self.ended.wait(self.rng.uniform(0.5, 4.0))

    def colour(self) -> str:
        file = io.BytesIO()
        Image.fromarray(self.photo).save(file, "JPEG", quality=95)
        found = self._ask(file.getvalue(), "photo.jpg", self.rng.choice(MODELS))
        if isinstance(found, str):
            return f"refused: {found}"
        there = found.shape[:2] == self.photo.shape
        return "right" if there and self._is_own(found) else "WRONG"

    def _is_own(self, found: NDArray[np.uint8]) -> bool:
        gray = np.repeat(self.photo[..., None], 3, axis=2)
        small = (cv2.resize(each, SMALL, interpolation=cv2.INTER_AREA) for each in (found, gray))
        light, own = (lightness(each.astype(np.float32) / 255) for each in small)
        return float(np.abs(light - own).mean()) < SAME

    def attack(self) -> str:
        found = self._ask(self.rng.choice(self.hostile), "photo.jpg", MODELS[0])
        return "hostile, read" if not isinstance(found, str) else "hostile, refused"

    def open_page(self) -> str:
        status, _, _ = self.app.served.ask("/", sender=self.address)
        return f"page {status}"

    def dawdle(self) -> str:
        with socket.create_connection(("127.0.0.1", self.app.port), timeout=10) as line:
            line.sendall(b"POST /gradio_api/upload HTTP/1.1\r\nHost: localhost\r\nContent-Le")
            self.ended.wait(self.rng.uniform(0, 5))
        return "half a request"

    def _ask(self, data: bytes, name: str, model: str) -> NDArray[np.uint8] | str:
        """The photo in colour, or why there is none."""
        status, text, _ = self.app.served.upload(data, name, self.address)
        if status != 200:
            return f"upload {status}"
        photo = {"path": json.loads(text)[0], "meta": {"_type": "gradio.FileData"}}
        told = self.app.served.call("colorize", [photo, model, *SETTINGS], self.address)
        if "event: complete" not in told:
            return _find_reason(told)
        path = json.loads(told.split("event: complete\ndata:")[1].splitlines()[0])[0]["path"]
        with _fetch(self.app, path, self.address) as file:
            return np.asarray(Image.open(file).convert("RGB"))


def _find_reason(told: str) -> str:
    """Why an answer is none, in a word or its own."""
    for word in ("busy", "full", "queue"):
        if word in told:
            return "busy"
    found = re.search(r'"(?:error|detail)": *"([^"]{1,60})', told)
    return found[1] if found else told[-60:]


@contextmanager
def _fetch(app: App, path: str, address: str) -> Iterator[io.BytesIO]:
    import urllib.request

    asked = urllib.request.Request(
        f"{app.served.url}/gradio_api/file={path}", headers={"X-Forwarded-For": address}
    )
    with urllib.request.urlopen(asked, timeout=30) as answer:
        yield io.BytesIO(answer.read())


def make_photo(number: int, pixels: int = 0) -> NDArray[np.uint8]:
    """A gray picture unlike that of any other number, (H, W), of at most so many pixels."""
    rng = np.random.default_rng(number)
    coarse = rng.integers(0, 256, (6, 8), np.uint8)
    size = (320 + 2 * number, 240 + number)
    if pixels:
        size = (int(math.sqrt(pixels * 4 / 3)), int(math.sqrt(pixels * 3 / 4)))
    return np.asarray(Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC))


def main() -> None:
    parser = make_parser(__doc__)
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--memory", type=int, default=0, help="MB that the app may have (any)")
    asked = parser.parse_args()
    group = MemoryGroup(asked.memory * MB) if asked.memory else None
    pixels = limits.count_pixels(min(limits.MEMORY, group.most if group else math.inf))
    from tests.hostile_files import make_files

    hostile = [data for _, data in make_files()]
    with tempfile.TemporaryDirectory() as folder:
        app = App(Path(folder), group)
        before = app.measure()
        answers: Counter[str] = Counter()
        clients = [Client(app, i, hostile, answers, pixels) for i in range(asked.clients)]
        for client in clients:
            client.start()
        seen, killed, begun = [], False, time.monotonic()
        while (passed := time.monotonic() - begun) < 60 * asked.minutes:
            time.sleep(5)
            if not app.alive:
                raise SystemExit(f"the app has ended by itself after {passed:.0f} s")
            seen.append(app.measure())
            if not killed and passed > 30 * asked.minutes:
                app.kill()
                app.start()
                killed = True
        for client in clients:
            client.ended.set()
        for client in clients:
            client.join(PATIENCE)
        time.sleep(PATIENCE)
        after = app.measure()
        status = app.stop()
        ended = group.count_ended() if group else 0
        left = len([each for each in Path(folder).rglob("*") if each.is_file()])
    rows = [{"what": what, "value": str(count)} for what, count in sorted(answers.items())]
    for name in before:
        values = (before[name], max(each[name] for each in seen), after[name])
        rows += [
            {"what": f"{name} {when}", "value": str(value)}
            for when, value in zip(("before", "at most", "after"), values, strict=True)
        ]
    rows += [
        {"what": "exit status", "value": str(status)},
        {"what": "files left", "value": str(left)},
        {"what": "megapixels of the largest photos", "value": str(pixels // MB)},
        {"what": "memory of the container, MB", "value": str(asked.memory or "any")},
        {"what": "processes ended for want of memory", "value": str(ended)},
        {"what": "clients", "value": str(asked.clients)},
        {"what": "minutes", "value": f"{asked.minutes:g}"},
    ]
    if group:
        group.close()
    write(f"soak_{asked.memory}" if asked.memory else "soak", rows)


if __name__ == "__main__":
    main()
