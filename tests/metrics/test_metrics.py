"""Each metric against published values or an independent implementation."""

import subprocess
import sys
import warnings

import cv2
import flip_evaluator
import lpips as published_lpips
import numpy as np
import pytest
import torch
import torchvision
from skimage.color import deltaE_ciede2000, rgb2lab
from skimage.metrics import mean_squared_error as skimage_mse
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from sklearn import metrics as sklearn_metrics
from torchmetrics import ExplainedVariance, R2Score
from torchmetrics.functional.image import multiscale_structural_similarity_index_measure
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.kid import KernelInceptionDistance

from colorize_core import metrics
from colorize_core.downloads import checkpoints
from colorize_core.downloads.catalogue import DOWNLOADS
from colorize_core.errors import OptionError, WeightsError
from colorize_core.imaging.color import lightness
from colorize_core.metrics import ab_channels, baselines, features, lpips, perceptual_offline
from colorize_core.metrics.ciede2000 import ciede2000, delta_e
from colorize_core.metrics.colourfulness import colourfulness, colourfulness_difference
from colorize_core.metrics.explained_variance import explained_variance
from colorize_core.metrics.fid import fid
from colorize_core.metrics.flip import compute_flip_map, flip
from colorize_core.metrics.interval import estimate_interval
from colorize_core.metrics.kid import kid
from colorize_core.metrics.mean_absolute_error import mean_absolute_error
from colorize_core.metrics.mean_chroma import mean_chroma
from colorize_core.metrics.mean_squared_error import mean_squared_error
from colorize_core.metrics.median_absolute_error import median_absolute_error
from colorize_core.metrics.ms_ssim import ms_ssim
from colorize_core.metrics.protocol import crop_square, recombine, to_gray
from colorize_core.metrics.psnr import psnr
from colorize_core.metrics.r2 import compute_r2_channels, r2
from colorize_core.metrics.ssim import ssim
from colorize_core.networks import pretrained
from colorize_core.networks.efficientnet_lite import EfficientNetLite
from colorize_core.sizes import format_size

TRUNK_FILES = {
    "alex": (torchvision.models.alexnet, "alexnet-owt-7be5be79.pth"),
    "squeeze": (torchvision.models.squeezenet1_1, "squeezenet1_1-b8a52dc0.pth"),
}
DOWNLOADED = [metric.name for metric in metrics.METRICS if metric.download]
AT_HAND = [metric for metric in metrics.METRICS if not metric.download]


@pytest.fixture
def photo(gray_scene, rng):
    """A picture of smooth colours, edges and grain, (200, 232, 3)."""
    gray = gray_scene(200, 232).astype(np.float32)
    tint = cv2.resize(rng.uniform(-60, 60, (4, 5, 3)).astype(np.float32), (232, 200))
    return np.clip(gray + tint, 0, 255).astype(np.uint8)


def noisy(picture, deviation, seed=1):
    noise = np.random.default_rng(seed).normal(0, deviation, picture.shape)
    return np.clip(np.round(picture + noise), 0, 255).astype(np.uint8)


def tensor(picture):
    return torch.from_numpy(picture).permute(2, 0, 1)[None].float()


# Sharma, Wu and Dalal (2005), table 1.
PAIRS = [
    ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
    ((50, 3.1571, -77.2803), (50, 0, -82.7485), 2.8615),
    ((50, 2.8361, -74.0200), (50, 0, -82.7485), 3.4412),
    ((50, -1.3802, -84.2814), (50, 0, -82.7485), 1.0000),
    ((50, 0, 0), (50, -1, 2), 2.3669),
    ((50, 2.4900, -0.0010), (50, -2.4900, 0.0009), 7.1792),
    ((50, 2.5, 0), (73, 25, -18), 27.1492),
    ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
]


@pytest.mark.parametrize(("first", "second", "expected"), PAIRS)
def test_ciede2000_of_published_pairs(first, second, expected):
    assert delta_e(np.array(first), np.array(second)) == pytest.approx(expected, abs=1e-4)
    assert delta_e(np.array(second), np.array(first)) == pytest.approx(expected, abs=1e-4)


def test_ciede2000_agrees_with_scikit_image(rng):
    lab = rng.uniform((0, -100, -100), (100, 100, 100), (2, 5000, 3))
    assert np.abs(delta_e(*lab) - deltaE_ciede2000(*lab)).max() < 1e-8


