"""Files from the Hub, and the published backbones, against a small Hub on this machine."""

import errno
import os
import shutil
import subprocess
import sys
import time
from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
import torchvision
import transformers
from hub_server import SOON, point_at, serving
from huggingface_hub import constants
from PIL import Image
from safetensors.torch import load_file, save_file
from scenes import ROOT

from colorize_core.cards import WeightFile
from colorize_core.cli.train import main
from colorize_core.downloads import checkpoints, transfer
from colorize_core.downloads.catalogue import DOWNLOADS
from colorize_core.errors import Cancelled, WeightsError
from colorize_core.networks import pretrained
from colorize_core.networks.resnet import ResNetTrunk
from colorize_core.networks.scaling import pad_l, repeat_l
from colorize_core.networks.vit import VitConfig, VitGenerator
from colorize_core.training import recipes

LARGE = WeightFile("large.bin", "", 0, "someone/small")


@pytest.fixture
def served(tmp_path, monkeypatch):
    """A Hub with one small file, and this process online with an empty cache."""
    folder = tmp_path / "hub"
    (folder / "someone" / "small").mkdir(parents=True)
    (folder / "someone" / "small" / "model.safetensors").write_bytes(b"weights")
    with serving(folder, tmp_path / "cache", monkeypatch) as server:
        yield server


def fetch():
    return checkpoints.find(WeightFile("model.safetensors", "", 0, "someone/small"))


def test_a_file_is_downloaded_once_and_then_found_without_asking(served, monkeypatch, capfd):
    path = fetch()
    assert path.read_bytes() == b"weights"
    assert "model.safetensors: 100%" in capfd.readouterr().err
    asked = list(served.asked)
    assert asked.count("GET someone/small/model.safetensors") == 1
    assert fetch() == path
    assert served.asked == asked
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert fetch() == path
    assert served.asked == asked


def test_the_environment_names_hub_and_cache(served, tmp_path):
    """As users have it: nothing but variables."""
    code = (
        "from colorize_core.cards import WeightFile; "
        "from colorize_core.downloads import checkpoints; "
        "print(checkpoints.find(WeightFile('model.safetensors', '', 0, 'someone/small')))"
    )
    environment = os.environ | {"HF_ENDPOINT": served.url, "HF_HUB_CACHE": str(tmp_path / "own")}
    for offline in ("0", "1"):
        environment["HF_HUB_OFFLINE"] = offline
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        path = Path(done.stdout.strip())
        assert path.read_bytes() == b"weights"
        assert path.is_relative_to(tmp_path / "own")
    assert served.asked.count("GET someone/small/model.safetensors") == 1


@pytest.mark.parametrize(
    ("says", "words"),
    [
        ((401, "GatedRepo"), r"accepted its conditions.*/someone/small.*hf auth login"),
        ((403, "GatedRepo"), r"accepted its conditions.*/someone/small.*hf auth login"),
        ((401, "RepoNotFound"), r"no repository someone/small, or keeps it private.*hf auth login"),
        ((404, "RepoNotFound"), r"no repository someone/small"),
        ((401, ""), r"answered 401.*hf auth login"),
        ((404, "EntryNotFound"), r"no file model\.safetensors in someone/small.*tree/main"),
        ((404, "RevisionNotFound"), r"no file model\.safetensors .* revision 'main'"),
        ((403, ""), r"answered 403.*hf auth login.*models--someone--small"),
        ((503, ""), r"answered 503.*Wait a little.*models--someone--small"),
    ],
)
def test_a_hub_that_says_no_is_quoted_with_a_remedy(served, says, words):
    served.says = says
    started = time.monotonic()
    with pytest.raises(WeightsError, match=words):
        fetch()
    assert time.monotonic() - started < SOON
    assert len(served.asked) == 1


