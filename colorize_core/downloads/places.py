"""Where a file may be had: in a repository of the Hugging Face Hub, or at another address."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from colorize_core.downloads import digests
from colorize_core.errors import WeightsError

PROBE = 5.0  # seconds that a server has to answer whether it has the file
PART = ".part"  # ends the name of what is not whole yet


@dataclass(frozen=True)
class Offer:
    """What a server says that it can send, and where it goes."""

    location: str
    size: int  # bytes; 0: it does not say
    digest: str  # what the content must hash to, as digests.matches() takes it
    target: Path
    lock: Path  # held while it is downloaded
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def part(self) -> Path:
        """Where the content is until it is whole."""
        return self.target.with_name(self.target.name + PART)


@dataclass(frozen=True)
class OnHub:
    """The file `file` of the model repository `repo`, kept in the Hub's cache."""

    repo: str
    file: str
    revision: str = "main"
    sha256: str = ""

    @property
    def name(self) -> str:
        return f"{self.repo}/{self.file}"

    @property
    def server(self) -> str:
        from huggingface_hub import constants

        return constants.ENDPOINT

    @property
    def cache(self) -> Path:
        from huggingface_hub import constants

        return Path(constants.HF_HUB_CACHE)

    @property
    def folder(self) -> Path:
        """Of the repository, in the cache."""
        return self.cache / f"models--{self.repo.replace('/', '--')}"

    def find_local(self) -> Path | None:
        """Its path if it is in the cache."""
        from huggingface_hub import hf_hub_download
        from huggingface_hub.errors import LocalEntryNotFoundError

        with suppress(LocalEntryNotFoundError):
            return Path(
                hf_hub_download(self.repo, self.file, revision=self.revision, local_files_only=True)
            )
        return None

    def ask(self) -> Offer:
        """What the Hub says of it. Raises what explain() understands."""
        from huggingface_hub import get_hf_file_metadata, hf_hub_url
        from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]

        url = hf_hub_url(self.repo, self.file, revision=self.revision)
        # hf_hub_download alone would go on trying an unreachable Hub for half a minute.
        said = get_hf_file_metadata(url, timeout=PROBE)
        if not (tag := said.etag):
            raise ConnectionError("it does not say which version it has")
        # A content server gets no login: its address is signed.
        own = urlsplit(said.location).netloc == urlsplit(self.server).netloc
        locks = self.cache / ".locks" / self.folder.name
        return Offer(
            said.location,
            said.size or 0,
            digests.parse_tag(tag) or self.sha256,
            # Whatever is there, hf_hub_download takes for the content.
            self.folder / "blobs" / tag,
            locks / f"{tag}.lock",
            build_hf_headers() if own else {},
        )

    def settle(self, offer: Offer) -> Path:
        """The path under its own name, once the content is in the cache."""
        from huggingface_hub import hf_hub_download

        path = Path(hf_hub_download(self.repo, self.file, revision=self.revision))
        if not path.is_symlink():  # where there are no links, it is a copy
            offer.target.unlink(missing_ok=True)
        return path

    def drop(self) -> None:
        """Delete it from the cache. Content that another revision has as well stays."""
        path = self.find_local()
        if path is None:
            return
        content = digests.resolve_content(path)
        path.unlink()
        if content == path:
            return
        links = (link for link in (self.folder / "snapshots").rglob("*") if link.is_symlink())
        if not any(digests.resolve_content(link) == content for link in links):
            content.unlink(missing_ok=True)

    def list_parts(self) -> list[Path]:
        """What stopped downloads from this repository have left."""
        return list((self.folder / "blobs").glob(f"*{PART}"))

    @property
    def by_hand(self) -> str:
        return (
            f"or copy the folder {self.folder.name} from the Hub cache of a machine that has it "
            f"into {self.cache}."
        )

    def describe_full_disk(self, why: str) -> WeightsError:
        """Of a disk without room; `why` begins the sentence."""
        return WeightsError(
            f"{why} does not fit into the Hub cache {self.cache}. Make room (`hf cache ls` shows "
            "what is there), or name a folder on another disk with HF_HUB_CACHE."
        )

    def explain(self, error: Exception) -> WeightsError:
        """What went wrong, in words."""
        from huggingface_hub.errors import (
            GatedRepoError,
            RemoteEntryNotFoundError,
            RepositoryNotFoundError,
            RevisionNotFoundError,
        )

        hub, page = self.server, f"{self.server}/{self.repo}"
        if isinstance(error, GatedRepoError):
            return WeightsError(
                f"{hub} gives {self.name} only to those who accepted its conditions. Accept them "
                f"at {page}, log in with `hf auth login`, and try again."
            )
        if isinstance(error, RepositoryNotFoundError):
            return WeightsError(
                f"{hub} has no repository {self.repo}, or keeps it private. Look at {page}; if it "
                "is private, log in with `hf auth login` and try again."
            )
        if isinstance(error, RemoteEntryNotFoundError | RevisionNotFoundError):
            return WeightsError(
                f"{hub} has no file {self.file} in {self.repo} at revision {self.revision!r}. Look "
                f"at {page}/tree/main for what it has, {self.by_hand}"
            )
        return _explain_common(
            self, error, "Hub cache", "Log in with `hf auth login`", "HF_HUB_CACHE"
        )