def test_psnr_agrees_with_scikit_image(rng):
    pictures = rng.integers(0, 256, (2, 32, 32, 3), dtype=np.uint8)
    assert psnr(*pictures) == pytest.approx(peak_signal_noise_ratio(*pictures), abs=1e-9)
    assert psnr(pictures[0], pictures[0]) == float("inf")


def test_colourfulness_by_hand():
    # Half red, half blue: rg is +255 and 0, yb is 127.5 and -255.
    picture = np.zeros((2, 2, 3), np.uint8)
    picture[0, :, 0], picture[1, :, 2] = 255, 255
    expected = np.hypot(127.5, 191.25) + 0.3 * np.hypot(127.5, -63.75)
    assert colourfulness(picture) == pytest.approx(expected)
    assert colourfulness(np.full((4, 4, 3), 90, np.uint8)) == 0


def test_identical_pictures_score_zero(rng):
    picture = rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)
    assert ciede2000(picture, picture) == 0


def test_the_protocol_gives_every_method_the_truths_lightness(rng):
    truth = crop_square(rng.integers(0, 256, (300, 420, 3), dtype=np.uint8))
    assert truth.shape == (256, 256, 3)
    gray = to_gray(truth)
    assert (gray[..., 0] == gray[..., 2]).all()
    wild = rng.integers(0, 256, truth.shape, dtype=np.uint8)
    scored = recombine(wild, truth)
    difference = np.abs(lightness(scored / 255.0) - lightness(truth / 255.0))
    assert difference.mean() < 0.2  # 8-bit rounding
    assert np.abs(recombine(truth, truth).astype(int) - truth).max() <= 1


def test_mean_chroma_is_that_of_another_implementation():
    picture = np.random.default_rng(0).integers(0, 256, (20, 30, 3)).astype(np.uint8)
    ab = rgb2lab(picture)[..., 1:]
    assert mean_chroma(picture) == pytest.approx(np.sqrt((ab**2).sum(-1)).mean(), rel=1e-3)
    assert mean_chroma(np.full((4, 4, 3), 90, np.uint8)) == pytest.approx(0, abs=0.02)


def scikit_ssim(first, second):
    """Of one plane or several."""
    return structural_similarity(
        first,
        second,
        channel_axis=-1 if first.ndim == 3 else None,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        data_range=255,
    )


def test_ssim_agrees_with_scikit_image(photo):
    for deviation in (5, 40):
        other = noisy(photo, deviation)
        assert ssim(other, photo) == pytest.approx(scikit_ssim(other, photo), abs=1e-9)
    with pytest.raises(OptionError, match="11 x 11 pixels; this one has 232 x 10"):
        ssim(photo[:10], photo[:10])


@pytest.mark.parametrize("size", [(176, 177), (200, 231)])  # the least, and odd sides
def test_ms_ssim_agrees_with_torchmetrics(photo, size):
    """To what float32 keeps there, channel by channel. On the coarsest scale torchmetrics counts a
    mirrored rim too, where the window does not fit: there scikit-image is asked."""
    truth = np.ascontiguousarray(photo[: size[0], : size[1]])
    other = cv2.GaussianBlur(noisy(truth, 20), (0, 0), 1)
    expected = []
    for first, second in zip(tensor(other)[0], tensor(truth)[0], strict=True):
        pair = first[None, None], second[None, None]
        fine = multiscale_structural_similarity_index_measure(
            *pair, data_range=255.0, betas=(0.0448, 0.2856, 0.3001, 0.2363, 0.0)
        )
        for _ in range(4):
            pair = [torch.nn.functional.avg_pool2d(each, 2) for each in pair]
        coarse = scikit_ssim(*(each[0, 0].numpy().astype(np.float64) for each in pair))
        expected.append(float(fine) * coarse**0.1333)
    assert ms_ssim(other, truth) == pytest.approx(np.mean(expected), abs=2e-5)


def test_ms_ssim_needs_five_scales_and_takes_no_negative_structure(photo):
    with pytest.raises(OptionError, match="176 x 176"):
        ms_ssim(photo[:175], photo[:175])
    assert ms_ssim(255 - photo, photo) == 0