def test_an_unreachable_hub_costs_one_try(served, monkeypatch):
    point_at(monkeypatch, "http://127.0.0.1:9")
    started = time.monotonic()
    with pytest.raises(WeightsError, match=r"cannot be reached.*proxy.*models--someone--small"):
        fetch()
    assert time.monotonic() - started < SOON


def test_offline_says_how_to_go_online(served, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(WeightsError, match=r"Unset HF_HUB_OFFLINE.*models--someone--small"):
        fetch()
    assert served.asked == []


def gather(served, content, monkeypatch, say=lambda count: None):
    """fetch() with reports of a file of that content, in pieces of 1000 bytes."""
    (served.folder / "someone" / "small" / "large.bin").write_bytes(content)
    monkeypatch.setattr(transfer, "CHUNK", 1000)
    reports = []

    def report(count):
        reports.append(count)
        say(count)

    return checkpoints.find(LARGE, report), reports


def stop_at(limit):
    def say(count):
        if count >= limit:
            raise Cancelled("enough")

    return say


def test_a_download_reports_and_goes_on_where_it_was_stopped(served, monkeypatch):
    content = os.urandom(10_000)
    with pytest.raises(Cancelled):
        gather(served, content, monkeypatch, stop_at(5000))
    assert checkpoints.find_local(LARGE) is None
    path, reports = gather(served, content, monkeypatch)
    assert path.read_bytes() == content
    assert path == checkpoints.find_local(LARGE)
    assert reports == list(range(5000, 10_001, 1000))
    assert served.ranges == [None, "bytes=5000-"]
    assert not list(path.parents[2].rglob("*.part"))


def test_a_hub_that_sends_all_again_is_understood(served, monkeypatch):
    content = os.urandom(10_000)
    served.knows_ranges = False
    with pytest.raises(Cancelled):
        gather(served, content, monkeypatch, stop_at(5000))
    assert gather(served, content, monkeypatch)[0].read_bytes() == content


def test_a_small_file_is_checked_by_its_name_in_git(served, monkeypatch):
    served.small = True
    path, reports = gather(served, b"text", monkeypatch)
    assert path.read_bytes() == b"text"
    assert reports == [0, 4]
    assert path.resolve().name == "f3a34851d44d6b97c90fbb99dd3d18c261b9a237"  # git hash-object


@pytest.mark.parametrize("size", [4000, 20_000])
def test_a_damaged_part_is_not_kept(served, monkeypatch, size):
    content = os.urandom(10_000)
    with pytest.raises(Cancelled):
        gather(served, content, monkeypatch, stop_at(5000))
    part = next(Path(constants.HF_HUB_CACHE).rglob("*.part"))
    part.write_bytes(bytes(size))
    assert gather(served, content, monkeypatch)[0].read_bytes() == content
    assert served.ranges == [None, "bytes=4000-", None] if size == 4000 else [None, None]


def test_a_full_disk_is_named(served, monkeypatch):
    def write(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(transfer, "_connect", write)
    with pytest.raises(WeightsError, match=r"disk is full.*HF_HUB_CACHE"):
        fetch()
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=3))
    with pytest.raises(WeightsError, match=r"0 MB free.*HF_HUB_CACHE"):
        fetch()
    assert "GET someone/small/model.safetensors" not in served.asked


def test_a_cache_that_cannot_be_written_is_named(served, monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(WeightsError, match=r"cannot be kept.*writable.*HF_HUB_CACHE"):
        fetch()


# Random weights show as well as trained ones whether each is where it belongs: torchvision's
# networks are the reference, and for the transformer the library's own.

RESNETS = {
    "resnet18": ((2, 2, 2, 2), False),
    "resnet50": ((3, 4, 6, 3), True),
    "resnet101": ((3, 4, 23, 3), True),
}
MEAN, STD = (torch.tensor(v).view(3, 1, 1) for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))


