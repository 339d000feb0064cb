"""The engine and the built-in recipe, for a few steps on made-up pictures."""

import copy
import json
import os
import subprocess
import sys
import zipfile
from types import SimpleNamespace

import lpips
import numpy as np
import pytest
import torch
import torchvision
import training_files
from safetensors import safe_open
from scenes import ROOT

from colorize_core import devices
from colorize_core.cli.train import main
from colorize_core.downloads import checkpoints
from colorize_core.errors import OptionError, WeightsError
from colorize_core.networks.autochrome import Autochrome, AutochromeConfig
from colorize_core.networks.cnn import Cnn, CnnConfig
from colorize_core.networks.efficientnet_lite import EVERY_SIZE, EfficientNetLite
from colorize_core.networks.pretrained import find_efficientnet_lite, load_efficientnet_lite
from colorize_core.training import engine, recipes
from colorize_core.training.aging import age
from colorize_core.training.data import Batch, Batches, find_photos, load_photos
from colorize_core.training.hints import recolour_objects, simulate_hints
from colorize_core.training.losses import soft_bin_cross_entropy
from colorize_core.training.optimizer import MuonAdamW
from colorize_core.training.recipes import segmentation
from colorize_core.training.recipes.autochrome import AutochromeRecipe
from colorize_core.training.recipes.perceptual import load_official

SMALL = AutochromeConfig(widths=(16, 24, 32), depths=(1, 1, 1), heads=2)


@pytest.fixture
def photos(tmp_path, rng):
    """As a folder and as a zip beside it."""
    folder = tmp_path / "photos"
    training_files.write_photos(folder, rng)
    training_files.write_zip(folder)
    return folder


def test_photos_are_read_from_folders_and_zips(photos):
    from_folder = load_photos([photos], 32)
    assert from_folder.pixels.shape == (24, 3, 32, 32)
    assert from_folder.pixels.dtype == torch.uint8
    from_zip = load_photos([photos.with_suffix(".zip")], 32)
    assert torch.equal(from_folder.pixels, from_zip.pixels)
    for loaded in (from_folder, from_zip):
        assert loaded.kinds == ("fallen", "standing")
        assert loaded.labels.bincount().tolist() == [8, 16]
        blue_above = loaded.pixels[:, 2, :8].float().mean((1, 2)) > 150
        assert torch.equal(blue_above.long(), loaded.labels)
    others = load_photos([photos], 32, kinds=("standing", "lying"))
    assert sorted(others.labels.unique().tolist()) == [-1, 0]
    assert len(find_photos([photos], limit=5)) == 5
    with pytest.raises(FileNotFoundError, match="nowhere"):
        load_photos([photos / "nowhere"])
    (photos / "empty").mkdir()
    with pytest.raises(ValueError, match="no photographs"):
        load_photos([photos / "empty"])


def test_batches_crop_mirror_and_see_every_photo(photos):
    batches = Batches(load_photos([photos], 32), 8, seed=0, device=torch.device("cpu"))
    drawn = [batches.draw(16).photos for _ in range(3)]
    assert all(batch.shape == (8, 3, 16, 16) for batch in drawn)
    assert 0 <= min(b.min() for b in drawn) <= max(b.max() for b in drawn) <= 1
    assert len(batches.order) == 0  # 24 photos, 3 batches of 8: one whole epoch


def test_hints_reveal_the_colour_of_their_place():
    torch.manual_seed(0)
    ab = torch.randn(64, 2, 24, 24) * 20
    first = torch.randint(24, (64, 2))
    hint_ab, mask = simulate_hints(ab, first)
    rows, cols = first.unbind(1)
    each = torch.arange(64)
    assert (mask[each, 0, rows, cols] == 1).all()
    assert set(mask.unique().tolist()) == {0.0, 1.0}
    assert (hint_ab * (1 - mask) == 0).all()
    single = (mask.sum((1, 2, 3)) == 1).nonzero()[:, 0]  # one point of one pixel
    assert len(single)
    revealed = hint_ab[single, :, rows[single], cols[single]]
    assert torch.allclose(revealed, ab[single, :, rows[single], cols[single]], atol=1e-3)


