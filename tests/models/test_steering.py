"""Questions, a reference photo and variants by number, with the built-in model."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from skimage.data import astronaut, chelsea, coffee

from colorize_core.errors import OptionError
from colorize_core.imaging.color import rgb_to_lab
from colorize_core.metrics.ciede2000 import ciede2000
from colorize_core.metrics.protocol import crop_square, recombine, to_gray
from colorize_core.models.classification import HintLayer
from colorize_core.models.runner import Runner, Task
from colorize_core.options import VARIANTS, Options, check_variant
from colorize_core.steering.hints import Hint, read_hints

Picture = NDArray[np.uint8]


@pytest.fixture(scope="module")
def model(load_model: Any) -> Any:
    return load_model("autochrome")


@pytest.fixture(scope="module")
def gray() -> Picture:
    return to_gray(astronaut())


@pytest.fixture(scope="module")
def free(model: Any, gray: Picture) -> Any:
    return model.predict(gray)


def ab_of(picture: Picture) -> NDArray[Any]:
    return rgb_to_lab(picture.astype(np.float64) / 255)[..., 1:]


# --- questions ----------------------------------------------------------------------------------


def test_questions_are_few_the_weightiest_first_and_each_of_another_region(
    model: Any, gray: Picture, free: Any
) -> None:
    asked = model.questions(gray, free)
    assert 3 <= len(asked) <= 7
    weights = [question.weight for question in asked]
    assert weights == sorted(weights, reverse=True)
    for question in asked:
        assert 2 <= len(question.colours) <= 3
        assert len(question.colours) == len(question.odds) == len(question.swatches)
        assert list(question.odds) == sorted(question.odds, reverse=True)
        assert sum(question.odds) <= 1.5
        light = rgb_to_lab(np.array(question.swatches) / 255)[:, 0]
        assert np.abs(light - question.lightness).max() < 1
        inside = np.array([question.outline])
        assert inside.min() >= 0
        assert inside.max() <= 1
    for number, one in enumerate(asked):
        for other in asked[:number]:
            row, col = int(one.y * other.fill.shape[0]), int(one.x * other.fill.shape[1])
            assert other.fill[row, col] <= 0.5
            both = np.minimum(one.fill, other.fill).sum()
            assert both < 0.8 * one.fill.sum()
    assert len(model.questions(gray, free, count=2)) == 2


def test_faces_are_not_asked_about(model: Any, gray: Picture, free: Any) -> None:
    """The astronaut's is at (0.44, 0.24)."""
    for question in model.questions(gray, free, count=12):
        height, width = question.fill.shape
        assert question.fill[int(0.24 * height), int(0.44 * width)] < 0.5
        assert np.hypot(question.x - 0.44, question.y - 0.24) > 0.07


def test_an_answer_colours_its_region_and_is_not_asked_again(
    model: Any, gray: Picture, free: Any
) -> None:
    first, *_ = model.questions(gray, free)
    plain = ab_of(model.render(gray, free))
    row, col = int(first.y * gray.shape[0]), int(first.x * gray.shape[1])
    for answer in (1, (25.0, -30.0)):
        hints = first.answer(answer)
        assert len(hints) >= 1
        prediction = model.guide(gray, free, hints)
        wanted = first.colours[answer] if isinstance(answer, int) else answer
        made = ab_of(model.render(gray, prediction))[row, col]
        assert np.hypot(*(made - wanted)) < 0.5 * np.hypot(*(plain[row, col] - wanted))
        again = model.questions(gray, free, hints)
        for question in again:
            assert np.minimum(question.fill, first.fill).sum() < 0.5 * first.fill.sum()
        layered = model.questions(gray, prediction, hints)  # with what the prediction knows of them
        assert [(q.x, q.y) for q in layered] == [(q.x, q.y) for q in again]


