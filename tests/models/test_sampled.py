"""Models that draw their colours, on small random networks: the seam, not the colours."""

import numpy as np
import pytest
import torch

from colorize_core.errors import Cancelled, OptionError
from colorize_core.models import coltran, diffusion
from colorize_core.models.base import SampledColorizer
from colorize_core.networks.coltran import ColTran, StagesConfig
from colorize_core.networks.diffusion_unet import DiffusionUNet, DiffusionUNetConfig
from colorize_core.networks.noise import STEPS, Noise


def small_coltran():
    network = ColTran(StagesConfig(widths=(16, 16, 16), blocks=(1, 1, 1), heads=2, side=24))
    return SampledColorizer(coltran.CARD, network, coltran.walk, torch.device("cpu"), multiple=4)


def small_diffusion():
    network = DiffusionUNet(DiffusionUNetConfig(width=8))
    device = torch.device("cpu")
    return SampledColorizer(diffusion.CARD, network, diffusion.walk, device, multiple=16)


@pytest.fixture(params=[small_coltran, small_diffusion])
def model(request):
    torch.manual_seed(0)
    return request.param()


@pytest.fixture
def gray(gray_scene):
    return gray_scene(90, 60)


def test_a_seed_gives_the_same_alone_and_beside_others(model, gray):
    *_, last = model.steps(gray, seeds=(4, 7))
    for seed, prediction in zip((4, 7), last.predictions, strict=True):
        alone = model.colorize(gray, seed=seed)
        assert np.abs(alone.astype(int) - model.render(gray, prediction)).max() <= 1
    other = [model.render(gray, prediction) for prediction in last.predictions]
    assert not np.array_equal(*other)


def test_every_step_can_be_rendered_and_the_last_is_the_end(model, gray):
    steps = list(model.steps(gray, gain=0.8))
    shares = [step.share for step in steps]
    assert shares == sorted(shares)
    assert shares[-1] == 1
    first, last = (model.render(gray, steps[i].predictions[0]) for i in (0, -1))
    assert first.shape == gray.shape
    assert not np.array_equal(first, last)
    assert np.array_equal(last, model.colorize(gray, gain=0.8))


def test_what_progress_raises_stops_the_drawing(model, gray):
    seen = []

    def stop(share):
        seen.append(share)
        raise Cancelled("enough")

    with pytest.raises(Cancelled):
        model.predict(gray, progress=stop)
    assert len(seen) == 1


def test_coltran_ends_at_the_stage_asked_for(gray):
    model = small_coltran()
    steps = list(model.steps(gray))
    assert [step.stage for step in steps[-3:]] == ["coarse", "fine", "final"]
    for step in steps[-3:]:
        chosen = model.predict(gray, stage=step.stage)
        expected = model.render(gray, step.predictions[0])
        assert np.array_equal(model.render(gray, chosen), expected)
    half_drawn = steps[10].predictions[0].decode(1.0)
    assert half_drawn[0, :, :11].any()
    assert not half_drawn[0, :, 11:].any()


def test_diffusion_takes_the_steps_of_its_sampler(gray):
    model = small_diffusion()
    assert [step.stage for step in model.steps(gray, steps=5)][-1] == "step 5 of 5"
    walked = list(model.steps(gray, sampler="ancestral", schedule="linear"))
    assert len(walked) == STEPS + 1  # the one that takes all there was
    cosine, linear = (model.colorize(gray, schedule=name) for name in ("cosine", "linear"))
    assert not np.array_equal(cosine, linear)


@pytest.mark.parametrize("control", ["guidance", "temperature"])
def test_diffusion_obeys_its_controls(gray, control):
    model = small_diffusion()
    one, other = (model.colorize(gray, steps=5, **{control: value}) for value in (1.0, 1.2))
    assert not np.array_equal(one, other)


COLTRAN = {"guidance": (1.0, 3.0), "parallel": (0.0, 0.8), "temperature": (0.3, 1.2)}


@pytest.mark.parametrize("control", COLTRAN)
def test_coltran_obeys_its_controls(gray, control):
    model = small_coltran()
    one, other = (model.colorize(gray, **{control: value}) for value in COLTRAN[control])
    assert not np.array_equal(one, other)


def test_guidance_of_one_is_what_the_network_says_of_the_photo():
    network = small_diffusion().network
    lightness = torch.rand(1, 1, 64, 64) * 100

    def drawn(guidance):
        return list(network.sample(lightness, Noise(), 5, [torch.Generator()], guidance))[-1]

    assert torch.allclose(drawn(1.0), drawn(1.0 + 1e-6), atol=1e-2)
    assert not torch.allclose(drawn(1.0), drawn(2.0), atol=1e-2)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"seed": -1}, "whole number from 0 to 9999"),
        ({"seed": 1.5}, "whole number"),
        ({"seed": "x"}, "number is needed"),
        ({"hints": ["any"]}, "no colour hints"),
        ({"gain": 3.0}, "gain"),
    ],
)
def test_what_is_not_allowed_is_refused(model, gray, options, says):
    with pytest.raises(OptionError, match=says):
        model.colorize(gray, **options)


def test_a_choice_that_is_none_is_refused(gray):
    with pytest.raises(OptionError, match="allowed are: cosine, linear"):
        small_diffusion().colorize(gray, schedule="steep")
    with pytest.raises(TypeError, match="no option 'stage'"):
        small_diffusion().colorize(gray, stage="final")
