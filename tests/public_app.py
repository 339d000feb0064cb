"""The app that is open to strangers, in a process of its own, as people run it."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest

if os.name != "nt":
    import resource

from app_server import free_port, is_up, wait_until

from ui.server.temp_files import PREFIX

ROOT = Path(__file__).resolve().parents[1]
FORWARDED = "X-Forwarded-For"
ERRORS = "errors.txt"  # what the app writes to stderr
T = TypeVar("T")
needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc")


class Served:
    """An app in a process of its own. Behind its one proxy every test has an address of its own."""

    def __init__(self, port: int, parent: Path, process: subprocess.Popen[bytes]):
        self.port, self.parent, self.process = port, parent, process
        self.url = f"http://127.0.0.1:{port}"

    @property
    def folder(self) -> Path:
        return next(self.parent.glob(PREFIX + "*"))

    def ask(
        self, path: str, body: Any = None, *, method: str = "", sender: str = "", **headers: str
    ) -> tuple[int, str, dict[str, str]]:
        """Status, text and headers; the path goes out as it is written."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if sender:
            sent[FORWARDED] = sender
        if body is not None and not isinstance(body, bytes):
            body, sent = json.dumps(body).encode(), {"Content-Type": "application/json", **sent}
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)) as line:
            method = method or ("GET" if body is None else "POST")
            line.putrequest(method, path, skip_host="Host" in sent)
            for name, value in sent.items():
                line.putheader(name, value)
            if body is not None:
                line.putheader("Content-Length", str(len(body)))
            line.endheaders(body)
            answer = line.getresponse()
            try:
                data = answer.read()
            except http.client.IncompleteRead as cut:  # Gradio ends some streams so
                data = cut.partial
            text = data.decode("utf-8", "replace")
            found = {k.lower(): v for k, v in answer.getheaders()}
            cookies = answer.headers.get_all("set-cookie") or []
            return answer.status, text, {**found, "set-cookie-all": "\n".join(cookies)}

    def call(self, name: str, data: list[Any], sender: str) -> str:
        """What an endpoint answers, as a stream of events."""
        status, text, _ = self.ask(f"/gradio_api/call/{name}", {"data": data}, sender=sender)
        if status != 200:
            return text
        event = json.loads(text)["event_id"]
        return self.ask(f"/gradio_api/call/{name}/{event}", sender=sender)[1]

    def upload(self, data: bytes, name: str, sender: str) -> tuple[int, str, dict[str, str]]:
        """What is answered to one file, sent as a form."""
        head = f'--edge\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n\r\n'
        body = head.encode() + data + b"\r\n--edge--\r\n"
        kind = "multipart/form-data; boundary=edge"
        return self.ask("/gradio_api/upload", body, sender=sender, Content_Type=kind)

    def add_photo(self, path: Path, sender: str) -> dict[str, Any]:
        """The file, uploaded, as a call names it."""
        status, text, _ = self.upload(path.read_bytes(), path.name, sender)
        assert status == 200, text
        return {"path": json.loads(text)[0], "meta": {"_type": "gradio.FileData"}}


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Its result. In a thread of its own: Playwright leaves an event loop running in this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result()


def ask_at_once(question: Callable[[int], T], times: int) -> list[T]:
    """The answers to question(0), question(1), ..., each asked in a thread of its own."""
    with ThreadPoolExecutor(times) as threads:
        return list(threads.map(question, range(times)))


def use_of_cores(served: Served) -> float:
    """Seconds of all cores that the app has used."""
    fields = Path(f"/proc/{served.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def is_at_rest(served: Served) -> bool:
    before = use_of_cores(served)
    time.sleep(1.0)
    return use_of_cores(served) - before < 0.25


@contextmanager
def serving(parent: Path, *options: str, descriptors: int = 0, first: str = "") -> Iterator[Served]:
    """An app with these options; `descriptors`: the most that it may have open, where that is
    said; `first`: Python that it begins with, such as shorter times."""
    port = free_port()
    program = ["-c", f"{first}\nimport app\napp.main()"] if first else ["app.py"]

    def limit() -> None:
        if descriptors:
            resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))

    with (parent / ERRORS).open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, *program, "--public", "--port", str(port), *options],
            cwd=ROOT,
            env={**os.environ, "GRADIO_TEMP_DIR": str(parent)},
            stdout=subprocess.DEVNULL,
            stderr=errors,
            preexec_fn=None if os.name == "nt" else limit,
        )
    try:
        wait_until(lambda: is_up(port), seconds=120)
        yield Served(port, parent, process)
    finally:
        process.terminate()
        process.wait(timeout=60)
