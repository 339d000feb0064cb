"""People, confidence and variants: what the built-in model makes of its distribution."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from skimage.data import astronaut, coffee

from colorize_core.errors import OptionError
from colorize_core.imaging.color import rgb_to_lab
from colorize_core.metrics.protocol import to_gray
from colorize_core.models import classification
from colorize_core.models.classification import HintLayer, WindowLayer
from colorize_core.models.regions import ColourRegion, choose, list_choices, measure_distance
from colorize_core.people.skin import SkinLayer
from colorize_core.steering.hints import Hint

Picture = NDArray[np.uint8]
CHEEKS = (slice(112, 150), slice(200, 250))  # of the astronaut
SUIT = (slice(380, 480), slice(60, 140))


@pytest.fixture(scope="module")
def model(load_model: Any) -> Any:
    return load_model("autochrome")


@pytest.fixture(scope="module")
def gray() -> Picture:
    return to_gray(astronaut())


@pytest.fixture(scope="module")
def group(gray: Picture) -> Picture:
    """Four small people in one row before a wall."""
    small = cv2.resize(gray, (180, 180), interpolation=cv2.INTER_AREA)
    photo = np.full((600, 800, 3), 120, np.uint8)
    for number in range(4):
        photo[250:430, 20 + 195 * number : 200 + 195 * number] = small
    return photo


def lab(picture: Picture) -> NDArray[Any]:
    return rgb_to_lab(picture.astype(np.float64) / np.iinfo(picture.dtype).max)


def test_faces_have_the_colours_of_skin_and_their_own_lightness(model: Any, gray: Picture) -> None:
    made = lab(model.colorize(gray))
    a, b = made[CHEEKS][..., 1:].mean((0, 1))
    assert 12 < np.hypot(a, b) < 35
    assert 30 < np.degrees(np.arctan2(b, a)) < 75
    assert np.abs(made[..., 0] - lab(gray)[..., 0]).max() < 0.6


def test_natural_skin_changes_faces_alone_and_by_its_amount(model: Any, gray: Picture) -> None:
    none, half, full = (lab(model.colorize(gray, natural_skin=n)) for n in (0.0, 0.5, 1.0))
    moved = np.linalg.norm((full - none)[..., 1:], axis=-1)
    assert moved[CHEEKS].mean() > 0.5
    assert moved[SUIT].mean() < 0.3
    assert moved[250:].mean() < 0.5
    middle = (none + full)[CHEEKS][..., 1:].mean((0, 1)) / 2
    assert half[CHEEKS][..., 1:].mean((0, 1)) == pytest.approx(middle, abs=0.6)


def test_sixteen_bits_get_the_same_skin(model: Any, gray: Picture) -> None:
    deep = lab(model.colorize(gray.astype(np.uint16) * 257))
    plain = lab(model.colorize(gray))
    assert np.abs(deep - plain)[CHEEKS].mean() < 0.5


def test_only_small_people_are_looked_at_through_windows(
    model: Any, gray: Picture, group: Picture
) -> None:
    def windows(photo: Picture) -> list[WindowLayer]:
        layers = model.predict(photo).layers
        return [layer for layer in layers if isinstance(layer, WindowLayer)]

    assert windows(gray) == []
    found = windows(group)
    assert 1 <= len(found) <= 4
    for layer in found:
        assert layer.weight.shape == layer.told.place.size == layer.fine_l.shape
        assert layer.weight.max() == 1
        assert layer.weight[0].max() < 0.5, "it fades into the photo"


def test_where_nobody_is_nothing_is_laid_over(model: Any) -> None:
    assert model.predict(to_gray(coffee())).layers == ()


def test_a_wish_for_a_face_is_obeyed_over_its_skin(model: Any, gray: Picture) -> None:
    wanted = (0.0, -35.0)
    cheek = Hint(225 / 511, 130 / 511, wanted, 0.02)
    prediction = model.predict(gray, hints=[cheek])
    assert isinstance(prediction.layers[-1], HintLayer)
    blue = lab(model.render(gray, prediction))[126:134, 221:229, 2].mean()
    assert blue < -10


def test_changed_hints_need_neither_faces_nor_windows_again(
    model: Any, gray: Picture, monkeypatch: pytest.MonkeyPatch
) -> None:
    hints = [Hint(0.2, 0.85, (0.0, -35.0), 0.02)]
    whole = model.render(gray, model.predict(gray, hints=hints))
    first = model.predict(gray, hints=[Hint(0.8, 0.2, (30.0, 30.0))])
    monkeypatch.setattr(classification, "find_faces", None)
    assert np.array_equal(model.render(gray, model.guide(gray, first, hints)), whole)
    plain = model.render(gray, model.guide(gray, first, []))
    assert not np.array_equal(plain, whole)


def test_the_spread_is_a_map_of_the_photo_and_goes_with_the_error(model: Any) -> None:
    truth = astronaut()
    gray = to_gray(truth)
    prediction = model.predict(gray)
    spread = prediction.uncertainty()
    assert spread.shape == truth.shape[:2]
    assert spread.dtype == np.float32
    assert 2 < spread.mean() < 60
    error = np.linalg.norm((lab(model.render(gray, prediction)) - lab(truth))[..., 1:], axis=-1)
    assert np.corrcoef(spread.ravel(), error.ravel())[0, 1] > 0.2


def test_a_model_without_a_distribution_has_no_map(load_model: Any, gray: Picture) -> None:
    with pytest.raises(OptionError, match="does not tell how sure"):
        load_model("unet-gan").predict(gray).uncertainty()


def test_variants_are_different_coherent_and_begin_with_the_plain_one(
    model: Any, gray: Picture
) -> None:
    variants = model.variants(gray, 6)
    assert 3 <= len(variants) <= 6
    scores = [variant.score for variant in variants]
    assert scores[0] == 0
    assert scores == sorted(scores, reverse=True)
    pictures = [lab(model.render(gray, each.prediction)) for each in variants]
    assert np.array_equal(pictures[0], lab(model.colorize(gray)))
    for number, first in enumerate(pictures):
        for second in pictures[:number]:
            apart = np.linalg.norm((first - second)[..., 1:], axis=-1)
            assert apart.mean() > 1
            assert apart[CHEEKS].mean() < 4, "skin stays"
    assert len(model.variants(gray, 1)) == 1


def region(shares: tuple[float, ...], weight: float, size: float) -> ColourRegion:
    fill = np.zeros((10, 10), np.float32)
    fill[: round(10 * size)] = 1
    colours = tuple((30.0 * number, 0.0) for number in range(len(shares)))
    return ColourRegion(fill, ((0.5, 0.5),), colours, shares, weight)


def test_likelier_choices_come_first_and_each_once() -> None:
    regions = [region((0.6, 0.3, 0.1), 3, 0.5), region((0.5, 0.4), 1, 0.2)]
    found = list(list_choices(regions))
    assert len({chosen for chosen, _ in found}) == len(found) == 6
    scores = [score for _, score in found]
    assert scores == sorted(scores, reverse=True)
    assert found[0][0] == (0, 0)
    assert found[1][0] == (0, 1)


def test_chosen_variants_are_far_apart() -> None:
    regions = [region((0.6, 0.3, 0.1), 3, 0.5), region((0.5, 0.4), 1, 0.2)]
    chosen = [each for each, _ in choose(regions, 4)]
    assert len(chosen) == 3
    for number, one in enumerate(chosen):
        assert all(
            measure_distance(regions, one, other) > 1 for other in [*chosen[:number], (0, 0)]
        )
    assert choose([], 6) == []
    tiny = [region((0.6, 0.4), 1, 0.1)]
    tiny[0].fill[:] = 0
    assert choose(tiny, 6) == [], "nobody would see the difference"


def test_the_colours_of_a_place_are_decided_without_the_detector_where_there_is_nobody(
    model: Any, gray: Picture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(classification, "find_faces", lambda image: [])
    prediction = model.predict(gray)
    assert not any(isinstance(layer, SkinLayer) for layer in prediction.layers)
