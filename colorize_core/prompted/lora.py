"""LoRA files of the Hub, by name and revision: what is known of one before it is downloaded.
Torch-free.

A LoRA (Hu et al., 2021, https://arxiv.org/abs/2106.09685) is a small addition to a model's weights
that teaches it a subject or a look.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from colorize_core.cards import WeightFile
from colorize_core.downloads import checkpoints, places
from colorize_core.downloads.catalogue import ODD, Download
from colorize_core.errors import OptionError, WeightsError

if TYPE_CHECKING:
    from collections.abc import Iterable

USUAL = "pytorch_lora_weights.safetensors"  # what diffusers calls the file
CARD = "README.md"  # whose front matter names the licence
_PART = r"[\w.-]+"
_TYPED = re.compile(
    rf"(?:https?://[^/]+/)?(?P<repo>{_PART}/{_PART})(?:/(?P<file>[^@]+\.safetensors))?"
    r"(?:@(?P<revision>[\w./-]+))?"
)
_PINNED = re.compile(r"[0-9a-f]{40}")
_found: dict[str, Download] = {}  # what was looked up, by its pinned name


@dataclass(frozen=True)
class Lora:
    """A file of a repository. `file`: "" for the only one; `revision`: "" for the newest."""

    repo: str  # "owner/name"
    file: str = ""
    revision: str = ""

    def __str__(self) -> str:
        """As parse() takes it."""
        file = f"/{self.file}" if self.file else ""
        return f"{self.repo}{file}{f'@{self.revision}' if self.revision else ''}"

    @property
    def pinned(self) -> bool:
        """Whether file and commit are known, so that the same weights are meant for ever."""
        return bool(self.file and _PINNED.fullmatch(self.revision))


def parse(text: str) -> Lora:
    """Read "owner/name", "owner/name@revision" or "owner/name/folder/file.safetensors@revision",
    also as an address of the Hub's page. Raises OptionError."""
    found = _TYPED.fullmatch(text.strip())
    if found is None:
        raise OptionError(
            f"{text!r} names no LoRA. Type owner/name, as on the Hub, and if need be the file and "
            "the revision: owner/name/file.safetensors@revision. Only safetensors are taken."
        )
    return Lora(found["repo"], found["file"] or "", found["revision"] or "")


def check(text: str) -> None:
    """Raises OptionError where that is not a LoRA whose file and commit are known; "" is none."""
    if text and not parse(text).pinned:
        raise OptionError(
            f"The LoRA {text} is not looked up yet: its file, size and licence are not known. "
            "Look it up first."
        )


def look_up(text: str) -> tuple[Lora, str]:
    """Ask the Hub for the file and the commit that are meant; nothing is downloaded. Returns the
    pinned LoRA and the models that its page says it was made for, "" where it says none.

    Raises OptionError where nothing or too much fits, WeightsError where the Hub does not tell."""
    from huggingface_hub import HfApi, constants
    from huggingface_hub.errors import HTTPError  # type: ignore[attr-defined]  # httpx's

    asked = parse(text)
    try:
        info = HfApi(constants.ENDPOINT).model_info(
            asked.repo,
            revision=asked.revision or None,
            files_metadata=True,
            timeout=places.PROBE,
        )
    except (HTTPError, OSError) as error:
        place = places.OnHub(asked.repo, asked.file or USUAL, asked.revision or "main")
        raise place.explain(error) from error
    files = {each.rfilename: each for each in info.siblings or ()}
    name = _choose_file(asked, files)
    if not info.sha:
        raise WeightsError(f"The Hub tells no commit of {asked.repo}. Try again later.")
    pinned = Lora(asked.repo, name, info.sha)
    stored = files[name].lfs
    weights = WeightFile(
        name, stored.sha256 if stored else "", files[name].size or 0, asked.repo, info.sha
    )
    card = (WeightFile(CARD, "", 0, asked.repo, info.sha),) if CARD in files else ()
    _found[str(pinned)] = _describe(pinned, (weights, *card), _read_licence(info.card_data))
    made_for = info.card_data.base_model if info.card_data else None
    return pinned, ", ".join([made_for] if isinstance(made_for, str) else made_for or ())


def _choose_file(asked: Lora, names: Iterable[str]) -> str:
    fitting = sorted(name for name in names if name.endswith(".safetensors"))
    if asked.file:
        if asked.file not in fitting:
            raise OptionError(
                f"{asked.repo} has no {asked.file}. It has: {', '.join(fitting) or 'none'}."
            )
        return asked.file
    if USUAL in fitting:
        return USUAL
    if len(fitting) == 1:
        return fitting[0]
    if not fitting:
        raise OptionError(f"{asked.repo} has no safetensors, and nothing else is taken.")
    raise OptionError(
        f"{asked.repo} has {len(fitting)} files. Name one of them: {asked.repo}/{fitting[0]}; "
        f"{', '.join(fitting)}."
    )


def find(text: str) -> Download:
    """A pinned one: as it was looked up, else as it is in the Hub's cache. Asks nobody. Raises
    OptionError as check() does."""
    check(text)
    if text in _found:
        return _found[text]
    pinned = parse(text)
    weights = WeightFile(pinned.file, "", 0, pinned.repo, pinned.revision)
    card = WeightFile(CARD, "", 0, pinned.repo, pinned.revision)
    path, page = checkpoints.find_local(weights), checkpoints.find_local(card)
    size = path.stat().st_size if path else 0
    licence = ODD
    if page:
        from huggingface_hub import ModelCard

        licence = _read_licence(ModelCard.load(page, ignore_metadata_errors=True).data)
    sized = WeightFile(pinned.file, "", size, pinned.repo, pinned.revision)
    return _describe(pinned, (sized, card) if page else (sized,), licence)


def _describe(pinned: Lora, files: tuple[WeightFile, ...], licence: str) -> Download:
    page = f"https://huggingface.co/{pinned.repo}"
    return Download(str(pinned), f"LoRA {pinned.repo}", licence, page, files)


def _read_licence(card: Any) -> str:
    """From a page's front matter: its own name where the Hub has none for it."""
    if card is None:
        return ODD
    named = card.get("license")
    named = card.get("license_name") or ODD if named == "other" else named
    return str(named or ODD)