@pytest.mark.parametrize("pixels_per_degree", [67.0, 30.0])
def test_flip_agrees_with_the_authors_program(photo, pixels_per_degree):
    """flip-evaluator 1.7 counts in float32."""
    blurred = cv2.GaussianBlur(photo, (0, 0), 2)
    swapped = np.ascontiguousarray(photo[..., ::-1])
    for other in (noisy(photo, 12), blurred, swapped, 255 - photo):
        expected, mean, _ = flip_evaluator.evaluate(
            (photo / 255).astype(np.float32),
            (other / 255).astype(np.float32),
            "LDR",
            applyMagma=False,
            parameters={"ppd": pixels_per_degree},
        )
        found = compute_flip_map(other, photo, pixels_per_degree)
        assert np.abs(found - expected[..., 0]).max() < 2e-3
        assert flip(other, photo, pixels_per_degree) == pytest.approx(mean, abs=1e-4)


def test_flip_is_1_between_the_farthest_colours():
    green, blue = np.zeros((2, 40, 40, 3), np.uint8)
    green[..., 1], blue[..., 2] = 255, 255
    assert flip(green, blue) == pytest.approx(1, abs=1e-9)


def test_errors_agree_with_other_implementations(photo):
    other = noisy(photo, 15)
    assert mean_squared_error(other, photo) == pytest.approx(
        skimage_mse(other / 255, photo / 255), abs=1e-12
    )
    gap = np.abs(other / 255 - photo / 255)
    assert mean_absolute_error(other, photo) == pytest.approx(gap.mean(), abs=1e-12)
    assert median_absolute_error(other, photo) == pytest.approx(np.median(gap), abs=1e-12)
    expected = -10 * np.log10(mean_squared_error(other, photo))
    assert psnr(other, photo) == pytest.approx(expected, abs=1e-9)