def test_recolouring_changes_an_object_and_not_its_lightness():
    """Two objects of one colour, apart from each other in front of a wide background."""
    torch.manual_seed(0)
    lab = torch.zeros(32, 3, 32, 32)
    lab[:, 0], lab[:, 1], lab[:, 1, :, 4:28] = 50, 40, -40
    changed, points = recolour_objects(lab, 1.0)
    assert torch.equal(changed[:, 0], lab[:, 0])
    moved = (changed - lab)[:, 1:].norm(dim=1)
    for index, (row, col) in enumerate(points.tolist()):
        ends = (0, 4, 28, 32)
        start = max(end for end in ends if end <= col)
        side = slice(start, ends[ends.index(start) + 1])
        if start == 4:  # most of the photograph is no object
            assert moved[index].max() == 0
            continue
        assert moved[index, row, col] > 10
        moved[index][:, side] = 0
        assert moved[index].max() < 0.5
    assert torch.equal(recolour_objects(lab, 0.0)[0], lab)


def test_aging_stays_in_range():
    torch.manual_seed(0)
    light = torch.rand(8, 1, 16, 16) * 100
    aged = age(light, 1.0)
    assert 0 <= aged.min() <= aged.max() <= 100
    assert (aged - light).abs().mean() > 1
    assert torch.equal(age(light, 0.0), light)


def test_cross_entropy_by_hand():
    logits = torch.tensor([0.0, np.log(3.0)]).view(1, 2, 1, 1)
    bins = torch.tensor([0, 1]).view(1, 2, 1, 1)
    weights = torch.tensor([0.5, 0.5]).view(1, 2, 1, 1)
    expected = -(0.5 * np.log(0.25) + 0.5 * np.log(0.75))
    assert soft_bin_cross_entropy(logits, bins, weights).item() == pytest.approx(expected, abs=1e-6)


def test_the_schedule_warms_up_and_falls():
    rates = [engine.compute_rate(p, 0.1) for p in (0.0, 0.05, 0.1, 0.5, 1.0)]
    assert rates[0] < rates[1] < rates[2] == pytest.approx(1.0)
    assert rates[2] > rates[3] > rates[4] == pytest.approx(0.005)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_muon_makes_the_steps_of_kernels_orthogonal(layout):
    torch.manual_seed(0)
    network = torch.nn.Sequential(
        torch.nn.Conv2d(4, 8, 3), torch.nn.Conv2d(8, 8, 3), torch.nn.Conv2d(8, 8, 3, groups=8)
    ).to(memory_format=layout)
    before = [p.detach().clone() for p in network.parameters()]
    optimizer = MuonAdamW(network, lr=0.01, weight_decay=0.0, outer=("0",))
    for _ in range(2):
        network(torch.randn(2, 4, 16, 16)).square().mean().backward()
        optimizer.step()
        optimizer.zero_grad()
    moves = [after - was for after, was in zip(network.parameters(), before, strict=True)]
    assert all(move.abs().max() > 0 for move in moves)
    first, _, inner, _, depthwise, _ = (
        torch.linalg.svdvals(move.detach().flatten(1)) if move.ndim > 1 else move for move in moves
    )
    assert inner.min() > 0.4 * inner.max()  # every direction moves about as far
    assert first.min() < 0.2 * first.max() or depthwise.min() < 0.2 * depthwise.max()
    state = optimizer.state_dict()
    again = MuonAdamW(network, lr=0.01, weight_decay=0.0, outer=("0",))
    again.load_state_dict(state)
    buffers = again.state_dict()["muon"]["state"][0]["momentum_buffer"]
    assert torch.equal(buffers, state["muon"]["state"][0]["momentum_buffer"])
    assert all(p.grad is None for p in network.parameters())


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("shape", [(16, 48), (48, 16), (24, 24)])
def test_our_muon_is_torchs(shape, dtype, monkeypatch):
    monkeypatch.setattr(devices, "choose_precision", lambda device: dtype)
    torch.manual_seed(0)
    ours = torch.nn.Linear(*shape[::-1], bias=False)
    other = copy.deepcopy(ours)
    first = ours.weight.detach().clone()
    optimizers = (
        MuonAdamW(ours, lr=0.01, weight_decay=0.1),
        torch.optim.Muon(other.parameters(), 0.01, 0.1, adjust_lr_fn="match_rms_adamw"),
    )
    for _ in range(4):
        inputs = torch.randn(64, shape[1])
        for network, optimizer in zip((ours, other), optimizers, strict=True):
            network(inputs).square().mean().backward()
            optimizer.step()
            optimizer.zero_grad()
    off = (ours.weight - other.weight).norm() / (other.weight - first).norm()
    assert off < 0.02  # it computes in bfloat16