@pytest.fixture(scope="module")
def reference():
    """name -> torchvision's network with random weights and the norms' measures of noise."""

    @lru_cache(maxsize=1)
    @torch.no_grad()
    def build(name):
        torch.manual_seed(0)
        network = getattr(torchvision.models, name)()
        for norm in network.modules():
            if isinstance(norm, torch.nn.BatchNorm2d):
                norm.weight.uniform_(0.5, 1.5)
                norm.bias.normal_(0, 0.2)
                norm.momentum = None
        network((torch.rand(4, 3, 32, 32) - MEAN) / STD)
        return network.eval()

    return build


@torch.no_grad()
def stages(network, photos):
    """What torchvision's network computes, as ResNetTrunk.forward gives it."""
    seen = [network.relu(network.bn1(network.conv1((photos - MEAN) / STD)))]
    x = network.maxpool(seen[0])
    for i in range(1, 5):
        x = getattr(network, f"layer{i}")(x)
        seen.append(x)
    return seen


def published(served, name):
    """Where the file of that row of the catalogue is served from."""
    (file,) = DOWNLOADS[name].files
    return served.folder / file.repo / file.path


def publish(served, name, tensors):
    published(served, name).parent.mkdir(parents=True)
    save_file(tensors, published(served, name))


def relative(found, expected):
    return ((found - expected).abs().max() / expected.abs().max()).item()


@pytest.mark.parametrize("name", RESNETS)
def test_a_resnet_from_the_hub_computes_what_torchvisions_does(served, reference, name):
    depths, bottleneck = RESNETS[name]
    network = reference(name)
    publish(served, name, network.state_dict())
    trunk = ResNetTrunk(depths, bottleneck=bottleneck).eval()
    pretrained.load_resnet(trunk, checkpoints.find(DOWNLOADS[name].files[0]))
    photos = torch.rand(2, 3, 32, 64)
    with torch.no_grad():
        found = trunk((photos - MEAN) / STD)
    for stage, expected in zip(found, stages(network, photos), strict=True):
        assert relative(stage, expected) < 1e-4


@torch.no_grad()
def test_lightness_is_seen_as_a_gray_photo(served, reference):
    network = reference("resnet18")
    publish(served, "resnet18", network.state_dict())
    trunk = ResNetTrunk((2, 2)).eval()  # the CNN's: it ends early
    pretrained.fill(trunk, "resnet18")
    levels = torch.nn.functional.interpolate(torch.rand(2, 1, 8, 8), (64, 96), mode="bicubic")
    expected = stages(network, levels.clamp(0, 1).expand(-1, 3, -1, -1))
    lightness = levels.clamp(0, 1) * 100
    for look in (pad_l, repeat_l):
        found = trunk(look(lightness))
        inner = (..., slice(2, -2), slice(2, -2))  # the rim sees another padding
        assert relative(found[0][inner], expected[0][inner]) < 1e-4
        for stage, like in zip(found, expected[:3], strict=True):
            assert (stage - like).square().mean() < 0.01 * like.square().mean()


def test_resnets_that_do_not_fit_are_refused(tmp_path, reference):
    state = reference("resnet18").state_dict()
    path = tmp_path / "model.safetensors"
    changes = {
        "bn1.weight": state | {"bn1.weight": torch.ones(3)},
        "bn1.bias": {k: v for k, v in state.items() if k != "bn1.bias"},
        "extra.weight": state | {"extra.weight": torch.ones(1)},
    }
    for name, changed in changes.items():
        save_file(changed, path)
        with pytest.raises(WeightsError, match=rf"does not fit its trunk(.|\n)*{name}"):
            pretrained.load_resnet(ResNetTrunk((2, 2)), path)
    path.write_bytes(b"not a weight file")
    with pytest.raises(WeightsError, match=r"delete .*model\.safetensors"):
        pretrained.load_resnet(ResNetTrunk((2, 2)), path)


TINY = VitConfig(width=32, depth=2, heads=2, side=64, decoder=32)


