"""Files that do not ship with the repository: from the Hugging Face Hub, downloaded once."""

from __future__ import annotations

import errno
import shutil
from contextlib import suppress
from pathlib import Path

from colorize_core.errors import WeightsError

PROBE = 10.0  # seconds that the Hub has to answer whether it has the file


def fetch(repo: str, name: str, revision: str = "main") -> Path:
    """The path of the file `name` of a model repository "owner/name". One that is in the Hub's
    cache is used as it is, without asking the Hub, so it is found offline too; another is
    downloaded, with a progress bar on stderr.

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

    with suppress(LocalEntryNotFoundError):
        return Path(hf_hub_download(repo, name, revision=revision, local_files_only=True))
    hub, cache = constants.ENDPOINT, Path(constants.HF_HUB_CACHE)
    file = f"{repo}/{name}"
    by_hand = (
        f"or copy the folder models--{repo.replace('/', '--')} from the Hub cache of a machine "
        f"that has it into {cache}."
    )
    try:
        # hf_hub_download alone would go on trying an unreachable Hub for half a minute.
        url = hf_hub_url(repo, name, revision=revision)
        _make_sure_of_room(file, get_hf_file_metadata(url, timeout=PROBE).size or 0, cache)
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
