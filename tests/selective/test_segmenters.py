"""The networks that find masks, with random weights: how they are found, loaded and asked."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import transformers
from hub_server import offer_elsewhere
from huggingface_hub import constants
from torchvision.models import get_weight, segmentation
from torchvision.models.segmentation.deeplabv3 import DeepLabHead, DeepLabV3

from colorize_core.downloads import checkpoints
from colorize_core.downloads.catalogue import DOWNLOADS
from colorize_core.errors import OptionError, WeightsError
from colorize_core.imaging.resampling import resize
from colorize_core.selective import automatic, deeplab, masks, sam2, segmenters
from colorize_core.sizes import format_size
from tests.downloads.test_hub import served  # noqa: F401  a fixture

WEIGHTS = {name: weights for name, (_, weights) in deeplab.WEIGHTS.items()}


@pytest.fixture(autouse=True)
def nothing_loaded():
    yield
    deeplab._load_deeplab.cache_clear()
    sam2._load_sam2.cache_clear()


@pytest.fixture
def torch_home(tmp_path, monkeypatch):
    """Where torchvision looks for weights that were downloaded before."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    folder = tmp_path / "torch" / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def photo(gray_scene):
    return gray_scene(90, 120)


def overlap(found, truth):
    return (found & truth).sum() / (found | truth).sum()


# --- DeepLabV3 ----------------------------------------------------------------------------------


@pytest.mark.parametrize("network", deeplab.WEIGHTS)
def test_the_classes_are_those_of_the_weights(network):
    said = get_weight(WEIGHTS[network]).meta["categories"]
    assert tuple(said) == ("__background__", *segmenters.CLASSES)


@pytest.fixture
def random_mobile(torch_home):
    """The published network with random weights, where a download would have put them."""
    torch.manual_seed(0)
    network = segmentation.deeplabv3_mobilenet_v3_large(
        weights=None, weights_backbone=None, num_classes=21, aux_loss=True
    )
    for part in network.modules():
        if isinstance(part, torch.nn.BatchNorm2d):
            part.momentum = None
    with torch.no_grad():
        network.train()(torch.randn(2, 3, 96, 128))  # the norms learn what noise makes of noise
    network.classifier[-1].weight.data.normal_(0, 2)  # so that several classes win
    torch.save(network.state_dict(), torch_home / "deeplabv3_mobilenet_v3_large-fc3c493d.pth")
    return network.eval()


def test_weights_in_torchvisions_cache_are_what_is_asked(random_mobile, photo, monkeypatch):
    asked = []
    monkeypatch.setattr(checkpoints, "get", lambda *_: asked.append(1))
    monkeypatch.setattr(masks, "snap", lambda mask, light, pixels=0: mask)
    assert segmenters.count_missing_bytes("mobile") == 0
    shares = []
    found = automatic.find_classes(photo, device="cpu", progress=shares.append)
    assert asked == []
    assert shares == [0.0, 0.5, 1.0]
    # As torchvision's own example does it.
    seen = torch.from_numpy(photo).permute(2, 0, 1)
    with torch.inference_mode():
        logits = random_mobile(get_weight(WEIGHTS["mobile"]).transforms()(seen)[None])["out"]
        winner = torch.nn.functional.interpolate(logits, (90, 120), mode="bilinear")[0].argmax(0)
    assert len(found) >= 2
    assert [layer.share for layer in found] == sorted((x.share for x in found), reverse=True)
    for layer in found[:2]:
        truth = (winner == 1 + segmenters.CLASSES.index(layer.name)).numpy()
        assert overlap(layer.mask > 0.5, truth) > 0.9
        assert layer.share == pytest.approx(float(layer.mask.mean()))
        assert layer.mask.shape == (90, 120)


@pytest.fixture
def tiny(monkeypatch):
    """DeepLabV3 with a backbone of one layer; every class has its weights of noise."""

    class Backbone(torch.nn.Conv2d):
        def forward(self, x):
            return {"out": super().forward(x)}

    torch.manual_seed(0)
    head = DeepLabHead(8, 21, (1, 2, 3))
    network = DeepLabV3(Backbone(3, 8, 8, 8), head).eval()
    head[-1].weight.data.normal_(0, 30)
    monkeypatch.setattr(deeplab, "_load_deeplab", lambda name, device: network)
    monkeypatch.setattr(deeplab._load_deeplab, "cache_clear", lambda: None, raising=False)
    return network


def test_layers_are_where_their_class_wins(tiny, photo, monkeypatch):
    monkeypatch.setattr(masks, "snap", lambda mask, light, pixels=0: mask)
    found = automatic.find_classes(photo, device="cpu")
    with torch.inference_mode():
        logits = tiny(deeplab._make_input(photo))["out"]
        winner = torch.nn.functional.interpolate(logits, (90, 120), mode="area")[0].argmax(0)
    scores = [
        overlap(layer.mask > 0.5, (winner == 1 + segmenters.CLASSES.index(layer.name)).numpy())
        for layer in found
        if layer.share > 0.02
    ]
    assert len(scores) >= 2
    assert np.mean(scores) > 0.95
    assert sum(layer.share for layer in found) < 1.1