class SmallRecipe(AutochromeRecipe):
    def build_network(self):
        return Autochrome(SMALL)


@pytest.mark.parametrize(
    ("device", "fast", "expected"),
    [
        ("cpu", torch.float32, "no"),
        ("cpu", torch.bfloat16, "bf16"),
        ("cuda", torch.float32, "bf16"),
    ],
)
def test_bfloat16_is_for_who_is_fast_with_it(device, fast, expected, monkeypatch):
    here = SimpleNamespace(device=torch.device(device))
    monkeypatch.setattr(engine, "PartialState", lambda: here)
    monkeypatch.setattr(devices, "choose_precision", lambda device: fast)
    assert engine.choose_precision("auto") == expected
    assert engine.choose_precision("fp16") == "fp16"


def run(photos, out, steps):
    small = {"batch": 8, "ema": 0.9, "side": 32, "look_every": 60.0, "norm_batches": 4}
    small |= {"val_limit": 6, "log_every": 10}
    settings = engine.TrainingSettings(
        data=(photos,), val=(photos,), out=out, steps=steps, precision="no", **small
    )
    recipe = SmallRecipe(sides=(32,), until=(1.0,), least_scale=1.0)
    return engine.train("autochrome", recipe, settings)


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")
def test_a_run_learns_resumes_and_leaves_weights_that_load(photos, tmp_path):
    out = tmp_path / "run"
    path = run(photos, out, 50)
    state = torch.load(out / "checkpoint" / "custom_checkpoint_1.pkl", weights_only=True)
    losses = [row["loss"] for row in state["history"] if "loss" in row]
    assert sum(losses[-3:]) / 3 < losses[0] - 0.5  # of one batch it goes up and down
    run(photos, out, 60)  # the same command with more steps goes on
    later = torch.load(out / "checkpoint" / "custom_checkpoint_1.pkl", weights_only=True)
    assert (state["step"], later["step"]) == (50, 60)
    assert later["history"][: len(state["history"])] == state["history"]
    looks = [row for row in later["history"] if "val_psnr" in row]
    assert [look["seen"] for look in looks] == [400, 480]  # at the end of both runs
    with safe_open(path, "pt") as file:
        assert json.loads(file.metadata()["config"])["widths"] == list(SMALL.widths)
        told = json.loads(file.metadata()["training"])
        assert told["seen"] in (400, 480)  # the better one
        assert told["looks"][-1]["seen"] == told["seen"]
        assert told["looks"][-1]["psnr"] == pytest.approx(told["psnr"], abs=1e-3)
        assert file.get_tensor("head.weight").dtype == torch.float16
    network = checkpoints.load_network(path, Autochrome, AutochromeConfig)
    assert network.config == SMALL
    assert (out / "curves.png").stat().st_size > 0
    assert list(out.glob("samples-*.png"))
    assert list((out / "autochrome").glob("events.*"))  # TensorBoard
    trained = network.bins.log_prior.exp()
    blue_or_green = (network.bins.points.norm(dim=1) > 20) & (trained > 0.05)
    assert blue_or_green.any()


