"""A small Hub on this machine, for tests."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from huggingface_hub import constants

COMMIT = "0123456789abcdef0123456789abcdef01234567"  # of every repository's main


class Hub(ThreadingHTTPServer):
    """The two requests of a download, HEAD and GET of /{repo}/resolve/{revision}/{file}, and the
    errors by which the Hub says no. Every revision has the same files."""

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.folder = folder
        self.asked: list[str] = []  # "HEAD owner/name/file"
        self.revisions: dict[str, str] = {}  # what was last asked for, by repository
        self.ranges: list[str | None] = []  # of every GET
        self.knows_ranges = True
        self.tag_digits = 64  # of every file, as of the Hub's large ones; its small ones have 40
        self.says: tuple[int, str] | None = None  # (status, X-Error-Code) for everything, if set

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Answers(BaseHTTPRequestHandler):
    server: Hub

    def do_HEAD(self) -> None:
        self.do_GET(body=False)

    def do_GET(self, body: bool = True) -> None:
        repo, revision, name = re.fullmatch("/(.*)/resolve/([^/]*)/(.*)", self.path).groups()
        self.server.asked.append(f"{self.command} {repo}/{name}")
        self.server.revisions[repo] = revision
        path = self.server.folder / repo / name
        says = self.server.says
        if says is None and not path.is_file():
            known = (self.server.folder / repo).is_dir()
            says = (404, "EntryNotFound" if known else "RepoNotFound")
        if says:
            self.send_response(says[0])
            self.send_header("X-Error-Code", says[1])
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        content = path.read_bytes()
        asked = self.headers.get("Range")
        first = int(asked.strip("bytes=-")) if asked and self.server.knows_ranges else 0
        self.send_response(206 if first else 200)
        tag = hashlib.sha256(content).hexdigest()[: self.server.tag_digits]
        self.send_header("ETag", f'"{tag}"')
        self.send_header("X-Repo-Commit", COMMIT if revision == "main" else revision)
        self.send_header("Content-Length", str(len(content) - first))
        if first:
            self.send_header("Content-Range", f"bytes {first}-{len(content) - 1}/{len(content)}")
        self.end_headers()
        if body:
            self.server.ranges.append(asked)
            self.wfile.write(content[first:])

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving(folder: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """This process online with a Hub that has the folder's files, and with that cache."""
    server = Hub(folder)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
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