def test_layers_are_soft_only_where_another_class_comes_close():
    dog, person = (1 + segmenters.CLASSES.index(name) for name in ("dog", "person"))
    logits = torch.zeros(21, 10, 10)
    logits[0] = 1
    logits[dog, :, :5], logits[person, :, 5:] = 9, 9
    logits[0, :2] = 20
    logits[dog, 9, 9] = 9.5  # a speck
    found = {layer.name: layer for layer in deeplab.split_layers(logits, (10, 10))}
    assert set(found) == {"dog", "person"}
    assert found["person"].mask[5, 7] == 1
    assert found["dog"].mask[5, 7] == 0
    assert (found["dog"].mask[:2] == 0).all()
    assert found["dog"].mask[9, 9] == pytest.approx(0.75)
    assert found["person"].mask[9, 9] == pytest.approx(0.25)
    logits[dog] -= 100
    logits[dog, 9, 9] = 50  # a hundredth of the picture is enough, less is not
    assert {layer.name for layer in deeplab.split_layers(logits, (10, 10))} == {"dog", "person"}
    assert (
        deeplab.split_layers(torch.zeros(21, 30, 30) + torch.eye(21)[0, :, None, None], (5, 5))
        == ()
    )


@pytest.mark.parametrize("size", [(1, 1), (1, 60), (17, 333), (40, 9)])
def test_odd_sizes_and_sixteen_bits(tiny, size, rng):
    for dtype in (np.uint8, np.uint16):
        picture = rng.integers(0, np.iinfo(dtype).max, (*size, 3), dtype)
        for layer in automatic.find_classes(picture, device="cpu"):
            assert layer.mask.shape == size


def test_what_stops_progress_stops_the_work(tiny, photo):
    def stop(share):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        automatic.find_classes(photo, device="cpu", progress=stop)


@pytest.fixture
def server(tmp_path, monkeypatch, random_mobile, torch_home):
    """A server on this machine with the random weights, instead of torchvision's."""
    file = next(torch_home.iterdir())
    content = file.read_bytes()
    file.unlink()
    name = f"deeplab-{hashlib.sha256(content).hexdigest()[:8]}.pth"
    (tmp_path / "www").mkdir()
    (tmp_path / "www" / name).write_bytes(content)
    asked = []

    class Handler(SimpleHTTPRequestHandler):
        def __init__(self, *arguments):
            super().__init__(*arguments, directory=str(tmp_path / "www"))

        def log_message(self, format, *arguments):
            asked.append(arguments[0])

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    url = f"http://127.0.0.1:{running.server_port}/{name}"
    monkeypatch.setattr(get_weight(WEIGHTS["mobile"]).value, "url", url)
    offer_elsewhere("deeplab-mobile", url, monkeypatch)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    thread = threading.Thread(target=running.serve_forever, args=(0.01,))
    thread.start()
    yield asked
    running.shutdown()
    thread.join()
    running.server_close()


def test_weights_are_downloaded_once_and_their_size_said_before(server, photo, capfd):
    assert segmenters.count_missing_bytes("mobile") == DOWNLOADS["deeplab-mobile"].bytes
    automatic.find_classes(photo, device="cpu")
    assert "100%" in capfd.readouterr().err
    assert segmenters.count_missing_bytes("mobile") == 0
    asked = list(server)
    deeplab._load_deeplab.cache_clear()
    automatic.find_classes(photo, device="cpu")
    assert server == asked


@pytest.mark.parametrize("network", deeplab.WEIGHTS)
def test_offline_says_what_to_do(torch_home, photo, network):
    said = re.escape(format_size(segmenters.count_missing_bytes(network)))
    with pytest.raises(WeightsError, match=rf"DeepLabV3.*{said}.*HF_HUB_OFFLINE.*copy .*\.pth"):
        automatic.find_classes(photo, network=network, device="cpu")


def test_damaged_weights_are_told(torch_home, photo):
    (torch_home / "deeplabv3_mobilenet_v3_large-fc3c493d.pth").write_bytes(b"half a file")
    with pytest.raises(WeightsError, match="may be damaged: delete it"):
        automatic.find_classes(photo, device="cpu")


def test_an_unknown_network_is_answered_with_the_known_ones(photo):
    for ask in (
        segmenters.count_missing_bytes,
        lambda name: automatic.find_classes(photo, network=name),
    ):
        with pytest.raises(OptionError, match=r"'huge', allowed are people, mobile, resnet101"):
            ask("huge")


# --- SAM 2.1 ------------------------------------------------------------------------------------


