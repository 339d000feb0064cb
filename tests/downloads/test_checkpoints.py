"""Weight files: missing, damaged, of another network."""

import dataclasses
import zlib
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

import colorize_core
from colorize_core import devices
from colorize_core.cards import WeightFile
from colorize_core.downloads import checkpoints
from colorize_core.errors import DeviceError, UnknownModelError, WeightsError
from colorize_core.networks.autochrome import Autochrome, AutochromeConfig
from colorize_core.training.engine import save_weights

SMALL = AutochromeConfig(widths=(8, 16, 24), depths=(1, 1, 1), heads=2)


@pytest.mark.parametrize("file", [f for card in colorize_core.cards() for f in card.weights])
def test_bundled_files_are_whole_and_as_the_card_says(file):
    assert checkpoints.find(file).stat().st_size == file.bytes


def test_a_card_says_what_is_to_be_downloaded():
    bundled = WeightFile("a.safetensors", "1" * 64, 10)
    on_hub = WeightFile("b.bin", "", 200, "owner/name", "c" * 40)
    elsewhere = WeightFile("d.pth", "e" * 8, 3000, address="https://example.org/d.pth")
    assert [file.bundled for file in (bundled, on_hub, elsewhere)] == [True, False, False]
    card = dataclasses.replace(colorize_core.cards()[0], weights=(bundled, on_hub, elsewhere))
    assert card.download == 3200
    assert card.digest == "11111111+cccccccc+eeeeeeee"
    assert colorize_core.cards()[0].download == 0


def test_missing_and_damaged_files_are_named(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoints, "BUNDLED", tmp_path)
    file = WeightFile("model.safetensors", "0" * 64, 3)
    with pytest.raises(WeightsError, match="is missing"):
        checkpoints.find(file)
    (tmp_path / "model.safetensors").write_bytes(b"abc")
    with pytest.raises(WeightsError, match="is damaged or of another version"):
        checkpoints.find(file)


def network_tensors(network):
    return {name for name in network.state_dict() if not name.endswith("num_batches_tracked")}


def test_a_saved_network_loads_as_it_was(tmp_path):
    network = Autochrome(SMALL)
    path = tmp_path / "model.safetensors"
    save_weights(network, path, {"seen": 1})
    loaded = checkpoints.load_network(path, Autochrome, AutochromeConfig)
    assert loaded.config == SMALL
    for name, value in network.state_dict().items():
        there, expected = loaded.state_dict()[name].float(), value.float()
        assert torch.allclose(there, expected, rtol=1.2 * 2**-8, atol=2**-21), name
    assert not list(tmp_path.glob("*.tmp"))
    assert not any(name.startswith("encoder.") for name in load_file(path))
    assert all(name.startswith("encoder.") for name in load_file(tmp_path / "encoder.safetensors"))
    save_weights(Autochrome(SMALL), tmp_path / "last.safetensors", {})
    assert checkpoints.read_tensors(path, Autochrome).keys() == network_tensors(network)
    assert (tmp_path / "last-encoder.safetensors").is_file(), "each has its own beside it"
    whole = checkpoints.load_network(path, Autochrome, AutochromeConfig).state_dict()
    assert torch.equal(whole["encoder.stem.0.weight"], loaded.state_dict()["encoder.stem.0.weight"])
    (tmp_path / "encoder.safetensors").unlink()
    with pytest.raises(WeightsError, match="encoder"):
        checkpoints.load_network(path, Autochrome, AutochromeConfig)


def test_saved_weights_are_rounded_so_that_they_pack_well(tmp_path):
    network = torch.nn.Linear(256, 256)
    network.config = SMALL
    path = tmp_path / "model.safetensors"
    checkpoints.save_network(network, path, {})
    (weight, rounded) = (network.weight.detach(), load_file(path)["weight"])
    assert not (rounded.view(torch.int16) & 0b111).any()
    assert (rounded - weight).mean().abs() < 1e-6, "rounded to the nearest, not down"
    save_file({"weight": weight.half()}, tmp_path / "half.safetensors")
    (packed, before) = (
        len(zlib.compress(file.read_bytes())) for file in (path, tmp_path / "half.safetensors")
    )
    assert packed < 0.87 * before


def test_files_that_do_not_fit_are_refused(tmp_path):
    path = tmp_path / "model.safetensors"
    save_weights(Autochrome(SMALL), path, {})
    other = dataclasses.make_dataclass("Other", [("depth", int, 1)], frozen=True)
    with pytest.raises(WeightsError, match="does not fit"):
        checkpoints.load_network(path, Autochrome, other)
    save_file({"stem.1.weight": torch.zeros(1)}, path)
    with pytest.raises(WeightsError, match="does not fit"):
        checkpoints.load_network(path, Autochrome, AutochromeConfig)
    path.write_bytes(b"not a weight file")
    with pytest.raises(WeightsError, match="does not fit"):
        checkpoints.load_network(path, Autochrome, AutochromeConfig)


def test_unknown_names_answer_with_the_known_ones():
    with pytest.raises(UnknownModelError, match="autochrome"):
        colorize_core.load("autocrome")
    with pytest.raises(DeviceError, match="no-such-device"):
        colorize_core.load("autochrome", "no-such-device")


def test_auto_picks_a_device_that_works():
    assert torch.zeros(1, device=devices.pick("auto")).item() == 0


def test_checkpoints_are_read_without_running_what_is_in_them(tmp_path):
    path = tmp_path / "published.pth"
    for whole in (
        {"params": {"a": torch.ones(2)}},
        {"a": torch.ones(2)},
        {"model": {"a": torch.ones(2)}, "opt": {"groups": [slice(1, 2)]}},
    ):
        torch.save(whole, path)
        assert {k: v.tolist() for k, v in checkpoints.load_checkpoint(path).items()} == {
            "a": [1, 1]
        }
    save_file({"a": torch.ones(2)}, tmp_path / "published.safetensors")
    assert list(checkpoints.load_checkpoint(tmp_path / "published.safetensors")) == ["a"]
    for whole, words in (
        ({"a": Path("x")}, "cannot be read"),
        ({"a": 3}, r"no tensor: \['a'\]"),
        ([1], "no tensors by name"),
    ):
        torch.save(whole, path)
        with pytest.raises(WeightsError, match=words):
            checkpoints.load_checkpoint(path)
    path.write_bytes(b"not a checkpoint")
    with pytest.raises(WeightsError, match="cannot be read"):
        checkpoints.load_checkpoint(path)


@pytest.mark.filterwarnings("ignore")  # torch guesses what the rest may be
@pytest.mark.parametrize("zipped", [True, False])
def test_damaged_checkpoints_are_refused_in_words(tmp_path, zipped, rng):
    path = tmp_path / "published.pth"
    whole = {"model": {"a": torch.ones(4, 5)}, "opt": [slice(1, 2)]}
    torch.save(whole, path, _use_new_zipfile_serialization=zipped)
    good = path.read_bytes()
    refused = 0
    for _ in range(300):
        bad = bytearray(good[: rng.integers(1, len(good) + 1)])
        bad[rng.integers(len(bad))] = rng.integers(256)
        path.write_bytes(bad)
        try:
            checkpoints.load_checkpoint(path)
        except WeightsError:
            refused += 1
    assert refused > 200