# What each of two processes does: begin, then go on as if it was started anew. The first process
# keeps what there was in between.
TWICE = """
import os, shutil, sys, time
from pathlib import Path
from accelerate.state import AcceleratorState
from app_server import free_port
from colorize_core.cli.train import main

out, *flags = sys.argv[1:]
meeting = Path(f"{out}-port")
for steps in (3, 4):
    assert main([*flags, f"--out={out}", f"--steps={steps}"]) == 0
    if os.environ["RANK"] == "0":
        shutil.copytree(out, f"{out}-{steps}")
        meeting.with_suffix(".part").write_text(str(free_port()))
        meeting.with_suffix(".part").rename(meeting)
    while not meeting.exists():
        time.sleep(0.01)
    AcceleratorState._reset_state(reset_partial_state=True)
    os.environ |= {"MASTER_PORT": meeting.read_text(), "TORCHELASTIC_USE_AGENT_STORE": "False"}
"""


def test_two_processes_train_one_network(photos, tmp_path):
    """As on two GPUs or nodes: each sees batches of its own, and both keep the same weights."""
    flags = {"data": photos, "val": photos, "batch": 2, "side": 32}
    flags |= {"sides": 32, "until": 1, "least-scale": 1, "norm-batches": 1, "val-limit": 2}
    flags["look-every"] = 1e-4  # a look at every step: both take it at the same one
    script = tmp_path / "twice.py"
    script.write_text(TWICE)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    command += [str(script), str(tmp_path / "run"), "cnn-mse"]
    command += ["--precision=no", *(f"--{name}={value}" for name, value in flags.items())]
    environment = {**os.environ, "ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1"}
    environment["PYTHONPATH"] = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("weights:") == 2
    for steps in (3, 4):
        out = tmp_path / f"run-{steps}"
        path = out / "checkpoint" / "custom_checkpoint_1.pkl"
        progress = torch.load(path, weights_only=True)
        assert progress["seen"] == 2 * 2 * steps
        with safe_open(out / "model.safetensors", "pt") as file:
            told = json.loads(file.metadata()["training"])
        assert told["seen"] == progress["best"]["seen"] == 2 * 2 * (steps - progress["stale"])


@pytest.fixture
def people(tmp_path, rng):
    path = tmp_path / "people.zip"
    training_files.write_people(path, rng)
    return path


def test_people_are_learned_from_in_many_surroundings(photos, people, monkeypatch):
    monkeypatch.setattr(segmentation, "EMPTY", ("standing",))
    recipe = segmentation.PeopleRecipe(masks=(people,), own=0.4, empty=0.2)
    loaded = load_photos([photos], 64)
    recipe.build_parts(loaded)
    torch.manual_seed(0)
    light, mask = recipe.pictures(Batches(loaded, 200, 0, torch.device("cpu")).draw(64))
    assert light.shape == mask.shape == (200, 1, 64, 64)
    assert 0 <= light.min() <= light.max() <= 100
    assert 0 <= mask.min() <= mask.max() <= 1
    covered = mask.mean((1, 2, 3))
    assert 0.1 < (covered == 0).float().mean() < 0.35
    here, elsewhere = light[mask > 0.99].mean(), light[mask < 0.01].mean()
    assert abs(here - elsewhere) > 5, "people are where the masks say"
    learned, held = recipe._people
    assert (len(learned.mask), len(held.mask)) == (18, 2), "of 20, as the last shows nobody"


def test_people_need_masks_and_photographs_without_people(photos, people, monkeypatch):
    loaded = load_photos([photos], 32)
    with pytest.raises(OptionError, match="photographs without people"):
        segmentation.PeopleRecipe(masks=(people,)).build_parts(loaded)
    monkeypatch.setattr(segmentation, "EMPTY", ("standing",))
    recipe = segmentation.PeopleRecipe()
    recipe.build_parts(loaded)
    with pytest.raises(OptionError, match="--masks"):
        recipe.pictures(Batch(torch.rand(2, 3, 32, 32), torch.zeros(2, dtype=torch.long)))


