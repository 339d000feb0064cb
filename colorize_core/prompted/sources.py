"""The files that prompted colorization needs: where they are, how large, under which licence.

Nothing is downloaded but by download(). Sizes are as the Hub's pages say them, which round.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from colorize_core import downloads
from colorize_core.cli.terminal import size
from colorize_core.errors import Cancelled, WeightsError
from colorize_core.prompted.settings import Settings

MB = 1_000_000


@dataclass(frozen=True)
class HubFile:
    name: str
    bytes: int = 0  # 0: small text
    itemsize: int = 2  # bytes that a number has in it


@dataclass(frozen=True)
class Source:
    """Files of one repository of the Hub."""

    title: str
    repo: str
    licence: str
    files: tuple[HubFile, ...]
    revision: str  # a commit

    @property
    def bytes(self) -> int:
        return sum(file.bytes for file in self.files)

    @property
    def card(self) -> str:
        """What to know before it is downloaded, in one line."""
        at = f"revision {self.revision[:8]}"
        return f"{self.title}: {self.repo} ({at}), {size(self.bytes)}, licence {self.licence}"

    @property
    def by_hand(self) -> str:
        """The command that fetches all of it into the Hub's cache."""
        names = " ".join(file.name for file in self.files)
        return f"hf download {self.repo} {names} --revision {self.revision}"

    def cached(self) -> dict[str, Path]:
        """Where those files are that are here, by name."""
        found = {f.name: downloads.cached(self.repo, f.name, self.revision) for f in self.files}
        return {name: path for name, path in found.items() if path}

    def folder(self) -> Path:
        """The folder with all of its files, laid out as in the repository. WeightsError if one is
        missing."""
        here = self.cached()
        missing = [file.name for file in self.files if file.name not in here]
        if missing:
            raise WeightsError(
                f"{self.title} is not complete on this machine: {self.repo} lacks "
                f"{', '.join(missing)}. Download it ({size(self.bytes)}, licence {self.licence}), "
                f"or copy the folder models--{self.repo.replace('/', '--')} of another machine's "
                "Hub cache into this one's."
            )
        name, path = next(iter(here.items()))
        return path.parents[name.count("/")]


BASE = Source(
    "Stable Diffusion 1.5",
    "stable-diffusion-v1-5/stable-diffusion-v1-5",
    "creativeml-openrail-m",
    (
        HubFile("model_index.json"),
        HubFile("feature_extractor/preprocessor_config.json"),
        HubFile("safety_checker/config.json"),
        HubFile("safety_checker/model.fp16.safetensors", 608 * MB),
        HubFile("scheduler/scheduler_config.json"),
        HubFile("text_encoder/config.json"),
        HubFile("text_encoder/model.fp16.safetensors", 246 * MB),
        HubFile("tokenizer/merges.txt"),
        HubFile("tokenizer/special_tokens_map.json"),
        HubFile("tokenizer/tokenizer_config.json"),
        HubFile("tokenizer/vocab.json"),
        HubFile("unet/config.json"),
        HubFile("unet/diffusion_pytorch_model.fp16.safetensors", 1720 * MB),
        HubFile("vae/config.json"),
        HubFile("vae/diffusion_pytorch_model.fp16.safetensors", 167 * MB),
    ),
    "451f4fe16113bff5a5d2269ed5ad43b0592e9a14",
)
_HALF = (
    HubFile("config.json"),
    HubFile("diffusion_pytorch_model.fp16.safetensors", 723 * MB),
)
CONTROLNETS = {
    "canny": Source(
        "ControlNet for Canny edges",
        "lllyasviel/control_v11p_sd15_canny",
        "openrail",
        _HALF,
        "1924abb7afb3f36fecd21f424c126f0195454c87",
    ),
    "brightness": Source(
        "ControlNet for brightness",
        "latentcat/control_v1p_sd15_brightness",
        "creativeml-openrail-m",
        (HubFile("config.json"), HubFile("diffusion_pytorch_model.safetensors", 1450 * MB, 4)),
        "8509361eb1ba89c03839040ed8c75e5f11bbd9c5",
    ),
    "softedge": Source(
        "ControlNet for soft edges",
        "lllyasviel/control_v11p_sd15_softedge",
        "openrail",
        _HALF,
        "b5bcad0c48e9b12f091968cf5eadbb89402d6bc9",
    ),
}
HED = Source(
    "Soft edge detector",
    "lllyasviel/Annotators",
    "other (see the repository's page)",
    (HubFile("ControlNetHED.pth", 29_400_000),),
    "e4b5a667872ddf7cae85eac2a0c67d97bc534c64",
)
FAST = Source(
    "LCM-LoRA, for few steps",
    "latent-consistency/lcm-lora-sdv1-5",
    "openrail++",
    (HubFile("pytorch_lora_weights.safetensors", 135 * MB),),
    "cf2fced511dbe7e26c8d1d397e728fbab875db4b",
)


