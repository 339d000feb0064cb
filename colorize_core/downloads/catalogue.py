"""What of weights there is, here or to be had: every model, and what else is downloaded once."""

from __future__ import annotations

from dataclasses import dataclass

from colorize_core.cards import WeightFile

MB = 1_000_000


@dataclass(frozen=True)
class Download:
    """Files that belong together, under one name."""

    name: str  # as in `python -m colorize_core weights fetch NAME`
    title: str  # for people
    licence: str
    source: str  # address of a page, or of the file itself; empty for what is at home here
    files: tuple[WeightFile, ...]

    @property
    def bundled(self) -> bool:
        """Whether all of it ships with the repository."""
        return all(file.bundled for file in self.files)

    @property
    def bytes(self) -> int:
        """As far as the sizes are known; of some only about."""
        return sum(file.bytes for file in self.files)


def from_hub(
    name: str, title: str, licence: str, repo: str, files: dict[str, int], revision: str = ""
) -> Download:
    """Files of one repository of the Hub: names and bytes, 0 for small text."""
    return Download(
        name,
        title,
        licence,
        f"https://huggingface.co/{repo}",
        tuple(WeightFile(file, "", size, repo, revision) for file, size in files.items()),
    )


def from_torchvision(name: str, title: str, file: str, size: int) -> Download:
    """A file of torchvision's, which has the first digits of its sha256 in its name."""
    address = f"https://download.pytorch.org/models/{file}"
    found = WeightFile(file, digits(file), size, address=address)
    return Download(name, title, "BSD-3-Clause", address, (found,))


def digits(name: str) -> str:
    """The first ones of the sha256 that torchvision writes into a file's name."""
    return name.rpartition("-")[2].partition(".")[0]


# As colorize_core.networks.pretrained has them, which needs torch.
BACKBONES = tuple(
    from_hub(name, f"{title}, to train on", "apache-2.0", repo, {"model.safetensors": size * MB})
    for name, title, repo, size in (
        ("resnet18", "ResNet-18", "timm/resnet18.a1_in1k", 47),
        ("resnet50", "ResNet-50", "timm/resnet50.a1_in1k", 102),
        ("resnet101", "ResNet-101", "timm/resnet101.a1h_in1k", 179),
        ("vit-b16", "ViT-B/16", "google/vit-base-patch16-224-in21k", 346),
    )
)


def every() -> tuple[Download, ...]:
    """All of them, the models first; loads no model and downloads nothing."""
    from colorize_core.metrics import trunks
    from colorize_core.models.registry import cards, tools
    from colorize_core.prompted import downloads as prompted
    from colorize_core.selective import segmenters

    models = (
        Download(card.name, card.title, card.licence, card.source, card.weights)
        for card in (*cards(downloads=True), *tools())
    )
    others = (prompted.DOWNLOADS, segmenters.DOWNLOADS, trunks.DOWNLOADS, BACKBONES)
    return (*models, *(each for group in others for each in group))
