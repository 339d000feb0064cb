"""The network that finds people."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest
import torch
from hand_masks import photograph, truth

from colorize_core import selective
from colorize_core.cards import WeightFile
from colorize_core.downloads import checkpoints
from colorize_core.errors import WeightsError
from colorize_core.imaging import image
from colorize_core.models import autochrome, people
from colorize_core.networks.autochrome import Autochrome, AutochromeConfig
from colorize_core.networks.segmenter import Finder, Segmenter, SegmenterConfig, look
from colorize_core.selective import people as finder
from colorize_core.selective.people import PEOPLE


def test_it_reads_what_the_colorizer_sees():
    torch.manual_seed(0)
    trunk = Autochrome(AutochromeConfig(widths=(8, 16, 24), depths=(1, 1, 1), heads=2)).eval()
    network = Segmenter(SegmenterConfig(inside=(8, 16, 24), width=8)).eval()
    light = 100 * torch.rand(2, 1, 64, 96)
    with torch.no_grad():
        seen = look(trunk, light)
        assert [tuple(x.shape) for x in seen] == [(2, 8, 8, 12), (2, 16, 4, 6), (2, 24, 2, 3)]
        nothing = torch.zeros(2, 3, 64, 96)
        assert torch.equal(trunk.head(seen[0]), trunk(light, nothing[:, :2], nothing[:, 2:]))
        logits = Finder(trunk, network)(light)
    assert logits.shape == (2, 1, 8, 12)


def test_other_weights_of_the_colorizer_are_refused(monkeypatch):
    other = replace(autochrome.CARD, weights=(WeightFile("autochrome/other", "0" * 64, 1),))
    monkeypatch.setattr(autochrome, "CARD", other)
    with pytest.raises(WeightsError, match=r"other weights of autochrome.*training people"):
        people.load("cpu")


def test_the_bundled_network_is_what_its_card_says():
    file = people.CARD.weights[0]
    data = checkpoints.find(file).read_bytes()
    assert (len(data), hashlib.sha256(data).hexdigest()) == (file.bytes, file.sha256)
    assert sum(p.numel() for p in people.load("cpu").parameters()) == people.CARD.parameters


class Where(torch.nn.Module):
    """Finds somebody where it is bright."""

    def forward(self, light):
        return torch.nn.functional.avg_pool2d(light - 50, 8)


@pytest.mark.parametrize("shape", [(96, 160), (301, 97), (40, 40)])
def test_masks_lie_where_the_network_says(shape, monkeypatch):
    monkeypatch.setattr(finder, "_load_finder", lambda device: Where())
    photo = np.full((*shape, 3), 20, np.uint8)
    photo[: shape[0] // 2, : shape[1] // 4] = 240
    (layer,) = selective.find_classes(photo, network=PEOPLE.name, device="cpu")
    bright = photo[..., 0] > 128
    assert layer.name == "person"
    assert layer.mask.shape == shape
    assert ((layer.mask > 0.5) == bright).mean() > 0.97
    assert layer.share == pytest.approx(bright.mean(), abs=0.03)


def test_where_nobody_is_there_is_no_layer(monkeypatch):
    monkeypatch.setattr(finder, "_load_finder", lambda device: Where())
    dark = np.full((60, 80, 3), 20, np.uint8)
    assert selective.find_classes(dark, network=PEOPLE.name, device="cpu") == ()


def test_it_needs_no_download_and_reports_its_progress(monkeypatch):
    monkeypatch.setattr(finder, "_load_finder", lambda device: Where())
    assert selective.count_missing_bytes(PEOPLE.name) == 0
    told: list[float] = []
    selective.find_classes(
        photograph("camera"), network=PEOPLE.name, device="cpu", progress=told.append
    )
    assert told == sorted(told)
    assert (told[0], told[-1]) == (0, 1)


@pytest.mark.parametrize("name", ["astronaut", "camera"])
def test_people_are_found(name):
    (layer,) = selective.find_classes(photograph(name), network=PEOPLE.name, device="cpu")
    found, true = layer.mask > 0.5, truth(name)
    assert (found & true).sum() / (found | true).sum() > 0.4


@pytest.mark.parametrize("name", ["cat-gray.jpg", "coffee-colour.jpg"])
def test_what_is_no_person_is_left_alone(name):
    photo = image.read(f"examples/{name}").pixels
    layers = selective.find_classes(photo, network=PEOPLE.name, device="cpu")
    assert sum(layer.share for layer in layers) < 0.05