CAPTIONER = Source(
    "Captioner BLIP",
    "Salesforce/blip-image-captioning-base",
    "bsd-3-clause",
    (
        HubFile("config.json"),
        HubFile("model.safetensors", 990 * MB, 4),
        HubFile("preprocessor_config.json"),
        HubFile("special_tokens_map.json"),
        HubFile("tokenizer.json"),
        HubFile("tokenizer_config.json"),
        HubFile("vocab.txt"),
    ),
    # The Hub's own conversion of the weights, which the main branch has as a pickle only.
    "9cfcdbcaccbcadb2b53b36d4b50042c4eeaa0c25",
)
FLUX = Source(
    "FLUX.2 [klein] 4B",
    "black-forest-labs/FLUX.2-klein-4B",
    "apache-2.0",
    (
        HubFile("model_index.json"),
        HubFile("scheduler/scheduler_config.json"),
        HubFile("text_encoder/config.json"),
        HubFile("text_encoder/generation_config.json"),
        HubFile("text_encoder/model-00001-of-00002.safetensors", 4970 * MB),
        HubFile("text_encoder/model-00002-of-00002.safetensors", 3080 * MB),
        HubFile("text_encoder/model.safetensors.index.json"),
        HubFile("tokenizer/added_tokens.json"),
        HubFile("tokenizer/chat_template.jinja"),
        HubFile("tokenizer/merges.txt"),
        HubFile("tokenizer/special_tokens_map.json"),
        HubFile("tokenizer/tokenizer.json"),
        HubFile("tokenizer/tokenizer_config.json"),
        HubFile("tokenizer/vocab.json"),
        HubFile("transformer/config.json"),
        HubFile("transformer/diffusion_pytorch_model.safetensors", 7750 * MB),
        HubFile("vae/config.json"),
        HubFile("vae/diffusion_pytorch_model.safetensors", 168 * MB),
    ),
    "e7b7dc27f91deacad38e78976d1f2b499d76a294",
)


def needed(settings: Settings) -> tuple[Source, ...]:
    """What has to be here to draw with these settings."""
    if settings.model == "flux2-klein":
        return (FLUX,)
    extra = (HED,) if settings.condition == "softedge" else ()
    return (BASE, CONTROLNETS[settings.condition], *extra, *((FAST,) if settings.fast else ()))


@dataclass(frozen=True)
class Missing:
    """What has to be downloaded, to be shown before it is asked for."""

    files: tuple[tuple[Source, HubFile], ...]

    def __bool__(self) -> bool:
        return bool(self.files)

    @property
    def bytes(self) -> int:
        """Of whole files; of one that was stopped, a part may be here."""
        return sum(file.bytes for _, file in self.files)

    @property
    def sources(self) -> tuple[Source, ...]:
        return tuple(dict.fromkeys(source for source, _ in self.files))


def missing(sources: Iterable[Source]) -> Missing:
    """Which files of these are not in the Hub's cache; asks nobody."""
    here = [(source, source.cached()) for source in sources]
    return Missing(
        tuple((s, file) for s, found in here for file in s.files if file.name not in found)
    )


@dataclass(frozen=True)
class Progress:
    file: str  # "owner/name/file"
    done: int  # bytes of all that is to be downloaded
    total: int  # the same, of whole files

    @property
    def share(self) -> float:
        return min(1.0, self.done / self.total) if self.total else 0.0


def download(
    what: Missing,
    report: Callable[[Progress], None] | None = None,
    stop: threading.Event | None = None,
) -> None:
    """Download the files, one after the other. What was stopped goes on where it was.

    Raises WeightsError, or Cancelled soon after `stop` is set."""
    before = 0
    for source, file in what.files:
        hear = partial(_hear, report, stop, f"{source.repo}/{file.name}", before, file, what.bytes)
        hear(0)
        downloads.fetch(source.repo, file.name, source.revision, hear)
        hear(file.bytes)
        before += file.bytes


def _hear(
    report: Callable[[Progress], None] | None,
    stop: threading.Event | None,
    name: str,
    before: int,
    file: HubFile,
    total: int,
    count: int,
) -> None:
    """`count` bytes of the file are here, `before` of those before it."""
    if stop and stop.is_set():
        raise Cancelled("The download was stopped. What is here already stays.")
    if report:
        report(Progress(name, before + min(count, file.bytes), total))


@dataclass(frozen=True)
class Folders:
    """Where the parts of a pipeline are."""

    base: Path
    controlnet: Path | None  # None: of a model that takes none
    lora: Path | None  # the file


def folders(settings: Settings) -> Folders:
    """What these settings need, from the Hub's cache. Raises WeightsError, never downloads."""
    if settings.model == "flux2-klein":
        return Folders(FLUX.folder(), None, None)
    lora = FAST.folder() / FAST.files[0].name if settings.fast else None
    return Folders(BASE.folder(), CONTROLNETS[settings.condition].folder(), lora)


def hed() -> Path:
    """The soft edge detector's file. Raises WeightsError, never downloads."""
    return HED.folder() / HED.files[0].name