def test_shares_of_variance_agree_with_torchmetrics(photo):
    """In float64 on both sides. One channel is too bright: explained variance forgives that."""
    other = noisy(photo, 15)
    other[..., 0] = np.minimum(other[..., 0] // 2 + 70, 255)
    flat = [torch.from_numpy(each.reshape(-1, 3)).double() for each in (other, photo)]
    assert compute_r2_channels(other, photo) == pytest.approx(
        R2Score(multioutput="raw_values").set_dtype(torch.float64)(*flat).numpy(), abs=1e-6
    )
    assert r2(other, photo) == pytest.approx(compute_r2_channels(other, photo).mean())
    expected = ExplainedVariance(multioutput="uniform_average").set_dtype(torch.float64)(*flat)
    assert explained_variance(other, photo) == pytest.approx(float(expected), abs=1e-6)
    assert explained_variance(other, photo) > r2(other, photo) + 0.01


@pytest.mark.parametrize(
    ("name", "theirs"),
    [
        ("r2", sklearn_metrics.r2_score),
        ("explained-variance", sklearn_metrics.explained_variance_score),
        ("mae", sklearn_metrics.mean_absolute_error),
        ("median-ae", sklearn_metrics.median_absolute_error),
        ("mse", sklearn_metrics.mean_squared_error),
    ],
)
def test_errors_of_a_and_of_b_agree_with_scikit_learn(photo, name, theirs):
    """On planes that scikit-image has in Lab, over 128: ours counts in float32. One picture has a
    cast of a alone, which R² of b does not see."""
    other = noisy(photo, 15)
    other[..., 1] = np.minimum(other[..., 1] // 2 + 60, 255)
    planes = [rgb2lab(each)[..., 1:].reshape(-1, 2) / 128 for each in (photo, other)]
    expected = theirs(*planes, multioutput="raw_values")
    found = [metrics.score(f"{name}-{channel}", other, photo) for channel in "ab"]
    assert found == pytest.approx(expected, abs=2e-4)
    assert found[0] != pytest.approx(found[1], abs=1e-3)


def test_a_photo_without_colours_has_no_variance_of_a_or_b(photo):
    gray = to_gray(photo)
    assert ab_channels.read_plane(gray, 0).std() < ab_channels.FLAT
    for name in ("r2-a", "r2-b", "explained-variance-a", "explained-variance-b"):
        assert np.isnan(metrics.score(name, photo, gray))
    one_level = gray.copy()
    one_level[:100, :, 0] ^= 1  # the least that 8 bits can say
    assert np.isfinite(metrics.score("r2-a", photo, one_level))


def test_gray_explains_nothing_of_a_and_b_but_much_of_red_green_and_blue(photo):
    gray = to_gray(photo)
    assert metrics.score("r2", gray, photo) > 0.3
    for channel in "ab":
        assert metrics.score(f"r2-{channel}", gray, photo) <= 0
        found = metrics.score(f"explained-variance-{channel}", gray, photo)
        assert found == pytest.approx(0, abs=1e-6)


def test_shares_of_no_variance_are_not_defined(photo):
    flat = np.full_like(photo, 90)
    assert np.isnan(r2(photo, flat))
    assert np.isnan(explained_variance(photo, flat))


def test_colourfulness_difference_has_a_sign(photo):
    timid = to_gray(photo)
    assert colourfulness_difference(timid, photo) == pytest.approx(-colourfulness(photo), abs=0.1)
    assert colourfulness_difference(photo, timid) > 0


@pytest.fixture
def torch_home(tmp_path, monkeypatch):
    """Where torchvision looks for trunks that were downloaded before, none being loaded yet."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    lpips._load.cache_clear()
    yield folder
    lpips._load.cache_clear()


def keep_trunk(net, folder):
    """Of the published shapes, with random weights."""
    torch.manual_seed(0)
    build, file = TRUNK_FILES[net]
    torch.save(build().state_dict(), folder / file)


@pytest.mark.parametrize("net", TRUNK_FILES)
def test_lpips_is_the_packages(torch_home, photo, net):
    keep_trunk(net, torch_home)
    other = noisy(photo, 20)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # torchvision's old names
        whole = published_lpips.LPIPS(net=net, version="0.1", verbose=False).eval()
    scaled = [tensor(each) / 127.5 - 1 for each in (other, photo)]
    with torch.inference_mode():
        expected = float(whole(*scaled))
        unscaled = float(whole(*((each + 1) / 2 for each in scaled)))
    assert metrics.score(f"lpips-{net}", other, photo) == pytest.approx(expected, rel=1e-4)
    found = lpips.lpips(other, photo, net, scaled=False)
    assert found == pytest.approx(unscaled, rel=1e-4)
    assert found != pytest.approx(expected, rel=0.01)
    assert metrics.score(f"lpips-{net}", photo, photo) == 0
    assert lpips.load(net) is lpips.load(net)


def test_the_unscaled_protocol_has_a_name_of_its_own(photo, monkeypatch):
    asked = []

    def network(first, second, normalize):
        asked.append((float(first.min()) >= 0, normalize))
        return torch.tensor([[[[0.5]]]])

    network.parameters = lambda: iter([torch.zeros(1)])
    monkeypatch.setattr(lpips, "load", lambda net, device: {"vgg": network}[net])
    assert metrics.score("lpips-vgg-unscaled", photo, photo) == 0.5
    assert metrics.score("lpips-vgg", photo, photo) == 0.5
    assert asked == [(True, False), (True, True)]


@pytest.mark.parametrize("name", DOWNLOADED)
def test_a_trunk_that_cannot_be_had_is_an_error_with_its_size(torch_home, name):
    download = DOWNLOADS[metrics.find(name).download]
    assert checkpoints.list_missing(download.files)
    with pytest.raises(
        WeightsError, match=rf"\({format_size(download.bytes)}\).*OFFLINE.*copy .*\.pth"
    ):
        metrics.prepare(name)


def test_a_damaged_trunk_is_an_error_that_says_so(torch_home, photo):
    (torch_home / TRUNK_FILES["alex"][1]).write_bytes(b"half a file")
    assert not checkpoints.list_missing(DOWNLOADS[lpips.NETS["alex"]].files)
    with pytest.raises(WeightsError, match="may be damaged: delete it"):
        metrics.score("lpips-alex", photo, photo)
    with pytest.raises(OptionError, match=r"'resnet'.*alex, vgg, squeeze"):
        lpips.build("resnet")


def test_the_offline_distance_is_that_of_the_bundled_trunk(photo):
    other = noisy(photo, 20)
    trunk = perceptual_offline.load()
    small = [cv2.resize(each, (148, 128), interpolation=cv2.INTER_AREA) for each in (other, photo)]
    with torch.inference_mode():
        expected = float(trunk.distance(*(tensor(each) / 255 for each in small)))
    assert metrics.score("perceptual-offline", other, photo) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("metric", AT_HAND, ids=lambda metric: metric.name)
def test_metrics_know_equal_pictures_and_rising_distortion(photo, metric):
    if not metric.needs_truth:
        assert metrics.score(metric.name, photo) > metrics.score(metric.name, to_gray(photo))
        return
    if metric.better == "nearer 0":  # it is about colour, and noise is colourful
        gap = to_gray(photo).astype(float) - photo
        distorted = [np.round(photo + gap * share).astype(np.uint8) for share in (0, 0.3, 0.6, 1)]
    else:
        distorted = [photo, *(noisy(photo, deviation) for deviation in (4, 12, 36))]
    scores = [metrics.score(metric.name, each, photo) for each in distorted]
    if metric.better == "nearer 0":
        scores = np.abs(scores)
    best = {"psnr": np.inf}.get(metric.name, float(metric.better == "higher"))
    assert scores[0] == pytest.approx(best, abs=1e-6)
    signed = np.array(scores) * (-1 if metric.better == "higher" else 1)
    assert (np.diff(signed) > 0).all()


SYMMETRIC = {"psnr", "ssim", "ms-ssim", "ciede2000", "flip", "perceptual-offline", "mae", "mse"}


@pytest.mark.parametrize("name", sorted(SYMMETRIC | {"median-ae", "mae-a", "median-ae-b", "mse-a"}))
def test_distances_do_not_care_which_picture_is_the_truth(photo, name):
    other = noisy(photo, 20)
    forth, back = metrics.score(name, other, photo), metrics.score(name, photo, other)
    assert forth == pytest.approx(back, rel=1e-5)


def test_metrics_are_listed_with_names_of_their_own_and_importing_them_is_light():
    names = [metric.name for metric in metrics.METRICS]
    assert len(set(names)) == len(names)
    assert all(metric.title and metric.meaning for metric in metrics.METRICS)
    code = (
        "import sys, colorize_core.metrics\n"
        "print([m for m in ('torch', 'torchvision', 'lpips', 'cv2') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_what_cannot_be_scored_is_refused(photo):
    with pytest.raises(OptionError, match=r"no metric 'beauty'.*psnr, ssim"):
        metrics.score("beauty", photo, photo)
    with pytest.raises(OptionError, match="psnr compares with a true picture"):
        metrics.score("psnr", photo)
    with pytest.raises(OptionError, match="uint8"):
        metrics.score("psnr", photo / 255, photo)
    with pytest.raises(OptionError, match=r"one size.*\(232, 200\) and \(232, 199\)"):
        metrics.score("psnr", photo, photo[1:])
    assert metrics.score("colourfulness", photo) == colourfulness(photo)


@pytest.fixture
def clouds(rng):
    """Two Gaussian clouds of features, their means and covariances apart."""
    mixing = rng.normal(0, 1, (8, 8))
    first = rng.normal(0, 1, (2400, 8)) @ mixing
    return first, rng.normal(0.3, 1.2, (2100, 8)) @ mixing.T


class Given(torch.nn.Module):
    """In place of a network: the features themselves."""

    num_features = 8

    def forward(self, features):
        return features


@pytest.mark.filterwarnings("ignore::UserWarning")  # that it keeps all features
def test_fid_agrees_with_torchmetrics_and_with_the_formula(clouds, rng):
    theirs = FrechetInceptionDistance(feature=Given(), normalize=True).set_dtype(torch.float64)
    for cloud, real in zip(clouds, (True, False), strict=True):
        theirs.update(torch.from_numpy(cloud), real=real)
    assert fid(*clouds) == pytest.approx(float(theirs.compute()), rel=1e-6)
    assert fid(clouds[0], clouds[0]) == pytest.approx(0, abs=1e-9)
    # Independent axes: squared distances of the means and of the deviations.
    plain = rng.normal(0, 1, (2000, 3))
    plain = (plain - plain.mean(0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(plain.T))).T
    moved = plain * (1, 2, 3) + (0, 0, 5)
    assert fid(plain, moved) == pytest.approx(25 + 1 + 4, abs=1e-8)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_kid_agrees_with_torchmetrics(clouds):
    """Over subsets that are the whole clouds, which random choice leaves alone."""
    first, second = (cloud[:2000] for cloud in clouds)
    theirs = KernelInceptionDistance(feature=Given(), subsets=1, subset_size=2000, normalize=True)
    theirs.set_dtype(torch.float64)
    for cloud, real in ((first, True), (second, False)):
        theirs.update(torch.from_numpy(cloud), real=real)
    expected = float(theirs.compute()[0])
    assert kid(first, second, subsets=1, size=2000)[0] == pytest.approx(expected, rel=1e-6)
    mean, deviation = kid(first, second, subsets=20, size=500)
    assert abs(mean - expected) < 3 * deviation
    assert kid(first, second, subsets=3, size=500) == kid(first, second, subsets=3, size=500)
    halves = kid(clouds[0][:2000], clouds[0][400:], subsets=20, size=500)[0]
    assert abs(halves) < expected / 10


@pytest.mark.parametrize("distance", [fid, kid])
def test_fid_and_kid_refuse_few_pictures_and_other_extractors(clouds, distance):
    with pytest.raises(OptionError, match="at least 2000 pictures on either side; there are 2400"):
        distance(clouds[0], clouds[1][:1999])
    with pytest.raises(OptionError, match="one extractor"):
        distance(clouds[0], clouds[1][:, :7])


def test_kid_refuses_subsets_that_do_not_fit(clouds):
    with pytest.raises(OptionError, match="2 to 2100"):
        kid(*clouds, size=2101)


def test_features_do_not_depend_on_the_batch(rng):
    pictures = [rng.integers(0, 256, (side, side, 3), dtype=np.uint8) for side in (40, 64, 130)]
    found = [features.extract(pictures, "perceptual-offline", batch=size) for size in (1, 2, 16)]
    assert found[0].shape == (3, 256)
    for other in found[1:]:
        assert np.allclose(found[0], other, rtol=1e-4, atol=1e-6)
    with pytest.raises(OptionError, match=r"'vgg'.*inception-v3-tv, efficientnet-lite0, percept"):
        features.extract(pictures, "vgg")
    with pytest.raises(OptionError, match="no pictures"):
        features.extract([], "perceptual-offline")


def test_inception_features_are_those_before_its_classifier(torch_home, rng):
    torch.manual_seed(0)
    network = torchvision.models.inception_v3(init_weights=False)
    torch.save(network.state_dict(), torch_home / "inception_v3_google-0cc3c7bd.pth")
    picture = rng.integers(0, 256, (299, 299, 3), dtype=np.uint8)
    found = features.extract([picture], "inception-v3-tv")
    assert found.shape == (1, 2048)
    with torch.inference_mode():
        # [-1, 1] is what the network was trained on; its published form is fed ImageNet's scale.
        logits = network.eval()(tensor(picture) / 127.5 - 1)
        classified = network.fc(torch.from_numpy(found))
    assert torch.allclose(logits, classified, rtol=1e-2, atol=1e-4)


def test_efficientnet_features_see_colours(photo):
    """As the network was trained: (x - 127) / 128 at 224 x 224."""
    found = features.extract([photo, to_gray(photo)], "efficientnet-lite0")
    assert found.shape == (2, 320)
    assert np.abs(found[0] - found[1]).max() > 0.05
    network = EfficientNetLite(planes=3)
    pretrained.load_efficientnet_lite(network, pretrained.find_efficientnet_lite())
    square = cv2.resize(photo, (224, 224), interpolation=cv2.INTER_AREA)
    with torch.inference_mode():
        expected = network.eval()((tensor(square) - 127) / 128)[-1].mean((2, 3))[0].numpy()
    again = features.extract([square], "efficientnet-lite0")[0]
    assert again == pytest.approx(expected, abs=1e-4)


def test_inception_that_cannot_be_had_is_an_error(torch_home, photo):
    with pytest.raises(WeightsError, match=r"Inception v3 \(109 MB\) cannot be had.*OFFLINE"):
        features.extract([photo], "inception-v3-tv")


def test_baselines_have_the_truths_lightness(photo):
    gray, mean = (baselines.make_baseline(name, photo) for name in baselines.BASELINES)
    assert colourfulness(gray) == 0
    ab = rgb2lab(mean)[..., 1:]
    assert np.abs(np.median(ab, (0, 1)) - baselines.load_mean_colour()).max() < 1
    for picture in (gray, mean):
        gap = np.abs(lightness(picture / 255.0) - lightness(photo / 255.0))
        assert gap.mean() < 0.3  # 8-bit rounding


def test_the_interval_of_a_mean_is_about_two_standard_errors(rng):
    values = rng.normal(5, 2, 400)
    mean, low, high = estimate_interval(values)
    assert mean == pytest.approx(values.mean())
    assert (high - low) / 2 == pytest.approx(1.96 * values.std() / 20, rel=0.1)
    assert estimate_interval(values) == (mean, low, high)