@pytest.fixture
def tiny_sam(served):  # noqa: F811
    """A Hub on this machine that has SAM 2 of a few thousand weights, all of noise."""
    torch.manual_seed(0)
    backbone = transformers.Sam2HieraDetConfig(
        hidden_size=8,
        image_size=[64, 64],
        window_positional_embedding_background_size=[2, 2],
        blocks_per_stage=[1, 1, 2, 1],
        embed_dim_per_stage=[8, 16, 32, 64],
        num_attention_heads_per_stage=[1, 1, 2, 4],
        window_size_per_stage=[8, 4, 4, 4],
        global_attention_blocks=[3],
    )
    config = transformers.Sam2Config(
        vision_config=transformers.Sam2VisionConfig(
            backbone_config=backbone,
            backbone_channel_list=[64, 32, 16, 8],
            backbone_feature_sizes=[[16, 16], [8, 8], [4, 4]],
            fpn_hidden_size=32,
        ),
        prompt_encoder_config=transformers.Sam2PromptEncoderConfig(hidden_size=32, image_size=64),
        mask_decoder_config=transformers.Sam2MaskDecoderConfig(
            hidden_size=32, mlp_dim=32, num_attention_heads=2, iou_head_hidden_dim=16
        ),
    )
    model = transformers.Sam2Model(config).eval()
    for weight in model.parameters():
        torch.nn.init.normal_(weight, 0, 0.3)
    model.save_pretrained(served.folder / sam2.SAM2.repo)
    return SimpleNamespace(model=model, served=served, folder=served.folder / sam2.SAM2.repo)


@pytest.mark.parametrize(
    "told",
    [
        {"points": [(30, 40)]},
        {"points": [(30, 40), (100, 20)], "drop": [(60, 60)]},
        {"box": (10, 20, 90, 80)},
        {"points": [(30, 40)], "box": (10, 20, 90, 80)},
    ],
)
def test_sam_is_asked_as_its_library_says(tiny_sam, photo, told, monkeypatch):
    monkeypatch.setattr(masks, "snap", lambda mask, light, pixels=0: mask)
    assert segmenters.count_missing_bytes("sam2") == sam2.SAM2.bytes
    mask = automatic.find_pointed(photo, device="cpu", **told)
    assert segmenters.count_missing_bytes("sam2") == 0
    processor = transformers.Sam2Processor(
        transformers.models.sam2.Sam2ImageProcessor(size={"height": 64, "width": 64}),
        target_size=64,
    )
    prompts = {}
    if "points" in told:
        places = [*told["points"], *told.get("drop", ())]
        prompts["input_points"] = [[[list(map(float, place)) for place in places]]]
        prompts["input_labels"] = [[[1] * len(told["points"]) + [0] * len(told.get("drop", ()))]]
    if "box" in told:
        prompts["input_boxes"] = [[list(map(float, told["box"]))]]
    inputs = processor(images=photo, return_tensors="pt", **prompts)
    single = list(told) != ["points"] or len(told["points"]) > 1
    with torch.inference_mode():
        output = tiny_sam.model(**inputs, multimask_output=not single)
    best = output.iou_scores[0, 0].argmax()
    sizes = inputs["original_sizes"]
    truth = processor.post_process_masks(output.pred_masks, sizes)[0][0, best].numpy()
    assert mask.shape == truth.shape == (90, 120)
    assert 0 < truth.mean() < 1
    assert overlap(mask > 0.5, truth) > 0.97


def test_sam_is_downloaded_once_and_then_found_offline(tiny_sam, photo, monkeypatch):
    first = automatic.find_pointed(photo, points=[(30, 40)], device="cpu")
    asked = list(tiny_sam.served.asked)
    assert {name.split("/")[-1] for name in asked} == {file.path for file in sam2.SAM2.files}
    sam2._load_sam2.cache_clear()
    again = automatic.find_pointed(photo, points=[(30, 40)], device="cpu")
    assert np.array_equal(first, again)
    assert tiny_sam.served.asked == asked


def test_places_are_those_of_the_photo_whatever_its_size(tiny_sam, photo, monkeypatch):
    monkeypatch.setattr(masks, "SIDE", 60)
    small = automatic.find_pointed(photo, points=[(30, 40)], device="cpu")
    assert small.shape == (45, 60)
    half = resize(photo, 45, 60)
    assert np.array_equal(small, automatic.find_pointed(half, points=[(15, 20)], device="cpu"))


def test_sam_says_why_it_cannot_be_had(served, photo):  # noqa: F811
    with pytest.raises(WeightsError, match=r"no repository facebook/sam2\.1-hiera-tiny"):
        automatic.find_pointed(photo, points=[(3, 4)], device="cpu")
    with pytest.raises(OptionError, match="give a point or a box"):
        automatic.find_pointed(photo, device="cpu")


def test_weights_that_are_not_sams_are_refused(tiny_sam, photo):
    path = tiny_sam.folder / "model.safetensors"
    whole = path.read_bytes()
    path.write_bytes(b"half a file")
    with pytest.raises(WeightsError, match="delete it and try again"):
        automatic.find_pointed(photo, points=[(3, 4)], device="cpu")
    length = int.from_bytes(whole[:8], "little")
    header = json.loads(whole[8 : 8 + length])
    assert any(name.startswith("mask_decoder") for name in header)
