"""Our networks from and to the Hub: from_pretrained, save_pretrained, push_to_hub."""

import importlib
import json
import logging

import pytest
import torch
from hub_server import serving
from safetensors import safe_open

import colorize_core
from colorize_core.downloads import checkpoints
from colorize_core.errors import WeightsError
from colorize_core.models.registry import tools
from colorize_core.networks.autochrome import Autochrome, AutochromeConfig
from colorize_core.networks.cnn import Cnn
from colorize_core.networks.published import Published

BUNDLED = [
    card for card in (*colorize_core.cards(), *tools()) if all(f.bundled for f in card.weights)
]
SMALL = AutochromeConfig(widths=(8, 16, 24), depths=(1, 1, 1), heads=2)


@pytest.fixture
def served(tmp_path, monkeypatch):
    with serving(tmp_path / "hub", tmp_path / "cache", monkeypatch) as server:
        yield server


@pytest.mark.parametrize("card", BUNDLED, ids=lambda card: card.name)
def test_every_bundled_network_comes_from_its_folder_as_from_load(card, caplog):
    if card in tools():
        network = importlib.import_module(f"colorize_core.models.{card.name}").load("cpu")
    else:
        network = colorize_core.load(card.name, "cpu").network
    assert isinstance(network, Published)
    with caplog.at_level(logging.ERROR):  # it warns that there is no config.json
        again = type(network).from_pretrained(checkpoints.BUNDLED / card.name)
    assert again.config == network.config
    assert not again.training
    state = network.state_dict()
    assert state.keys() == again.state_dict().keys()
    assert all(torch.equal(value.cpu(), state[key]) for key, value in again.state_dict().items())


def test_what_is_saved_comes_back_from_the_hub(served):
    network = Autochrome(SMALL).eval()
    network.save_pretrained(served.folder / "someone" / "net")
    folder = served.folder / "someone" / "net"
    assert sorted(p.name for p in folder.iterdir()) == [
        "README.md",
        "config.json",
        "encoder.safetensors",
        "model.safetensors",
    ]
    with safe_open(folder / "model.safetensors", "pt") as file:
        assert json.loads(file.metadata()["config"])["widths"] == [8, 16, 24]
    assert "library_name: colorize_core" in (folder / "README.md").read_text()
    again = Autochrome.from_pretrained("someone/net")
    assert again.config == SMALL
    for key, value in network.state_dict().items():
        there = again.state_dict()[key].float()
        assert torch.allclose(there, value.float(), rtol=1.2 * 2**-8, atol=2**-21), key
    pinned = Autochrome.from_pretrained("someone/net", revision="f" * 40)
    assert served.revisions["someone/net"] == "f" * 40
    assert pinned.config == SMALL


def test_a_file_of_another_network_is_refused(served, tmp_path):
    folder = served.folder / "someone" / "net"
    Cnn().save_pretrained(folder)
    with pytest.raises(WeightsError, match="does not fit its network"):
        Autochrome.from_pretrained("someone/net")
    (folder / "model.safetensors").unlink()
    with pytest.raises(WeightsError, match=r"model\.safetensors"):
        Cnn.from_pretrained(folder)


def test_misspelt_options_are_errors(served):
    Cnn().save_pretrained(served.folder / "someone" / "net")
    with pytest.raises(TypeError, match="map_locatoin"):
        Cnn.from_pretrained("someone/net", map_locatoin="cpu")