def test_a_colour_that_is_not_offered_is_refused(model: Any, gray: Picture, free: Any) -> None:
    first, *_ = model.questions(gray, free, count=1)
    for number in (-1, 3):
        with pytest.raises(OptionError, match="allowed is 0 to"):
            first.answer(number)


def test_a_question_is_json_whose_hints_are_read_again(
    model: Any, gray: Picture, free: Any
) -> None:
    first, *_ = model.questions(gray, free, count=1)
    given = json.loads(json.dumps(first.as_dict()))
    for number, colour in enumerate(given["colours"]):
        assert list(read_hints(colour["hints"])) == first.answer(number)


def test_what_is_sure_is_not_asked(model: Any) -> None:
    flat = np.full((64, 64, 3), 255, np.uint8)
    assert all(q.weight >= 0.1 for q in model.questions(flat, model.predict(flat)))


@pytest.mark.parametrize("size", [(1, 1), (17, 333)])
def test_odd_photos_can_be_asked_about(model: Any, size: tuple[int, int], gray_scene: Any) -> None:
    photo = gray_scene(*size)
    for question in model.questions(photo, model.predict(photo)):
        assert all(0 <= n <= 1 for place in question.places for n in place)


def test_questions_about_a_megapixel_take_less_than_its_colours(model: Any) -> None:
    """Half as long as the network's look at the photo, measured in turns."""
    photo = np.tile(to_gray(astronaut()), (2, 2, 1))[:864]
    looking, asking = [], []
    for _ in range(4):
        start = time.perf_counter()
        prediction = model.predict(photo)
        between = time.perf_counter()
        model.questions(photo, prediction)
        looking.append(between - start)
        asking.append(time.perf_counter() - between)
    assert min(asking) < 1.5 * min(looking)


def test_true_answers_beat_random_true_clicks(model: Any, rng: np.random.Generator) -> None:
    from benchmarks.questions import measure

    scores = [measure(model, crop_square(photo), rng, (0, 3)) for photo in (astronaut(), chelsea())]
    mean = {name: np.mean([each[name] for each in scores], axis=0) for name in scores[0]}
    assert mean["picked"][0] == mean["random"][0]
    assert mean["picked"][1] < mean["random"][1] < mean["random"][0]


# --- a reference photo --------------------------------------------------------------------------


@pytest.mark.parametrize("photo", [astronaut, coffee])
def test_a_mirror_image_gives_its_colours(model: Any, photo: Any) -> None:
    truth = crop_square(photo())
    gray = to_gray(truth)
    mirror = np.ascontiguousarray(truth[:, ::-1])
    plain = ciede2000(recombine(model.colorize(gray), truth), truth)
    guided = ciede2000(recombine(model.colorize(gray, reference=mirror), truth), truth)
    assert guided < 0.75 * plain


def test_what_has_nothing_in_common_changes_little(model: Any) -> None:
    cat, cup = crop_square(chelsea()), crop_square(coffee())
    gray = to_gray(cat)
    plain = ciede2000(recombine(model.colorize(gray), cat), cat)
    guided = ciede2000(recombine(model.colorize(gray, reference=cup), cat), cat)
    assert guided < plain + 0.5


def test_strength_goes_from_nothing_to_all(model: Any, gray: Picture, free: Any) -> None:
    mirror = np.ascontiguousarray(astronaut()[:, ::-1])
    none, half, full = (
        np.array([hint.ab for hint in model.match_reference(gray, mirror, n, prediction=free)])
        for n in (0.0, 0.5, 1.0)
    )
    assert np.allclose(half, (none + full) / 2, atol=0.01)
    assert np.abs(full - none).mean() > 2
    with pytest.raises(OptionError, match="strength"):
        model.match_reference(gray, mirror, 2.0)


