"""Files that do not ship with the repository: from the Hugging Face Hub, downloaded once."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from colorize_core.errors import WeightsError

Report = Callable[[int], None]  # gets bytes so far; what it raises stops the download

PROBE = 10.0  # seconds that the Hub has to answer whether it has the file


def cached(repo: str, name: str, revision: str = "main") -> Path | None:
    """The path of the file if it is in the Hub's cache, without asking the Hub."""
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    with suppress(LocalEntryNotFoundError):
        return Path(hf_hub_download(repo, name, revision=revision, local_files_only=True))
    return None


def fetch(repo: str, name: str, revision: str = "main", report: Report | None = None) -> Path:
    """The path of the file `name` of a model repository "owner/name". One that is in the Hub's
    cache is used as it is, without asking the Hub, so it is found offline too; another is
    downloaded, with a progress bar on stderr. With `report`, a large file that was stopped goes on
    where it was the next time.

    WeightsError if it can neither be found nor downloaded, with what to do about it."""
    from huggingface_hub import constants, get_hf_file_metadata, hf_hub_download, hf_hub_url
    from huggingface_hub.errors import (  # type: ignore[attr-defined]  # HTTPError is httpx's
        GatedRepoError,
        HfHubHTTPError,
        HTTPError,
        LocalEntryNotFoundError,
        OfflineModeIsEnabled,
        RemoteEntryNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )
    from tqdm.auto import tqdm

    if found := cached(repo, name, revision):
        return found
    hub, cache = constants.ENDPOINT, Path(constants.HF_HUB_CACHE)
    file = f"{repo}/{name}"
    by_hand = (
        f"or copy the folder models--{repo.replace('/', '--')} from the Hub cache of a machine "
        f"that has it into {cache}."
    )
    try:
        # hf_hub_download alone would go on trying an unreachable Hub for half a minute.
        url = hf_hub_url(repo, name, revision=revision)
        metadata = get_hf_file_metadata(url, timeout=PROBE)
        _make_sure_of_room(file, metadata.size or 0, cache)
        if report:
            _resume(repo, name, metadata, cache, report)
        # The Hub's own bar hides where stderr is no terminal, and so from the app.
        return Path(hf_hub_download(repo, name, revision=revision, tqdm_class=tqdm))
    except OfflineModeIsEnabled as error:
        raise WeightsError(
            f"{file} is not in the Hub cache {cache}, and HF_HUB_OFFLINE forbids to download it. "
            f"Unset HF_HUB_OFFLINE and try again, {by_hand}"
        ) from error
    except GatedRepoError as error:
        raise WeightsError(
            f"{hub} gives {file} only to those who accepted its conditions. Accept them at "
            f"{hub}/{repo}, log in with `hf auth login`, and try again."
        ) from error
    except RepositoryNotFoundError as error:
        raise WeightsError(
            f"{hub} has no repository {repo}, or keeps it private. Look at {hub}/{repo}; if it is "
            "private, log in with `hf auth login` and try again."
        ) from error
    except (RemoteEntryNotFoundError, RevisionNotFoundError) as error:
        raise WeightsError(
            f"{hub} has no file {name} in {repo} at revision {revision!r}. Look at "
            f"{hub}/{repo}/tree/main for what it has, {by_hand}"
        ) from error
    except HfHubHTTPError as error:
        status = error.response.status_code
        denied = "Log in with `hf auth login`" if status in (401, 403) else "Wait a little"
        raise WeightsError(
            f"{hub} answered {status} instead of sending {file}. {denied} and try again, {by_hand}"
        ) from error
    except (HTTPError, ConnectionError, TimeoutError, LocalEntryNotFoundError) as error:
        raise WeightsError(
            f"{file} is not in the Hub cache {cache}, and {hub} cannot be reached ({error}). Check "
            f"the connection, or the proxy, and try again, {by_hand}"
        ) from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise WeightsError(f"The disk is full: {file} {_no_room(cache)}") from error
        raise WeightsError(
            f"{file} cannot be kept in the Hub cache {cache} ({error}). Make that folder writable, "
            "or name another with HF_HUB_CACHE."
        ) from error


