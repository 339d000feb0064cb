"""What a training is shown: sources in balance, and the gray of old emulsions."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from colorize_core.imaging.color import rgb_to_lab
from colorize_core.training import data
from colorize_core.training.aging import expose
from colorize_core.training.data import Batches, Photos, hold
from colorize_core.training.optimizer import MuonAdamW

CPU = torch.device("cpu")


def shares(balance: float) -> list[float]:
    """How often each of two sources is drawn: one has 90 photographs in two folders, one has 10."""
    labels = torch.tensor([0] * 60 + [1] * 30 + [2] * 10)
    pixels = labels.view(-1, 1, 1, 1).expand(-1, 3, 8, 8).to(torch.uint8)
    photos = Photos(pixels.contiguous(), labels, ("large/one", "large/two", "small"))
    batches = Batches(photos, 20, 0, CPU, balance)
    drawn = torch.cat([batches.draw(8, 1.0).labels for _ in range(200)])
    return [float((drawn < 2).float().mean()), float((drawn == 2).float().mean())]


def test_a_folder_that_cannot_be_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "closed").mkdir()
    (tmp_path / "a.jpg").touch()
    assert len(data.find_photos([tmp_path])) == 1
    scandir = os.scandir

    def scan(path: str) -> Any:
        if os.path.basename(path) == "closed":
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", scan)
    with pytest.raises(PermissionError):
        data.find_photos([tmp_path])


def test_small_sources_are_drawn_more_often_where_that_is_asked_for() -> None:
    assert abs(shares(0.0)[1] - 0.1) < 0.02
    assert abs(shares(1.0)[1] - 0.5) < 0.03
    assert 0.1 < shares(0.3)[1] < 0.3


def test_an_old_emulsion_sees_blue_brighter_than_red() -> None:
    torch.manual_seed(0)
    photos = torch.zeros(64, 3, 32, 32)
    photos[:, 0, :, :16], photos[:, 2, :, 16:] = 0.8, 0.8  # red, then blue
    own = expose(photos, 0.0)
    assert torch.equal(own, rgb_to_lab(photos, 1)[:, :1])
    assert (own[..., :16].mean((1, 2, 3)) > own[..., 16:].mean((1, 2, 3))).all()
    old = expose(photos, 1.0)
    assert old.shape == own.shape
    assert 0 <= float(old.min()) <= float(old.max()) <= 100.01
    darker = old[..., 2:14].mean((1, 2, 3)) < old[..., 18:30].mean((1, 2, 3))
    assert 0.5 < darker.float().mean() < 1, "but for what is nearly panchromatic"


def test_some_photographs_stay_as_they_are() -> None:
    torch.manual_seed(0)
    photos = torch.rand(200, 3, 16, 16)
    own = rgb_to_lab(photos, 1)[:, :1]
    touched = (expose(photos, 0.3) - own).abs().amax((1, 2, 3)) > 1e-3
    assert 0.2 < touched.float().mean() < 0.4


def test_what_is_pretrained_has_a_rate_of_its_own_and_what_is_frozen_none() -> None:
    network = nn.ModuleDict({name: nn.Linear(4, 4) for name in ("encoder", "stem", "body", "cold")})
    network["cold"].requires_grad_(False)
    rates = {"pretrained": "encoder.", "pretrained_lr": 1e-4}
    optimizer = MuonAdamW(network, 1e-3, 0.0, ("stem",), **rates)  # type: ignore[arg-type]
    groups = [(group["lr"], group["params"]) for group in optimizer.param_groups]
    ours = {id(p): lr for lr, parameters in groups for p in parameters}
    for name, part in network.items():
        expected = {"encoder": 1e-4, "cold": None}.get(name, 1e-3)
        assert [ours.get(id(p)) for p in part.parameters()] == [expected] * 2, name


def some_photos() -> Photos:
    """12 random photographs, each of a kind of its own."""
    pixels = torch.randint(0, 256, (12, 3, 16, 16), generator=torch.Generator().manual_seed(0))
    return Photos(pixels.to(torch.uint8), torch.arange(12), tuple("abcdefghijkl"))


def test_a_crop_is_a_window_of_its_photograph_mirrored_or_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Batches, "_uniform", lambda batches: 0.0)  # the smallest crop
    photos = some_photos()
    pictures, labels = Batches(photos, 12, 0, CPU).draw(10, least_scale=10 / 16)
    assert sorted(labels.tolist()) == list(range(12))
    ways, places = set(), set()
    for picture, label in zip((pictures * 255).round(), labels, strict=True):
        windows = photos.pixels[label].unfold(1, 10, 1).unfold(2, 10, 1)  # (3, 7, 7, 10, 10)
        windows = windows.permute(1, 2, 0, 3, 4).float()
        for mirrored, seen in enumerate((picture, picture.flip(-1))):
            for place in (windows == seen).all(-1).all(-1).all(-1).nonzero().tolist():
                ways.add(mirrored)
                places.add(tuple(place))
    assert ways == {0, 1}
    assert len(places) > 6, "each photograph at a place of its own"


def test_data_stays_where_it_is_if_a_gpu_has_too_little_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tensors = [torch.zeros(size, dtype=torch.uint8) for size in (1000, 500)]
    moved: list[Any] = []
    monkeypatch.setattr(torch.Tensor, "to", lambda tensor, device: moved.append(device) or tensor)
    enough = round(1500 / data.MOST_HELD)
    for free, count in ((enough - 1, 0), (enough, 2)):
        monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device, free=free: (free, free))
        held = hold(tensors, torch.device("cuda"))
        assert all(one is other for one, other in zip(held, tensors, strict=True))
        assert len(moved) == count, "all of them or none"


@pytest.mark.gpu
@pytest.mark.parametrize("room", [True, False])
def test_photographs_are_held_by_a_gpu_with_room_for_them(
    monkeypatch: pytest.MonkeyPatch, room: bool
) -> None:
    if not room:
        monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (0, 0))
    batches = Batches(some_photos(), 6, 0, torch.device("cuda"))
    assert batches.photos.is_cuda == batches.labels.is_cuda == room
    drawn, expected = batches.draw(8), Batches(some_photos(), 6, 0, CPU).draw(8)
    for here, there in zip(drawn, expected, strict=True):
        assert here.is_cuda
        assert torch.allclose(here.cpu(), there, atol=1e-5)
