"""A small Hub on this machine, for tests."""

from __future__ import annotations

import hashlib
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from huggingface_hub import constants

from colorize_core.hub import transfer

COMMIT = "0123456789abcdef0123456789abcdef01234567"  # of every repository's main


class Hub(ThreadingHTTPServer):
    """The two requests of a download, HEAD and GET of /{repo}/resolve/{revision}/{file}, and the
    errors by which the Hub says no. Every revision has the same files. Other addresses have what is
    in the folder under their path. GETs can be told to go wrong, one after the other."""

    daemon_threads = True  # those that stall end with the test

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.folder = folder
        self.asked: list[str] = []  # "HEAD owner/name/file"
        self.revisions: dict[str, str] = {}  # what was last asked for, by repository
        self.ranges: list[str | None] = []  # of every GET
        self.knows_ranges = True
        self.small = False  # name files as the Hub does its small ones: as git, not by sha256
        self.says: tuple[int, str] | None = None  # (status, X-Error-Code) for everything, if set
        self.faults: list[Fault | None] = []  # of the coming GETs; None: nothing goes wrong
        self.head_faults: list[Fault | None] = []  # of the coming HEADs

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


@dataclass(frozen=True)
class Fault:
    """What goes wrong with one answer."""

    status: int = 0  # says that instead, if set
    retry_after: str = ""
    cut_after: int | None = None  # bytes
    stall: float = 0.0  # seconds before the first byte, or before the cut
    flip: bool = False  # the last byte is another one


class _Answers(BaseHTTPRequestHandler):
    server: Hub

    def do_HEAD(self) -> None:
        self.do_GET(body=False)

    def do_GET(self, body: bool = True) -> None:
        on_hub = re.fullmatch("/(.*)/resolve/([^/]*)/(.*)", self.path)
        repo, revision, name = on_hub.groups() if on_hub else ("", "main", self.path[1:])
        path = self.server.folder / repo / name
        fault = Fault()
        if on_hub or path.is_file():  # libraries ask for what is of no interest here
            self.server.asked.append(f"{self.command} {f'{repo}/{name}' if repo else name}")
            coming = self.server.faults if body else self.server.head_faults
            fault = (coming.pop(0) if coming else None) or fault
        self.server.revisions[repo] = revision
        says = self.server.says or ((fault.status, "") if fault.status else None)
        if says is None and not path.is_file():
            known = (self.server.folder / repo).is_dir()
            says = (404, "EntryNotFound" if known else "RepoNotFound")
        if says:
            return self.refuse(*says, fault.retry_after)
        content = path.read_bytes()
        asked = self.headers.get("Range")
        first = int(asked.strip("bytes=-")) if asked and self.server.knows_ranges else 0
        self.send_response(206 if first else 200)
        self.send_header("ETag", f'"{self.tag(content)}"')
        self.send_header("X-Repo-Commit", COMMIT if revision == "main" else revision)
        self.send_header("Content-Length", str(len(content) - first))
        if first:
            self.send_header("Content-Range", f"bytes {first}-{len(content) - 1}/{len(content)}")
        if not body:
            time.sleep(fault.stall)
        self.end_headers()
        if not body:
            return None
        self.server.ranges.append(asked)
        if fault.flip:
            content = content[:-1] + bytes([content[-1] ^ 255])
        return self.send(content[first:], fault)

    def refuse(self, status: int, code: str, retry_after: str) -> None:
        self.send_response(status)
        self.send_header("X-Error-Code", code)
        self.send_header("Content-Length", "0")
        if retry_after:
            self.send_header("Retry-After", retry_after)
        self.end_headers()

    def send(self, content: bytes, fault: Fault) -> None:
        with suppress(OSError):  # who was asking may have gone
            self.wfile.write(content[: fault.cut_after or 0])
            self.wfile.flush()
            time.sleep(fault.stall)
            if fault.cut_after is None:
                self.wfile.write(content)
            else:
                self.connection.shutdown(socket.SHUT_RDWR)

    def tag(self, content: bytes) -> str:
        if self.server.small:
            return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
        return hashlib.sha256(content).hexdigest()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving(folder: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """This process online with a Hub that has the folder's files, and with that cache."""
    server = Hub(folder)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.setenv("TORCH_HOME", str(cache / "torch"))
    monkeypatch.setattr(transfer, "_silent", {})
    point_at(monkeypatch, server.url)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def point_at(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """As HF_ENDPOINT, which is read only once."""
    template = url + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "ENDPOINT", url)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
