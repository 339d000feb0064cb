"""What every model promises, whatever its network: each test runs for each card. Those that are
downloaded are tried as small networks of their kind, with weights by a formula."""

from __future__ import annotations

import copy
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import port_weights
import pytest
from numpy.typing import NDArray

import colorize_core
from colorize_core.errors import Cancelled, OptionError
from colorize_core.imaging.color import lightness
from colorize_core.imaging.finish import Finish
from colorize_core.models import registry
from colorize_core.models.base import AbColorizer
from colorize_core.models.batching import batch_network

SIDE = 96  # pixels that networks see
SIDES = {"coltran": 16}  # it draws one place after the other
NAMES = [card.name for card in colorize_core.cards(downloads=True)]

# L of the output against L of the input, in Lab units. All that may move L is the rounding of the
# result: half a level a channel, together at most half a gray level, 0.2 L or a little more.
MEAN_L, MOST_L = 0.1, 0.3
MEAN_L_16, MOST_L_16 = MEAN_L / 200, MOST_L / 200  # 257 times finer, less the float arithmetic

Scene = Callable[..., NDArray[np.uint8]]


@pytest.fixture(scope="module", params=NAMES)  # a model after the other: one is loaded at a time
def model(
    request: pytest.FixtureRequest,
    load_model: Callable[[str], Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> Any:
    if request.param in registry.DOWNLOADS:
        folder = tmp_path_factory.mktemp("weights")
        return quicken(port_weights.small_model(request.param, folder))
    return quicken(load_model(request.param))


def quicken(model: Any) -> Any:
    """The same, but that it sees a photo small, in the fewest `steps` where there is such a
    control: what is promised here depends on neither."""
    controls = (
        replace(control, default=control.low) if control.name == "steps" else control
        for control in model.card.controls
    )
    quick = port_weights.see_less(model, SIDES.get(model.card.name, SIDE))
    quick.card = replace(quick.card, controls=tuple(controls))
    return quick


def off_l(before: NDArray[Any], after: NDArray[Any]) -> NDArray[np.float64]:
    top = np.iinfo(before.dtype).max
    difference: NDArray[np.float64] = lightness(before / top) - lightness(after / top)
    return np.abs(difference)


@pytest.mark.parametrize(
    "size", [(1, 1), (1, 2), (2, 1), (17, 333), (333, 17), (64, 64), (301, 200), (1, 900)]
)
def test_any_size_comes_back_as_it_went_in(
    model: Any, gray_scene: Scene, size: tuple[int, int]
) -> None:
    gray = gray_scene(*size)
    colour = model.colorize(gray)
    assert colour.shape == gray.shape
    assert colour.dtype == np.uint8


def test_colour_is_added(model: Any, gray_scene: Scene) -> None:
    colour = model.colorize(gray_scene(240, 320)).astype(int)
    assert (colour.max(axis=2) - colour.min(axis=2)).mean() > 1


def test_lightness_is_kept(model: Any, gray_scene: Scene) -> None:
    gray = gray_scene(240, 320)
    off = off_l(gray, model.colorize(gray, vividness=2.0, strength=1.5))
    assert off.mean() < MEAN_L
    assert off.max() < MOST_L


def test_lightness_is_kept_at_every_shade(model: Any) -> None:
    ramp = np.repeat(np.tile(np.arange(256, dtype=np.uint8), (64, 1))[..., None], 3, axis=2)
    off = off_l(ramp, model.colorize(ramp, vividness=2.0, strength=1.5))
    assert off.mean() < MEAN_L
    assert off.max() < MOST_L


def test_sixteen_bits_stay_sixteen_and_keep_lightness_finer(model: Any, gray_scene: Scene) -> None:
    gray = gray_scene(120, 160).astype(np.uint16) * 257
    gray += np.arange(160, dtype=np.uint16)[:, None]  # shades that 8 bits do not have
    gray = np.minimum(gray, 60000)
    colour = model.colorize(gray)
    assert colour.dtype == np.uint16
    off = off_l(gray, colour)
    assert off.mean() < MEAN_L_16
    assert off.max() < MOST_L_16


def test_eight_and_sixteen_bits_agree(model: Any, gray_scene: Scene) -> None:
    gray = gray_scene(120, 160)
    fine = model.colorize(gray.astype(np.uint16) * 257)
    assert np.abs(model.colorize(gray) - fine / 257).max() < 1.01


def test_the_input_is_not_touched(model: Any, gray_scene: Scene) -> None:
    gray = gray_scene(90, 120)
    before = gray.copy()
    gray.flags.writeable = False
    model.colorize(gray)
    assert np.array_equal(gray, before)


def test_any_memory_layout_gives_the_same(model: Any, gray_scene: Scene) -> None:
    gray = gray_scene(90, 120)
    expected = model.colorize(gray)
    wide = np.zeros((180, 240, 3), np.uint8)
    wide[::2, ::2] = gray
    assert np.array_equal(model.colorize(wide[::2, ::2]), expected)
    assert np.array_equal(model.colorize(np.asfortranarray(gray)), expected)


def test_the_same_photo_gives_the_same_colours(model: Any, gray_scene: Scene) -> None:
    gray = gray_scene(150, 200)
    assert np.array_equal(model.colorize(gray), model.colorize(gray))


def test_colours_of_the_input_do_not_count(model: Any, gray_scene: Scene) -> None:
    gray = gray_scene(90, 120)
    assert np.array_equal(model.colorize(gray, neutralize=False), model.colorize(gray))


def test_strength_zero_is_exactly_neutral(model: Any, gray_scene: Scene) -> None:
    gray = gray_scene(90, 120)
    neutral = model.colorize(gray, strength=0.0)
    assert np.array_equal(neutral[..., 0], neutral[..., 1])
    assert np.array_equal(neutral[..., 1], neutral[..., 2])
    assert np.array_equal(neutral, gray)


@pytest.mark.parametrize("option", ["strength", "vividness"])
def test_more_gives_more_colour(model: Any, gray_scene: Scene, option: str) -> None:
    gray = gray_scene(150, 200)
    prediction = model.predict(gray)

    def chroma(value: float) -> float:
        colour = model.render(gray, prediction, **{option: value}).astype(int)
        return float((colour.max(axis=2) - colour.min(axis=2)).mean())

    assert chroma(0.25) < chroma(1.0) < chroma(1.5)


def test_gain_changes_what_the_network_sees_only(model: Any, gray_scene: Scene) -> None:
    gray = gray_scene(150, 200)
    darker = model.colorize(gray, gain=0.6)
    assert not np.array_equal(darker, model.colorize(gray))
    assert off_l(gray, darker).mean() < MEAN_L


def test_two_steps_are_one(model: Any, gray_scene: Scene) -> None:
    gray = gray_scene(90, 120)
    prediction = model.predict(gray, gain=0.8)
    for vividness, strength in ((1.0, 1.0), (0.5, 1.2)):
        expected = model.colorize(gray, gain=0.8, vividness=vividness, strength=strength)
        rendered = model.render(gray, prediction, vividness=vividness, strength=strength)
        assert np.array_equal(rendered, expected)


def test_a_finish_needs_no_network_and_keeps_lightness(
    model: Any, gray_scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    gray = gray_scene(90, 120)
    prediction = model.predict(gray)
    monkeypatch.setattr(model, "_predict", None)  # whoever asks the network fails
    before = model.render(gray, prediction)
    assert np.array_equal(model.render(gray, prediction, finish=Finish()), before)
    warm = model.render(gray, prediction, finish=Finish(warmth=1, red=0.5, ceiling=60))
    assert warm[..., 2].mean() < before[..., 2].mean() - 5
    off = off_l(gray, warm)
    assert off.mean() < MEAN_L
    assert off.max() < MOST_L
    assert off_l(gray, model.render(gray, prediction, finish=Finish(gamma=2))).mean() > 5


def test_a_finish_of_both_steps_is_that_of_one(model: Any, gray_scene: Scene) -> None:
    gray = gray_scene(90, 120).astype(np.uint16) * 257
    finish = Finish(black=5, gamma=1.3, blue=-0.5, tint=0.3)
    whole = model.colorize(gray, finish=finish)
    assert whole.dtype == np.uint16
    assert np.array_equal(model.render(gray, model.predict(gray), finish=finish), whole)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("vividness", -0.01),
        ("vividness", 2.01),
        ("strength", -0.01),
        ("strength", 1.51),
        ("gain", 0.49),
        ("gain", 2.01),
        ("gain", float("nan")),
    ],
)
def test_options_out_of_range_are_refused(
    model: Any, gray_scene: Scene, option: str, value: float
) -> None:
    with pytest.raises(OptionError, match=option):
        model.colorize(gray_scene(8, 8), **{option: value})


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((8, 8), np.uint8),
        np.zeros((8, 8, 1), np.uint8),
        np.zeros((8, 8, 4), np.uint8),
        np.zeros((1, 8, 8, 3), np.uint8),
        np.zeros((0, 8, 3), np.uint8),
        np.zeros((8, 8, 3), np.float32),
        np.zeros((8, 8, 3), np.int16),
        [[[0, 0, 0]]],
        None,
        "photo.jpg",
    ],
    ids=lambda image: (
        f"{getattr(image, 'dtype', type(image).__name__)}{getattr(image, 'shape', '')}"
    ),
)
def test_what_is_no_picture_is_refused(model: Any, image: Any) -> None:
    with pytest.raises(OptionError, match="uint8"):
        model.colorize(image)


