"""The pretrained encoder: its shapes, how it is loaded, and what is frozen of it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from colorize_core.errors import WeightsError
from colorize_core.networks import pretrained
from colorize_core.networks.efficientnet_lite import EfficientNetLite, SameConv2d

# efficientnet-lite-pytorch's names of what an inverted residual holds.
LAYERS = {
    "expand.0": "_expand_conv",
    "expand.1": "_bn0",
    "depthwise.0": "_depthwise_conv",
    "depthwise.1": "_bn1",
    "project.0": "_project_conv",
    "project.1": "_bn2",
}


def as_published(encoder: EfficientNetLite) -> dict[str, Tensor]:
    """Its tensors as the published checkpoint has them, the first filters for three colours."""
    tensors = {}
    stages = dict(encoder.named_modules())
    names = [name for name in stages if name.startswith("stages.") and name.count(".") == 2]
    for number, block in enumerate(names):
        for name, tensor in stages[block].state_dict().items():
            layer, _, end = name.rpartition(".")
            tensors[f"_blocks.{number}.{LAYERS[layer]}.{end}"] = tensor
    for name, tensor in encoder.stem.state_dict().items():
        layer, end = name.split(".")
        tensors[f"{('_conv_stem', '_bn0')[int(layer)]}.{end}"] = tensor
    shares = torch.tensor([0.2, 0.3, 0.5]).view(1, 3, 1, 1)
    tensors["_conv_stem.weight"] = tensors["_conv_stem.weight"] * shares
    tensors["_conv_head.weight"] = torch.zeros(1280, 320, 1, 1)
    return tensors


@pytest.fixture(scope="module")
def encoder() -> EfficientNetLite:
    torch.manual_seed(0)
    return EfficientNetLite().eval()


def test_it_tells_three_sizes(encoder: EfficientNetLite) -> None:
    with torch.no_grad():
        found = encoder(torch.rand(1, 1, 96, 160) * 2 - 1)
    assert [tuple(x.shape) for x in found] == [
        (1, width, 96 // size, 160 // size)
        for width, size in zip((40, 112, 320), (8, 16, 32), strict=True)
    ]


@pytest.mark.parametrize(("kernel", "stride"), [(3, 1), (3, 2), (5, 1), (5, 2)])
@pytest.mark.parametrize("side", [7, 8])
def test_padding_is_tensorflows(kernel: int, stride: int, side: int) -> None:
    """As many cells as pixels over the stride, rounded up; the odd pixel is added at the end."""
    convolution = SameConv2d(1, 1, kernel, stride)
    convolution.weight.data.fill_(1)
    with torch.no_grad():
        counted = convolution(torch.ones(1, 1, side, side))[0, 0]
    cells = -(-side // stride)
    assert counted.shape == (cells, cells)
    padding = max(0, (cells - 1) * stride + kernel - side)
    first = kernel - padding // 2
    assert counted[0, 0] == first**2


def test_a_published_checkpoint_is_read_by_name(encoder: EfficientNetLite, tmp_path: Path) -> None:
    path = tmp_path / "published.pth"
    torch.save(as_published(encoder), path)
    torch.manual_seed(1)
    again = EfficientNetLite().eval()
    pretrained.load_efficientnet_lite(again, path)
    for name, tensor in encoder.state_dict().items():
        assert torch.allclose(again.state_dict()[name], tensor, atol=1e-6), name


@pytest.mark.parametrize("missing", ["_blocks.3._bn1.weight", "_conv_stem.weight"])
def test_another_checkpoint_is_refused(
    encoder: EfficientNetLite, tmp_path: Path, missing: str
) -> None:
    path = tmp_path / "published.pth"
    torch.save({k: v for k, v in as_published(encoder).items() if k != missing}, path)
    with pytest.raises(WeightsError, match="does not fit"):
        pretrained.load_efficientnet_lite(EfficientNetLite(), path)


def test_frozen_stages_stay_and_the_others_learn() -> None:
    torch.manual_seed(0)
    encoder = EfficientNetLite()
    encoder.freeze(3)
    encoder.train()
    before = {name: tensor.clone() for name, tensor in encoder.state_dict().items()}
    optimizer = torch.optim.SGD([p for p in encoder.parameters() if p.requires_grad], 0.1)
    sum(x.square().mean() for x in encoder(torch.rand(2, 1, 64, 64))).backward()
    optimizer.step()
    frozen = ("stem.", "stages.0.", "stages.1.", "stages.2.")
    for name, tensor in encoder.state_dict().items():
        assert torch.equal(tensor, before[name]) == name.startswith(frozen), name


def test_the_package_holds_the_weights_that_are_known() -> None:
    assert pretrained.find_efficientnet_lite().suffix == ".pth"