def test_sixteen_bits_are_the_same_reference(model: Any, gray: Picture, free: Any) -> None:
    mirror = np.ascontiguousarray(astronaut()[:, ::-1])
    one = model.match_reference(gray, mirror, prediction=free)
    other = model.match_reference(gray, mirror.astype(np.uint16) * 257, prediction=free)
    assert abs(len(one) - len(other)) <= 0.1 * len(one)
    first, second = (np.mean([hint.ab for hint in hints], axis=0) for hints in (one, other))
    assert np.abs(first - second).max() < 1.5


def test_the_photos_of_a_series_have_their_reference_looked_at_once(
    model: Any, gray: Picture, free: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = np.ascontiguousarray(astronaut()[:, ::-1])
    looks: list[Any] = []
    look = model._predict_distribution
    monkeypatch.setattr(
        model, "_predict_distribution", lambda seen: looks.append(seen) or look(seen)
    )
    monkeypatch.setattr(model, "_reference", None)
    first = model.match_reference(gray, reference, prediction=free)
    assert model.match_reference(gray, reference.copy(), prediction=free) == first
    assert len(looks) == 1
    reference[:] = coffee()[:1, :1]
    assert model.match_reference(gray, reference, prediction=free) != first
    assert len(looks) == 2


# --- variants by number -------------------------------------------------------------------------


def test_a_variant_is_had_by_its_number(model: Any, gray: Picture) -> None:
    every = model.variants(gray)
    pictures = [model.render(gray, each.prediction) for each in every]
    for number in (0, 1, len(every) - 1):
        assert np.array_equal(model.colorize(gray, variant=number), pictures[number])


def test_a_variant_that_the_photo_has_not_is_refused(model: Any, gray: Picture) -> None:
    flat = np.full((32, 32, 3), 255, np.uint8)
    with pytest.raises(OptionError, match="for this photo"):
        model.colorize(flat, variant=VARIANTS - 1)
    for number in (-1, VARIANTS, 0.5, True, "1"):
        with pytest.raises(OptionError, match="variant is"):
            check_variant(number)
        with pytest.raises(OptionError):
            model.colorize(gray, variant=number)


def test_hints_go_over_a_variant_and_leave_it(model: Any, gray: Picture) -> None:
    hint = Hint(0.2, 0.85, (0.0, -35.0), 0.02)
    second = model.predict(gray, variant=1)
    hinted = model.guide(gray, second, [hint])
    assert sum(isinstance(layer, HintLayer) for layer in hinted.layers) == 2
    picture = model.render(gray, hinted)
    assert np.array_equal(picture, model.colorize(gray, variant=1, hints=[hint]))
    assert ab_of(picture)[435, 102, 1] < -10
    without = model.render(gray, model.guide(gray, hinted, []))
    assert np.array_equal(without, model.render(gray, second))


def test_models_without_hints_refuse_all_steering(load_model: Any, gray_scene: Any) -> None:
    other = load_model("unet-gan")
    photo = gray_scene(40, 50)
    for steering in ({"variant": 1}, {"reference": photo}, {"hints": [Hint(0.5, 0.5, (1, 1))]}):
        with pytest.raises(OptionError, match="takes no colour hints"):
            other.colorize(photo, **steering)


def test_options_have_the_runner_steer(load_model: Any, gray: Picture) -> None:
    model = load_model("autochrome")
    runner, task = Runner(lambda _: model), Task()
    hint = Hint(0.2, 0.85, (0.0, -35.0), 0.02)
    options = Options(variant=1, hints=(hint,))
    picture, _ = runner.colorize(gray, options, task)
    assert np.array_equal(picture, model.colorize(gray, variant=1, hints=[hint]))
    free = runner.predict(gray, Options(), task)
    varied = runner.vary(gray, free, replace(options, hints=()), task)
    guided = runner.guide(gray, varied, options, task)
    assert np.array_equal(runner.render(gray, guided, options, task), picture)
    assert options.network_part() != replace(options, variant=2).network_part()
    asked = runner.ask(gray, guided, options, task)
    assert [q.x for q in asked] == [q.x for q in model.questions(gray, guided, [hint])]