def test_an_unknown_option_is_an_error(model: Any, gray_scene: Scene) -> None:
    with pytest.raises(TypeError, match="vividnes"):
        model.colorize(gray_scene(8, 8), vividnes=1.0)


def test_progress_rises_to_one(model: Any, gray_scene: Scene) -> None:
    shares: list[float] = []
    model.colorize(gray_scene(900, 800), progress=shares.append)
    assert len(shares) > 1
    assert shares == sorted(shares)
    assert shares[0] >= 0
    assert shares[-1] == 1


def test_cancelled_in_progress_stops_the_work(model: Any, gray_scene: Scene) -> None:
    calls: list[float] = []

    def stop(share: float) -> None:
        calls.append(share)
        raise Cancelled("enough")

    with pytest.raises(Cancelled):
        model.colorize(gray_scene(900, 800), progress=stop)
    assert len(calls) == 1


def test_hints_are_taken_or_refused_as_the_card_says(model: Any, gray_scene: Scene) -> None:
    from colorize_core.steering.hints import Hint

    gray = gray_scene(150, 200)
    hints = [Hint(0.5, 0.5, (60.0, 30.0), 0.05)]
    if model.card.takes_hints:
        assert not np.array_equal(model.colorize(gray, hints=hints), model.colorize(gray))
    else:
        with pytest.raises(OptionError, match="hints"):
            model.colorize(gray, hints=hints)