def test_a_mask_that_is_missing_is_named(tmp_path, people):
    with zipfile.ZipFile(people, "a") as archive:
        archive.writestr("photo/more.webp", b"")
    with pytest.raises(FileNotFoundError, match=r"photo/more\.webp, but no mask/more\.png"):
        segmentation.load_people([people])


@pytest.fixture
def torch_home(tmp_path, monkeypatch):
    """Where torchvision looks for trunks that were downloaded before."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    return folder


def test_lpips_is_learned_from_where_its_trunk_is_to_be_had(torch_home):
    published = torchvision.models.squeezenet1_1()  # of the same shapes, random
    torch.save(published.state_dict(), torch_home / "squeezenet1_1-b8a52dc0.pth")
    photos = torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    network = Cnn(CnnConfig(width=8))
    recipe = recipes.find("cnn-lpips")(trunk="squeeze")
    losses = recipe.compute_loss(
        {"network": network}, Batch(photos, torch.zeros(4)), "network", 0.0
    )
    with pytest.warns(UserWarning, match="deprecated"):
        whole = lpips.LPIPS(net="squeeze", verbose=False).eval()  # of the same file
    gray = photos.mean(1, keepdim=True).expand(-1, 3, -1, -1)
    distance = load_official("squeeze")
    expected = whole(gray * 2 - 1, photos * 2 - 1).flatten()
    assert torch.allclose(distance(gray, photos), expected)
    assert (expected > 0).all()
    assert distance(photos, photos).abs().max() == 0
    losses["loss"].backward()
    assert all(p.grad is not None for p in network.parameters())


def test_a_trunk_that_cannot_be_had_is_said_with_what_to_do(torch_home, tmp_path):
    with pytest.raises(WeightsError, match=r"LPIPS \(553 MB\).*HF_HUB_OFFLINE.*--trunk percep"):
        load_official("vgg")
    (torch_home / "alexnet-owt-7be5be79.pth").write_bytes(b"half a file")
    with pytest.raises(WeightsError, match="'alex' of LPIPS"):
        load_official("alex")
    with pytest.raises(WeightsError, match=r"no trunk 'resnet'.*perceptual, alex, vgg, squeeze"):
        load_official("resnet")


@pytest.mark.parametrize("pretrained", [True, False])
def test_a_trunk_of_a_package_is_tuned_at_a_rate_of_its_own(photos, pretrained):
    recipe = recipes.find("resnet-unet-gan")(trunk="efficientnet-lite0", pretrained=pretrained)
    generator = recipe.build_parts(load_photos([photos], 32))["generator"]
    published = EfficientNetLite(planes=3, taps=EVERY_SIZE)
    load_efficientnet_lite(published, find_efficientnet_lite())
    stem = generator.trunk.stem[0].weight
    assert torch.equal(stem, published.stem[0].weight) == pretrained
    groups = recipe.build_optimizer(generator).param_groups
    rates = [group["lr"] for group in groups for tensor in group["params"] if tensor is stem]
    assert rates == [recipe.trunk_lr if pretrained else recipe.lr]


def test_a_trunk_that_there_is_not_is_refused():
    with pytest.raises(OptionError, match=r"no trunk vgg: resnet or efficientnet-lite0"):
        recipes.find("resnet-unet-gan")(trunk="vgg").build_generator()


def test_flags_come_from_the_settings(capsys):
    with pytest.raises(SystemExit):
        main(["autochrome", "--help"])
    text = capsys.readouterr().out
    for flag in ("--data", "--minutes", "--lr", "--hinted", "--start-from"):
        assert flag in text
    with pytest.raises(SystemExit):
        main(["autochrome", "--data", "x", "--learning-rate", "1"])


@pytest.mark.parametrize("sides", [["64"], ["64", "96", "--until", "0.5", "0.9"]])
def test_sizes_that_do_not_last_to_the_end_are_refused_at_once(tmp_path, sides, capsys):
    out = ["--data", "x", "--val", "x", "--out", str(tmp_path)]
    assert main(["coltran", *out, "--sides", *sides]) == 1
    assert "give as many of each" in capsys.readouterr().err