@dataclass(frozen=True)
class AtAddress:
    """The file at an https address, kept in torch's cache as torch.hub does."""

    address: str
    sha256: str = ""

    @property
    def name(self) -> str:
        return self.address

    @property
    def server(self) -> str:
        parts = urlsplit(self.address)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def cache(self) -> Path:
        home = os.getenv("TORCH_HOME") or Path(os.getenv("XDG_CACHE_HOME") or "~/.cache", "torch")
        return Path(home, "hub", "checkpoints").expanduser()

    @property
    def path(self) -> Path:
        return self.cache / PurePosixPath(urlsplit(self.address).path).name

    def find_local(self) -> Path | None:
        """Its path if it is in the cache."""
        return self.path if self.path.is_file() else None

    def ask(self) -> Offer:
        """What the server says of it. Raises what explain() understands."""
        from huggingface_hub import get_hf_file_metadata

        said = get_hf_file_metadata(self.address, token=False, timeout=PROBE)
        lock = self.cache / ".locks" / f"{self.path.name}.lock"
        return Offer(said.location, said.size or 0, self.sha256, self.path, lock)

    def settle(self, offer: Offer) -> Path:
        return offer.target

    def drop(self) -> None:
        """Delete it from the cache."""
        self.path.unlink(missing_ok=True)

    def list_parts(self) -> list[Path]:
        """What a stopped download has left."""
        part = self.path.with_name(self.path.name + PART)
        return [part] if part.is_file() else []

    @property
    def by_hand(self) -> str:
        return f"or copy {self.path.name} from another machine into {self.cache}."

    def describe_full_disk(self, why: str) -> WeightsError:
        """Of a disk without room; `why` begins the sentence."""
        return WeightsError(
            f"{why} does not fit into torch's cache {self.cache}. Make room, or name a folder on "
            "another disk with TORCH_HOME."
        )

    def explain(self, error: Exception) -> WeightsError:
        """What went wrong, in words."""
        return _explain_common(self, error, "cache", "Look whether it has moved", "TORCH_HOME")


def _explain_common(
    place: OnHub | AtAddress, error: Exception, cache: str, denied: str, variable: str
) -> WeightsError:
    """What may happen at either place. `denied` is the remedy where the server does not give it,
    `variable` names another folder for the cache."""
    from huggingface_hub.errors import (  # type: ignore[attr-defined]  # HTTPError is httpx's
        HfHubHTTPError,
        HTTPError,
        LocalEntryNotFoundError,
        OfflineModeIsEnabled,
    )

    missing = f"{place.name} is not in the {cache} {place.cache}, and"
    if isinstance(error, OfflineModeIsEnabled):
        return WeightsError(
            f"{missing} HF_HUB_OFFLINE forbids to download it. Unset HF_HUB_OFFLINE and try again, "
            f"{place.by_hand}"
        )
    if isinstance(error, HfHubHTTPError):
        status = error.response.status_code
        remedy = denied if status in (401, 403, 404, 410) else "Wait a little"
        return WeightsError(
            f"{place.server} answered {status} instead of sending {place.name}. {remedy} and try "
            f"again, {place.by_hand}"
        )
    if isinstance(error, HTTPError | ConnectionError | TimeoutError | LocalEntryNotFoundError):
        return WeightsError(
            f"{missing} {place.server} cannot be reached ({error or type(error).__name__}). Check "
            f"the connection, or the proxy, and try again, {place.by_hand} Models that ship with "
            "the app work without."
        )
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return place.describe_full_disk(f"The disk is full: {place.name}")
    return WeightsError(
        f"{place.name} cannot be kept in the {cache} {place.cache} ({error}). Make that folder "
        f"writable, or name another with {variable}."
    )
