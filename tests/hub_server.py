"""A small Hub on this machine, for tests."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import socket
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml
from huggingface_hub import constants

from colorize_core.downloads import checkpoints, transfer
from colorize_core.downloads.catalogue import DOWNLOADS, Download, from_address

COMMIT = "0123456789abcdef0123456789abcdef01234567"  # of every repository's main

# Seconds: much more than a busy machine takes for what waits for nothing, much less than for what
# does: a Hub is tried for half a minute, and a wait that it asks for in the tests is of 20 s.
SOON = 12.0


class Hub(ThreadingHTTPServer):
    """A Hub of files below a folder, /{repo}/{file}.

    Downloads: the two requests, HEAD and GET of /{repo}/resolve/{revision}/{file}, what the Hub
    tells of a repository at /api/models/{repo}, and the errors by which it says no. Every revision
    has the same files. Other addresses have what is
    in the folder under their path. GETs can be told to go wrong, one after the other.

    Uploads: the requests of create_repo() and create_commit(), small files in the commit itself and
    large ones before, by git-lfs. They are there to be downloaded afterwards."""

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
        self.token = ""  # that uploads must show, if set
        self.refuses = ""  # the path of uploads that are answered with 403 begins like that, if set
        self.commits: list[list[str]] = []  # the files of each
        self.private: dict[str, bool] = {}  # the repositories that were made
        self.stored: dict[str, bytes] = {}  # large files by their sha256

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


@dataclass(frozen=True)
class Fault:
    """What goes wrong with one answer."""

    status: int = 0  # says that instead, if set
    retry_after: str = ""
    cut_after: int | None = None  # bytes
    ends_after: int | None = None  # bytes, and says that these were all
    stall: float = 0.0  # seconds before the first byte, or before the cut
    flip: bool = False  # the last byte is another one


class _Answers(BaseHTTPRequestHandler):
    server: Hub

    def do_HEAD(self) -> None:
        self.do_GET(body=False)

    def do_GET(self, body: bool = True) -> None:
        if asked_of := re.fullmatch(
            r"/api/models/([^/]+/[^/]+)(?:/revision/([^?]+))?\?.*", self.path
        ):
            return self.tell(asked_of[1], asked_of[2] or "main")
        on_hub = re.fullmatch("/(.*)/resolve/([^/]*)/(.*)", self.path)
        repo, revision, name = on_hub.groups() if on_hub else ("", "main", self.path[1:])
        path = self.server.folder / repo / name
        fault = Fault()
        if on_hub or path.is_file():  # libraries ask for what is of no interest here
            self.server.asked.append(f"{self.command} {f'{repo}/{name}' if repo else name}")
            coming = self.server.faults if body else self.server.head_faults
            fault = (coming.pop(0) if coming else None) or fault
        if on_hub:
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
        sent = content[first:][: fault.ends_after]
        self.send_header("Content-Length", str(len(sent)))
        if first:
            self.send_header("Content-Range", f"bytes {first}-{len(content) - 1}/{len(content)}")
        if not body:
            time.sleep(fault.stall)
        self.end_headers()
        if not body:
            return None
        self.server.ranges.append(asked)
        if fault.flip:
            sent = sent[:-1] + bytes([sent[-1] ^ 255])
        return self.send(sent, fault)

    def tell(self, repo: str, revision: str) -> None:
        """Files with their sizes, the commit, and the front matter of the page."""
        home = self.server.folder / repo
        if self.server.says or not home.is_dir():
            return self.refuse(*(self.server.says or (404, "RepoNotFound")), "")
        contents = {p.relative_to(home).as_posix(): p.read_bytes() for p in home.rglob("*.*")}
        page = contents.get("README.md", b"---\n---").decode().split("---")[1]
        return self.reply(
            {
                "id": repo,
                "sha": COMMIT if revision == "main" else revision,
                "cardData": yaml.safe_load(page),
                "siblings": [
                    {
                        "rfilename": name,
                        "size": len(content),
                        "lfs": {
                            "sha256": hashlib.sha256(content).hexdigest(),
                            "size": len(content),
                            "pointerSize": 130,
                        },
                    }
                    for name, content in contents.items()
                ],
            }
        )

    # --- uploads --------------------------------------------------------------------------------

    def do_POST(self) -> None:
        said = self.received()
        self.server.asked.append(f"POST {self.path}")
        if self.denied():
            return None
        if self.path == "/api/repos/create":
            return self.create(json.loads(said))
        if self.path == "/api/validate-yaml":
            return self.reply({})
        if re.fullmatch("/api/models/.*/preupload/main", self.path):
            return self.reply({"files": [self.way(f) for f in json.loads(said)["files"]]})
        if self.path.endswith(".git/info/lfs/objects/batch"):
            return self.reply({"objects": [self.room(o) for o in json.loads(said)["objects"]]})
        repo = re.fullmatch("/api/models/(.*)/commit/main", self.path)[1]
        return self.commit(repo, [json.loads(line) for line in said.splitlines()])

    def do_PUT(self) -> None:
        content = self.received()
        if not self.denied(needs_token=False):  # the address is signed
            digest = self.path.removeprefix("/lfs/")
            assert hashlib.sha256(content).hexdigest() == digest
            self.server.stored[digest] = content
            self.reply({})

    def received(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers["Content-Length"]))
        chunks = []
        while size := int(self.rfile.readline(), 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def denied(self, needs_token: bool = True) -> bool:
        server = self.server
        shown = self.headers.get("Authorization", "")
        status = 401 if needs_token and server.token and shown != f"Bearer {server.token}" else 0
        if server.refuses and self.path.startswith(server.refuses):
            status = 403
        if status:
            self.refuse(status, "", "")
        return bool(status)

    def create(self, asked: dict[str, str]) -> None:
        repo = f"{asked['organization']}/{asked['name']}"
        new = not (self.server.folder / repo).is_dir()
        (self.server.folder / repo).mkdir(parents=True, exist_ok=True)
        if new:
            self.server.private[repo] = asked.get("visibility") == "private"
        self.reply({"url": f"{self.server.url}/{repo}"}, 200 if new else 409)

    def way(self, file: dict[str, str]) -> dict[str, object]:
        mode = "lfs" if file["path"].endswith(".safetensors") else "regular"
        return {"path": file["path"], "uploadMode": mode, "shouldIgnore": False}

    def room(self, wanted: dict[str, object]) -> dict[str, object]:
        upload = {"href": f"{self.server.url}/lfs/{wanted['oid']}"}
        return wanted | {"actions": {"upload": upload}}

    def commit(self, repo: str, lines: list[dict[str, dict[str, str]]]) -> None:
        files = [line["value"] for line in lines if line["key"] != "header"]
        for file in files:
            path = self.server.folder / repo / file["path"]
            small = base64.b64decode(file.get("content", ""))
            path.write_bytes(self.server.stored[file["oid"]] if "oid" in file else small)
        self.server.commits.append([file["path"] for file in files])
        self.reply({"commitUrl": f"{self.server.url}/{repo}/commit/{COMMIT}", "commitOid": COMMIT})

    def reply(self, said: object, status: int = 200) -> None:
        body = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    # --- both -----------------------------------------------------------------------------------

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
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)  # uploads by git-lfs
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


@contextmanager
def serving_torchvision(
    name: str, content: bytes, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Hub]:
    """serving() that content in the place of the weights `name` of the catalogue, which are
    torchvision's."""
    file = f"weights-{hashlib.sha256(content).hexdigest()[:8]}.pth"
    (folder / "www").mkdir()
    (folder / "www" / file).write_bytes(content)
    with serving(folder / "www", folder / "cache", monkeypatch) as hub:
        offer_elsewhere(name, f"{hub.url}/{file}", monkeypatch)
        yield hub


def fetch(downloads: Iterable[Download]) -> None:
    """Download all of their files that are not here."""
    checkpoints.fetch([file for each in downloads for file in each.files])


def offer_elsewhere(name: str, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the catalogue say that the weights `name` are at that address."""
    known = DOWNLOADS[name]
    moved = from_address(name, known.title, known.licence, address, known.bytes)
    monkeypatch.setitem(DOWNLOADS, name, moved)


def point_at(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """As HF_ENDPOINT, which is read only once."""
    template = url + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "ENDPOINT", url)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
