"""What the built-in model does with its trained weights."""

import numpy as np
import pytest
import torch
from skimage.data import astronaut, chelsea

from colorize_core.errors import OptionError
from colorize_core.imaging.color import rgb_to_lab
from colorize_core.metrics.colourfulness import colourfulness
from colorize_core.metrics.protocol import crop_square, to_gray
from colorize_core.models.base import _predict_plain
from colorize_core.models.hints import apply_hints, draw_hints
from colorize_core.steering.hints import Hint


@pytest.fixture(scope="module")
def model(load_model):
    return load_model("autochrome")


@pytest.fixture(scope="module")
def gray():
    return to_gray(crop_square(astronaut()))


def ab(picture):
    return rgb_to_lab(picture / 255.0)[..., 1:]


@pytest.mark.parametrize("photo", [astronaut, chelsea])
def test_it_beats_gray_where_the_truth_is_known(model, photo):
    truth = crop_square(photo())
    error = np.abs(ab(model.colorize(to_gray(truth))) - ab(truth)).mean()
    assert error < np.abs(ab(truth)).mean()


def test_vividness_and_strength_scale_the_colour(model, gray):
    dull, normal, vivid = (
        colourfulness(model.colorize(gray, vividness=v)) for v in (0.0, 1.0, 2.0)
    )
    assert 0 < dull < normal < vivid
    weak, strong = (colourfulness(model.colorize(gray, strength=s)) for s in (0.5, 1.5))
    assert weak < normal < strong
    assert colourfulness(model.colorize(gray, strength=0.0)) == 0


def test_rendering_again_runs_no_network(model, gray, monkeypatch):
    prediction = model.predict(gray)
    monkeypatch.setattr(model, "predict_ab", None)
    first = model.render(gray, prediction, vividness=0.5)
    second = model.render(gray, prediction, vividness=1.5)
    assert colourfulness(first) < colourfulness(second)


def test_gain_changes_the_networks_copy_only(model, gray):
    changed = model.colorize(gray, gain=0.6)
    assert not np.array_equal(changed, model.colorize(gray))
    assert np.abs(rgb_to_lab(changed / 255.0) - rgb_to_lab(gray / 255.0))[..., 0].max() < 0.6


@pytest.mark.parametrize("wanted", [(40.0, 25.0), (-35.0, 30.0), (0.0, -40.0)])
def test_a_hint_is_obeyed_where_it_is_and_not_far_away(model, gray, wanted):
    place = Hint(x=0.3, y=0.8, ab=wanted, radius=0.03)  # the left sleeve of the suit
    before, after = ab(model.colorize(gray)), ab(model.colorize(gray, hints=[place]))
    way = np.array(wanted) - before[205, 77]
    moved = ((after - before) @ way) / (way @ way)
    assert moved[200:210, 72:82].mean() > 0.5
    assert np.abs(moved[:60, 180:]).mean() < 0.15


def test_hints_are_drawn_where_they_lie():
    planes = draw_hints([Hint(1.0, 0.0, (10, -20), 0.1)], (32, 48), (20, 40))
    assert planes[2, 0:5, 35:44].all()
    assert planes[2].sum() == 5 * 9
    assert planes[:, 0, 39].tolist() == [10, -20, 1]


@pytest.mark.parametrize(
    "values", [(1.2, 0, (0, 0)), (0, -0.1, (0, 0)), (0, 0, (200, 0)), (0, 0, (0, 0), 2)]
)
def test_hints_outside_the_photo_or_the_colours_are_refused(values):
    with pytest.raises(OptionError, match="hint"):
        Hint(*values)


def test_a_hint_fills_its_object_and_stops_at_the_edge():
    level = np.full((20, 20), 70, np.float32)
    level[5:15, 5:15] = 40  # a dark square
    free, guided = torch.zeros(2, 1, 2, 20, 20)
    ab = apply_hints(free, guided, [Hint(0.5, 0.5, (40, -20))], level, (20, 20))[0]
    square = ab[0, 6:14, 6:14] / 40
    assert square.min() > 0.5
    assert square[4, 4] == pytest.approx(1.0)
    assert ab[0, :4].max() / 40 < 0.1
    assert torch.allclose(ab[1], ab[0] * -0.5, atol=1e-5)


def test_the_networks_answer_to_a_hint_is_kept_near_it():
    level = np.full((20, 20), 30, np.float32)
    level[:, 10:] = 90
    free, guided = torch.zeros(1, 2, 20, 20), torch.full((1, 2, 20, 20), 30.0)
    ab = apply_hints(free, guided, [Hint(0.1, 0.5, (30, 30))], level, (20, 20))
    assert ab[..., :9].min() > 25
    assert ab[..., 11:].max() < 10


def test_two_hints_share_what_lies_between():
    level = np.full((10, 30), 50, np.float32)
    hints = [Hint(0, 0.5, (40, 0)), Hint(1, 0.5, (-40, 0))]
    ab = apply_hints(*torch.zeros(2, 1, 2, 10, 30), hints, level, (10, 30))[0, 0, 5]
    assert ab[0] > 39
    assert ab[-1] < -39
    assert (ab.diff() < 1e-4).all()


def test_a_prediction_belongs_to_its_photo(model, gray):
    prediction = model.predict(gray)
    with pytest.raises(OptionError, match="Predict this photo first"):
        model.render(gray[:100], prediction)


def test_sepia_is_reported_and_can_be_left(model, gray):
    toned = (gray * np.array([1.0, 0.9, 0.75])).astype(np.uint8)
    assert model.predict(toned).tint == "sepia"
    assert model.predict(toned, neutralize=False).tint is None
    assert model.predict(gray).tint is None


def test_a_network_of_one_ab_sees_the_mirror_image_too_and_scales_with_vividness():
    def network(lightness):  # redder on the left than on the right
        ramp = torch.linspace(40, 0, lightness.shape[-1]).expand_as(lightness)
        return torch.cat([ramp, -ramp / 2], 1)

    light = torch.full((1, 1, 16, 32), 50.0)
    decode = _predict_plain(network, light, torch.zeros(1, 3, 16, 32))
    expected = torch.tensor([20.0, -10.0]).view(1, 2, 1, 1).expand(1, 2, 16, 32)
    for vividness, times in ((0.0, 0.5), (1.0, 1.0), (2.0, 2.0)):
        assert torch.allclose(decode(vividness), expected * times, atol=1e-4)
