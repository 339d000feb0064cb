"""The networks of the published systems, at the width of the originals and at a small one."""

import pytest
import torch

from colorize_core.downloads import checkpoints
from colorize_core.models import perceptual
from colorize_core.networks.cnn import Cnn, CnnConfig
from colorize_core.networks.diffusion_unet import DiffusionUNet, DiffusionUNetConfig
from colorize_core.networks.discriminators import PatchDiscriminator
from colorize_core.networks.noise import Noise
from colorize_core.networks.perceptual import Perceptual, PerceptualConfig
from colorize_core.networks.resnet import ResNetTrunk
from colorize_core.networks.resnet_autoencoder import ResNetAutoencoder, ResNetAutoencoderConfig
from colorize_core.networks.resnet_fcn import ResNetFcn, ResNetFcnConfig
from colorize_core.networks.resnet_unet import ResNetUNet, ResNetUNetConfig
from colorize_core.networks.sagan import SaganConfig, SaganDiscriminator, SaganGenerator
from colorize_core.networks.se_unet import SeUNet, SeUNetConfig
from colorize_core.networks.unet import UNet, UNetConfig
from colorize_core.networks.vit import VitConfig, VitDiscriminator, VitGenerator

torch.manual_seed(0)  # of the networks that are built below: narrow ones may begin with dead ends


def count(network):
    return sum(p.numel() for p in network.parameters())


@pytest.fixture(autouse=True)
def build_without_memory(request):
    """The counts need no numbers: networks at full width are built as shapes only."""
    if "stated" not in request.fixturenames:
        yield
        return
    with torch.device("meta"):
        yield


# What papers and published weights state; ResNets without their classifier, which is left out.
@pytest.mark.parametrize(
    ("build", "stated", "within"),
    [
        (Cnn, 0.97e6, 0.01),
        (lambda: ResNetTrunk((2, 2, 2, 2)), 11_689_512 - 513_000, 0),
        (lambda: ResNetTrunk((3, 4, 6, 3), bottleneck=True), 25_557_032 - 2_049_000, 0),
        (lambda: ResNetTrunk((3, 4, 23, 3), bottleneck=True), 44_549_160 - 2_049_000, 0),
        (UNet, 54.41e6, 0.001),
        (PatchDiscriminator, 2.77e6, 0.005),
        (lambda: VitGenerator().trunk, 86_567_656 - 769_000, 0),
        (DiffusionUNet, 6.9e6, 0.01),
    ],
)
def test_full_width_has_the_stated_parameters(build, stated, within):
    assert count(build()) == pytest.approx(stated, rel=within, abs=0)


@pytest.mark.parametrize(
    ("network", "cell"),
    [
        (Cnn(CnnConfig(width=8)), 1),
        (ResNetAutoencoder(ResNetAutoencoderConfig(width=8)), 1),
        (ResNetFcn(ResNetFcnConfig(depths=(1, 1, 1, 1), width=8)), 1),
        (ResNetUNet(ResNetUNetConfig(depths=(1, 1, 1, 1), width=8)), 2),
        (ResNetUNet(ResNetUNetConfig(trunk="efficientnet-lite0")), 2),
        (UNet(UNetConfig(width=8, depth=5)), 1),
        (SaganGenerator(SaganConfig(width=8, depth=4)), 2),
        (SeUNet(SeUNetConfig(widths=(8, 8, 16, 16), latent=16)), 1),
        (SeUNet(SeUNetConfig(widths=(8, 8, 8, 8), ratio=0, skips=False, latent=16)), 1),
        (VitGenerator(VitConfig(width=32, depth=1, heads=2, decoder=32)), 1),
    ],
    ids=lambda value: type(value).__name__,
)
def test_ab_has_the_size_of_l(network, cell):
    lightness = torch.rand(2, 1, 64, 96) * 100
    ab = network.eval()(lightness)
    assert ab.shape == (2, 2, 64 // cell, 96 // cell)
    assert ab.std() > 0
    assert not torch.equal(ab, network(100 - lightness))


@pytest.mark.parametrize(
    "network",
    [
        PatchDiscriminator(width=8, downs=2),
        SaganDiscriminator(width=8, downs=2),
        VitDiscriminator(VitConfig(width=32, depth=1, heads=2)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_discriminators_look_at_colour_and_lightness(network):
    lightness, ab = torch.rand(2, 1, 64, 64) * 100, torch.randn(2, 2, 64, 64) * 30
    logits = network.eval()(lightness, ab)
    assert logits.shape[:2] == (2, 1)
    assert not torch.equal(logits, network(lightness, -ab))
    assert not torch.equal(logits, network(100 - lightness, ab))


def test_the_bottleneck_of_the_se_unet_is_512_at_a_sixteenth():
    with torch.device("meta"):
        latent, skips = SeUNet().encode(torch.rand(1, 1, 256, 256))
    assert latent.shape == (1, 512, 16, 16)
    assert [skip.shape[-1] for skip in skips] == [128, 64, 32, 16]


@pytest.mark.parametrize(("fold", "tells"), [(1, "noise"), (4, "velocity")])
def test_denoising_depends_on_the_photo_and_on_time(fold, tells):
    network = DiffusionUNet(DiffusionUNetConfig(width=8, fold=fold, tells=tells))
    noisy, seen = torch.randn(2, 2, 16, 16), torch.rand(2, 1, 64, 64) * 100
    early, late = torch.tensor([1, 1]), torch.tensor([200, 200])
    noise = network(noisy, seen, early)
    assert noise.shape == noisy.shape
    assert not torch.equal(noise, network(noisy, seen, late))
    assert not torch.equal(noise, network(noisy, 100 - seen, early))


def test_the_noise_is_what_the_velocity_says():
    network = DiffusionUNet(DiffusionUNetConfig(width=8, tells="velocity"))
    picture, noise = torch.randn(2, 3, 2, 16, 16).unbind()
    schedule, step = Noise("linear"), torch.tensor([0, 150, 299])
    left = schedule.left[step].view(-1, 1, 1, 1)
    velocity = left.sqrt() * noise - (1 - left).sqrt() * picture  # Salimans and Ho, appendix D
    network.head = torch.nn.Module()
    network.head.forward = lambda _: velocity
    noisy, time = schedule.add(picture, noise, step), schedule.times[step]
    told = network(noisy, torch.rand(3, 1, 64, 64), time)
    assert torch.allclose(told, noise, atol=1e-3)


def test_the_perceptual_distance_sees_differences_and_learns_names():
    torch.manual_seed(0)
    network = Perceptual(PerceptualConfig(kinds=("a", "b", "c"), widths=(8, 8, 8, 8, 8))).eval()
    photos = torch.rand(2, 3, 64, 64)
    assert network(photos).shape == (2, 3)
    assert network.distance(photos, photos).abs().max() == 0
    little, much = (network.distance(photos, photos.lerp(photos.flip(0), t)) for t in (0.1, 0.9))
    assert (little > 0).all()
    assert (little < much).all()


def test_the_bundled_trunk_is_what_its_card_says_and_sees_colour():
    trunk = perceptual.load("cpu")
    assert count(trunk) == perceptual.CARD.parameters
    file = perceptual.CARD.weights[0]
    assert checkpoints.find(file).stat().st_size == file.bytes
    torch.manual_seed(0)
    photo = torch.rand(1, 3, 8, 8).repeat_interleave(16, 2).repeat_interleave(16, 3)
    gray = photo.mean(1, keepdim=True).expand_as(photo)
    with torch.no_grad():
        half, full = (trunk.distance(photo, photo.lerp(gray, share)) for share in (0.5, 1.0))
    assert 0 < half < full
