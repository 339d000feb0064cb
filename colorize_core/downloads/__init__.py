"""Files that do not ship with the repository: from the Hugging Face Hub or another address,
downloaded once."""

from __future__ import annotations

from pathlib import Path

from colorize_core.downloads.places import AtAddress, OnHub
from colorize_core.downloads.transfer import Report, get

__all__ = ["AtAddress", "OnHub", "Report", "cached", "fetch"]


def cached(repo: str, name: str, revision: str = "main") -> Path | None:
    """The path of the file if it is in the Hub's cache, without asking the Hub."""
    return OnHub(repo, name, revision).here()


def fetch(
    repo: str, name: str, revision: str = "main", report: Report | None = None, sha256: str = ""
) -> Path:
    """The path of the file `name` of a model repository "owner/name". One that is whole in the
    Hub's cache is used as it is, without asking the Hub, so it is found offline too; another is
    downloaded, with a progress bar on stderr, from where it was stopped the last time.

    `sha256`: hexadecimal, or its first digits; without, the file is checked against the Hub's own.
    WeightsError if it can neither be found nor downloaded, with what to do about it."""
    return get(OnHub(repo, name, revision, sha256), report)