def test_the_card_tells_the_truth(model: Any) -> None:
    from colorize_core.downloads import checkpoints

    card = model.card
    bundled = not card.download
    network = model.network if bundled else port_weights.full_network(card.name)
    assert card.parameters == sum(p.numel() for p in network.parameters())
    if bundled:
        assert all(checkpoints.find(file).stat().st_size == file.bytes for file in card.weights)
    for text in (card.title, card.summary, card.licence, card.trained_on, card.limits):
        assert text.strip()


def test_a_batch_gives_each_photo_what_it_gets_in_any_other(model: Any, gray_scene: Scene) -> None:
    """Whichever photos it came with; and but for rounding what it gets alone."""
    batched = copy.copy(model)
    if not isinstance(model, AbColorizer):
        with pytest.raises(OptionError, match="one photo at a time"):
            batch_network(batched, 3)
        return
    photos = [gray_scene(96, 64), gray_scene(64, 96), 255 - gray_scene(96, 64)]
    batching = batch_network(batched, 2)

    def predict(number: int) -> NDArray[Any]:
        with batching.photo():
            found: NDArray[Any] = batched.predict(photos[number]).fine_ab(1.0)
        return found

    with ThreadPoolExecutor(3) as pool:
        together = list(pool.map(predict, [0, 1, 2]))
        with_others = list(pool.map(predict, [2, 1]))
    off = np.abs(together[0] - model.predict(photos[0]).fine_ab(1.0))
    assert off.mean() < 0.005
    assert off.max() < 0.3  # where the guide magnifies it
    for one, other in zip(with_others, [together[2], together[1]], strict=True):
        np.testing.assert_array_equal(one, other)