def fetch_address(address: str, sha256: str = "", report: Report | None = None) -> Path:
    """The path of the file at an https address: in torch's cache, or downloaded into it. `sha256`:
    hexadecimal, or its first digits. WeightsError if it cannot be had or has another hash."""
    from huggingface_hub import get_hf_file_metadata
    from huggingface_hub.errors import (  # type: ignore[attr-defined]
        HfHubHTTPError,
        HTTPError,
    )
    from huggingface_hub.file_download import http_get  # type: ignore[attr-defined]
    from tqdm.auto import tqdm

    path = address_path(address)
    if path.exists():
        return path
    part = path.with_name(f"{path.name}.part")
    try:
        metadata = get_hf_file_metadata(address, token=False, timeout=PROBE)
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("ab") as file:
            http_get(
                metadata.location,
                file,
                resume_size=file.tell(),
                expected_size=metadata.size,
                displayed_filename=path.name,
                tqdm_class=_bar(report) if report else tqdm,
            )
    except (HfHubHTTPError, HTTPError, OSError) as error:
        raise WeightsError(f"{address} cannot be downloaded: {error}") from error
    if not _sha256(part).startswith(sha256):
        part.unlink()
        raise WeightsError(f"{address} was damaged on its way. Download it again.")
    os.replace(part, path)
    return path


def address_path(address: str) -> Path:
    """Where in torch's cache the file of an address is or would be, as torch.hub says it."""
    home = os.getenv("TORCH_HOME") or Path(os.getenv("XDG_CACHE_HOME") or "~/.cache", "torch")
    name = PurePosixPath(urlsplit(address).path).name
    return Path(home, "hub", "checkpoints", name).expanduser()


def _resume(repo: str, name: str, metadata: Any, cache: Path, report: Report) -> None:
    """Put the content of a large file where hf_hub_download looks for it before it downloads, which
    by itself throws away what a download that was stopped had.

    Only large files are named after their sha256 there; the others are left to it."""
    from huggingface_hub import constants
    from huggingface_hub.file_download import (  # type: ignore[attr-defined]
        build_hf_headers,
        http_get,
        repo_folder_name,
    )

    if not re.fullmatch("[0-9a-f]{64}", metadata.etag or "") or not metadata.size:
        return
    blobs = cache / repo_folder_name(repo_id=repo, repo_type="model") / "blobs"
    blob, part = blobs / metadata.etag, blobs / f"{metadata.etag}.part"
    if blob.exists():
        return
    blobs.mkdir(parents=True, exist_ok=True)
    if part.exists() and part.stat().st_size > metadata.size:
        part.unlink()
    # A content server gets no login: its address is signed.
    own = urlsplit(metadata.location).netloc == urlsplit(constants.ENDPOINT).netloc
    headers = build_hf_headers() if own else {}
    with part.open("ab") as file:
        http_get(
            metadata.location,
            file,
            resume_size=file.tell(),
            headers=headers,
            expected_size=metadata.size,
            displayed_filename=name,
            tqdm_class=_bar(report),
        )
    if _sha256(part) != metadata.etag:
        part.unlink()
        raise WeightsError(f"{repo}/{name} was damaged on its way. Download it again.")
    os.replace(part, blob)


def _bar(report: Report) -> Any:
    """A progress bar that also reports."""
    from tqdm.auto import tqdm

    class Bar(tqdm):  # type: ignore[misc]  # tqdm has no types
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            self.bytes = options.get("initial", 0)
            report(self.bytes)

        def update(self, n: float | None = 1) -> bool | None:
            self.bytes += int(n or 0)
            report(self.bytes)
            return super().update(n)

    return Bar


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        digest = hashlib.sha256()
        while block := file.read(1 << 22):
            digest.update(block)
    return digest.hexdigest()


def _make_sure_of_room(file: str, size: int, cache: Path) -> None:
    """WeightsError if `size` bytes do not fit on the cache's disk."""
    folder = next(f for f in (cache, *cache.absolute().parents) if f.exists())
    free = shutil.disk_usage(folder).free
    if size > free:
        raise WeightsError(
            f"{file} has {size / 1e6:.0f} MB, the disk has {free / 1e6:.0f} MB free: it "
            f"{_no_room(cache)}"
        )


def _no_room(cache: Path) -> str:
    return (
        f"does not fit into the Hub cache {cache}. Make room (`hf cache ls` shows what is there), "
        "or name a folder on another disk with HF_HUB_CACHE."
    )