@pytest.fixture
def tiny_vit(served):
    """A file like the published one: with a pooler, under the names that the Hub's files have."""
    torch.manual_seed(0)
    config = VitGenerator(TINY).trunk.config
    network = transformers.ViTModel(config)
    for weight in network.parameters():
        torch.nn.init.normal_(weight, 0, 0.2)
    network.save_pretrained(published(served, "vit-b16").parent)
    names = load_file(published(served, "vit-b16"))
    assert {"encoder.layer.1.attention.attention.query.weight", "pooler.dense.weight"} < set(names)
    return network.eval()


@torch.no_grad()
def test_a_vit_from_the_hub_computes_what_the_published_one_does(served, tiny_vit):
    trunk = VitGenerator(TINY).trunk.eval()
    pretrained.fill(trunk, "vit-b16")
    lightness = torch.rand(2, 1, 64, 64) * 100
    photos = (lightness / 100).expand(-1, 3, -1, -1)
    expected = tiny_vit((photos - 0.5) / 0.5).last_hidden_state  # as its preprocessor says
    assert relative(trunk(repeat_l(lightness)).last_hidden_state, expected) < 1e-4
    assert {asked.split("/")[-1] for asked in served.asked} == {"model.safetensors"}


def test_vits_that_do_not_fit_are_refused(tmp_path, served, tiny_vit):
    state = load_file(published(served, "vit-b16"))
    path = tmp_path / "model.safetensors"
    changes = {
        "layernorm.weight": {k: v for k, v in state.items() if k != "layernorm.weight"},
        "extra.weight": state | {"extra.weight": torch.ones(1)},
        "layernorm.bias": state | {"layernorm.bias": torch.ones(3)},
    }
    for name, changed in changes.items():
        save_file(changed, path, {"format": "pt"})
        with pytest.raises(WeightsError, match=rf"does not fit its trunk(.|\n)*{name}"):
            pretrained.load_vit(VitGenerator(TINY).trunk, path)
    path.write_bytes(b"not a weight file")
    with pytest.raises(WeightsError, match=r"delete .*model\.safetensors"):
        pretrained.load_vit(VitGenerator(TINY).trunk, path)


FULL = {  # parts with a backbone -> parameters of the backbone
    "cnn-mse": {"network": 683_072},
    "cnn-lpips": {"network": 683_072},
    "resnet-autoencoder": {"network": 225_344},
    "resnet-fcn": {"network": 42_500_160},
    "resnet-unet-gan": {"generator": 11_176_512},
    "vit-discriminator": {"generator": 11_176_512, "discriminator": 85_798_656},
    "vit-generator": {"generator": 85_798_656},
    "vit-lsgan": {"generator": 85_798_656},
}


@pytest.mark.parametrize("name", FULL)
def test_recipes_begin_at_full_width_on_a_backbone_that_stays(monkeypatch, name):
    def mark(trunk, repo):
        filled.append(repo)
        for weight in trunk.parameters():
            torch.nn.init.constant_(weight, 7.0)

    filled = []
    monkeypatch.setattr(pretrained, "fill", mark)
    recipe = recipes.find(name)
    assert recipe().pretrained is False
    parts = recipe(pretrained=True).build_parts(None)
    assert len(filled) == len(FULL[name])
    for part, size in FULL[name].items():
        weights = list(parts[part].trunk.parameters())
        assert sum(w.numel() for w in weights) == size
        assert all((w == 7).all() for w in weights)


def test_training_says_why_a_backbone_cannot_be_had(served, monkeypatch, tmp_path, capsys):
    Image.new("RGB", (64, 64)).save(tmp_path / "photo.png")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    flags = ["--data", str(tmp_path), "--out", str(tmp_path / "out")]
    assert main(["cnn-mse", "--pretrained", "--precision=no", *flags]) == 1
    assert "Unset HF_HUB_OFFLINE" in capsys.readouterr().err
