"""What can be verified: models, trunks under metrics, and pipelines that draw. Torch-free."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from colorize_core.downloads import checkpoints
from colorize_core.downloads.catalogue import DOWNLOADS, Download
from colorize_core.errors import OptionError
from colorize_core.metrics import METRICS
from colorize_core.metrics.sets import SET_METRICS
from colorize_core.models.registry import cards
from colorize_core.prompted.models import MODELS
from colorize_core.prompted.settings import PromptSettings
from colorize_core.prompted.sources import list_needed

BUNDLED, PUBLISHED, TRUNKS, PIPELINES = GROUPS = ("bundled", "published", "trunks", "pipelines")
DEFAULT = (BUNDLED, PUBLISHED, TRUNKS, "sd15")  # all but FLUX.2, of 16 GB


@dataclass(frozen=True)
class Subject:
    """Files that belong together, and what they are for: `group` is one of GROUPS."""

    name: str
    group: str
    downloads: tuple[Download, ...]

    @property
    def is_model(self) -> bool:
        return self.group in (BUNDLED, PUBLISHED)

    def list_missing(self) -> tuple[Download, ...]:
        """What of it has to be downloaded."""
        return tuple(each for each in self.downloads if checkpoints.list_missing(each.files))

    def read_hashes(self) -> dict[str, str]:
        """File -> sha256 of its content; of the files that are on this machine. Reads all of it."""
        found = {}
        for download in self.downloads:
            for file in download.files:
                if path := checkpoints.find_local(file):
                    name = f"{file.repo}/{file.path}" if file.repo else file.path
                    found[name] = _hash_file(path)
        return found


def fingerprint(hashes: Iterable[str]) -> str:
    """Sixteen digits of one hash, or of all of them together; "" of none."""
    every = sorted(hashes)
    whole = every[0] if len(every) == 1 else hashlib.sha256(" ".join(every).encode()).hexdigest()
    return whole[:16] if every else ""


def _hash_file(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 22):
            digest.update(block)
    return digest.hexdigest()


def list_subjects() -> tuple[Subject, ...]:
    """Everything there is, in the order in which it is verified."""
    models = [
        Subject(
            card.name,
            PUBLISHED if card.name in DOWNLOADS else BUNDLED,
            (
                DOWNLOADS.get(card.name)
                or Download(card.name, card.title, card.licence, card.source, card.weights),
            ),
        )
        for card in cards(downloads=True)
    ]
    names = dict.fromkeys([*(m.download for m in METRICS), *(m.download for m in SET_METRICS)])
    trunks = [Subject(name, TRUNKS, (DOWNLOADS[name],)) for name in names if name]
    pipelines = [
        Subject(name, PIPELINES, list_needed(PromptSettings(**card.defaults)))
        for name, card in MODELS.items()
    ]
    return (*models, *trunks, *pipelines)


def choose(names: Sequence[str]) -> tuple[Subject, ...]:
    """The subjects of these names, and of groups; DEFAULT for no name. Raises OptionError."""
    there = list_subjects()
    known = (*GROUPS, *(subject.name for subject in there))
    if unknown := [name for name in names if name not in known]:
        raise OptionError(f"There is no {', '.join(unknown)}. There are: {', '.join(known)}.")
    asked = names or DEFAULT
    return tuple(each for each in there if each.name in asked or each.group in asked)
