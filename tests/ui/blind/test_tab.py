"""The tab "Which is real?" without a browser: what its handlers show, hide, count and keep."""

from __future__ import annotations

import base64
import csv
import io
import json
import random
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import drawing_models
import gradio as gr
import numpy as np
import pytest
from handler_calls import WHO, Updates, call
from numpy.typing import NDArray
from PIL import Image

from colorize_core.errors import WeightsError
from colorize_core.imaging import image
from colorize_core.imaging.color import lightness
from colorize_core.metrics.mean_chroma import mean_chroma
from ui.blind import pair, result_tables, trials
from ui.blind.tab import Handlers
from ui.blind.trials import NEITHER, ORIGINAL, PREFER, REAL, SIDES, Results
from ui.shared.example_strip import find_examples
from ui.shared.service import Service

CARDS = drawing_models.CARDS
NAMES = [card.name for card in CARDS]
QUICK = ["autochrome", "student"]  # one pass each
Scene = Callable[..., NDArray[np.uint8]]


def in_colour(scene: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A picture whose colours are nothing that follows from its gray."""
    return np.stack([scene[..., 0], scene[::-1, :, 0], scene[:, ::-1, 0]], axis=2)


class Page:
    """The tab's handlers with one person's photos and browser."""

    def __init__(self, service: Service, scene: Scene, rng: random.Random):
        self.service, self.scene = service, scene
        self.on = Handlers(service, find_examples(), CARDS, rng)
        self.album: Any = []
        self.session: Any = None
        self.kept: Any = None
        self.pair: Any = None

    def photo(self, name: str, seed: int, colour: bool = True) -> dict[str, str]:
        path = self.service.folder.new(name)
        pixels = self.scene(40, 60, seed)
        Image.fromarray(in_colour(pixels) if colour else pixels).save(path, quality=95)
        return {"path": str(path)}

    def take(self, *files: Any) -> Updates:
        shown = call(self.on.take, list(files), self.album)
        self.album = shown.get("album", self.album)
        return shown

    def give(self, count: int, colour: bool = True) -> None:
        self.take(*(self.photo(f"photo-{i}.jpg", i, colour) for i in range(count)))

    def start(self, question: str = REAL, models: list[str] = QUICK, turn: float = 0) -> Updates:
        shown = call(self.on.start, question, models, self.album, self.kept, turn=turn)
        self.pair, self.session = shown.get("shown"), shown.get("session")
        return shown

    def go_on(self, turn: float = 0) -> Updates:
        return call(self.on.go_on, self.session, turn=turn)

    def next(self) -> None:
        """The next round, of another test where this one is at its end."""
        if self.session.finished:
            self.start(REAL, list(self.session.cards))
        else:
            self.pair = self.go_on()["shown"]

    def prepare(self, turn: float = 0) -> Any:
        """The pair that is ready."""
        assert call(self.on.prepare, self.session, turn=turn) in ({}, {"remark": gr.skip()})
        return self.session._ahead

    def answer(self, index: int, seconds: float = 1.5) -> dict[str, Any]:
        event = SimpleNamespace(index=index, seconds=seconds)
        shown = self.on.answer(self.session, self.kept, event)
        self.pair, self.kept = shown["shown"], shown["kept"]
        return self.pair["verdict"]

    def table(self, question: str = REAL) -> str:
        """Of the results."""
        return self.on.recall(question, self.kept)["table"]

    @property
    def plan(self) -> Any:
        return self.session.shown.plan


@pytest.fixture
def page(service: Service, gray_scene: Scene) -> Page:
    return Page(service, gray_scene, random.Random(3))


def decoded(address: str) -> tuple[bytes, Image.Image]:
    data = base64.b64decode(address.removeprefix("data:image/jpeg;base64,"))
    return data, Image.open(io.BytesIO(data))


def test_nothing_is_loaded_before_it_starts(page: Page) -> None:
    page.give(2)
    call(page.on.take_examples, REAL, page.album)
    page.on.recall(REAL, None)
    assert not page.service.runner._models


def test_photos_are_taken_once_and_shown_without_their_colours(page: Page) -> None:
    first, gray = page.photo("cup & plate.jpg", 0), page.photo("gray.jpg", 1, colour=False)
    shown = page.take(first, gray)
    assert shown["message"] == ""
    assert shown["zone"]["visible"] == "hidden", "paste and drop must still reach it"
    assert shown["samples"]["visible"] is False
    assert shown["row"]["visible"] is shown["go"]["visible"] is True
    assert "2 photos, 1 in colour" in shown["photos"]
    assert "cup &amp; plate.jpg" in shown["photos"]
    for item in shown["album"]:
        assert np.ptp(np.asarray(decoded(item.thumb)[1].convert("RGB")).astype(int), 2).max() <= 2
    again = page.photo("another name.jpg", 0)
    assert "2 photos" in page.take(again)["photos"]
    assert page.on.reset()["album"] == []


def test_a_bad_file_is_named_and_the_others_are_taken(page: Page, tmp_path: Path) -> None:
    note = page.service.folder.new("note <b>.jpg")
    note.write_bytes(b"Dear diary")
    shown = page.take(page.photo("good.jpg", 0), {"path": str(note)})
    assert "note &lt;b&gt;.jpg is not a picture" in shown["message"]
    assert len(shown["album"]) == 1
    assert "1 photo, 1 in colour" in shown["photos"]
    elsewhere = tmp_path.parent / "elsewhere.jpg"
    assert "Send a picture file" in page.take({"path": str(elsewhere)})["message"]


def test_examples_in_colour_are_enough_to_begin(page: Page) -> None:
    every = call(page.on.take_examples, PREFER, None)["album"]
    page.album = call(page.on.take_examples, REAL, None)["album"]
    assert [item.key for item in page.album] == [item.key for item in every if item.coloured]
    assert len(every) > len(page.album) >= 2
    assert page.start()["bar"]["visible"] is True


def test_what_is_missing_is_said(page: Page) -> None:
    assert "no photo yet" in page.start()["remark"]
    page.give(2, colour=False)
    assert "None of these photos is in colour" in page.start()["remark"]
    assert "black-and-white ones" in page.start()["remark"]
    page.give(1)
    assert "at least one model" in page.start(REAL, [])["remark"]
    assert "at least two models" in page.start(PREFER, ["autochrome"])["remark"]


def test_a_round_gives_nothing_away_before_the_answer(page: Page) -> None:
    page.give(3)
    page.start(REAL, NAMES)
    for _ in range(6):
        first, second = (decoded(address) for address in page.pair["pictures"])
        assert len(first[0]) == len(second[0])
        assert first[1].size == second[1].size == (page.pair["width"], page.pair["height"])
        assert first[1].info == second[1].info
        assert first[1].getexif() == second[1].getexif() == {}
        told = json.dumps({**page.pair, "pictures": None}).lower()
        for word in (*NAMES, *(card.title.lower() for card in CARDS), "photo-", "fake", "model"):
            assert word not in told
        assert page.pair["verdict"] is None
        page.answer(0)
        page.next()


def test_what_is_asked_is_the_same_whichever_side_the_original_is_on(page: Page) -> None:
    page.give(3)
    page.start()
    asked: dict[str, list[Any]] = {side: [] for side in SIDES}
    for _ in range(8):
        side = SIDES[page.plan.pair.index(ORIGINAL)]
        asked[side].append({**page.pair, "pictures": None, "round": None})
        page.answer(0)
        page.next()
    assert asked["A"]
    assert asked["B"]
    assert all(each == asked["A"][0] for each in asked["A"] + asked["B"])


def test_both_pictures_have_the_same_light(page: Page) -> None:
    page.give(1)
    page.start()
    first, second = page.session.shown.pictures
    assert not np.array_equal(first, second)
    apart = np.abs(lightness(first / 255) - lightness(second / 255))
    assert apart.max() < 1, "8 bits a channel"
    truth = image.read(page.album[0].photo.path).pixels
    real = page.session.shown.pictures[page.plan.pair.index(ORIGINAL)]
    assert np.abs(real.astype(int) - truth).max() <= 1


def test_large_photos_are_shown_reduced(page: Page, rng: np.random.Generator) -> None:
    path = page.service.folder.new("large.png")
    Image.fromarray(rng.integers(0, 255, (900, 1600, 3), np.uint8)).save(path)
    page.take({"path": str(path)})
    page.start()
    assert page.pair["width"] * page.pair["height"] == pytest.approx(pair.SIDE**2, rel=0.01)
    assert page.pair["width"] / page.pair["height"] == pytest.approx(16 / 9, rel=0.01)


def test_the_answer_tells_the_truth_and_is_kept(page: Page) -> None:
    page.give(1)
    page.start()
    real = page.plan.pair.index(ORIGINAL)
    verdict = page.answer(real, 2.345)
    assert verdict["captions"][real] == "The photograph"
    assert verdict["captions"][1 - real] in ("Autochrome", "Student")
    assert verdict["words"].startswith(f"Right: {SIDES[real]} is the photograph.")
    (trial,) = Results.read(json.loads(json.dumps(page.kept))).trials
    assert (trial.photo, trial.model) == ("photo-0.jpg", page.plan.model)
    assert (trial.side, trial.guess, trial.right) == (SIDES[real], SIDES[real], True)
    assert (trial.catch, trial.seen, trial.seconds) == (False, False, 2.35)
    again = page.on.answer(page.session, page.kept, SimpleNamespace(index=0, seconds=1))
    assert again == {}, "a round is answered once"


def test_a_photo_seen_before_does_not_count(page: Page) -> None:
    page.give(1)
    page.start(REAL, ["student"])
    page.answer(page.plan.pair.index(ORIGINAL))
    page.next()  # of another test, whose first round is no catch trial
    verdict = page.answer(1 - page.plan.pair.index(ORIGINAL))
    assert verdict["words"].startswith("Fooled: ")
    assert "does not count" in verdict["words"]
    shown = page.table()
    assert "<td>0 % (0 to 79)</td><td>1</td>" in shown


def test_catch_trials_are_blatant_and_count_apart(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trials, "CATCH_SHARE", 1)  # of all rounds but the first
    page.give(2)
    page.start(REAL, ["student"])
    page.answer(0)
    page.next()
    fake = page.session.shown.pictures[1 - page.plan.pair.index(ORIGINAL)]
    truth = page.session.shown.pictures[page.plan.pair.index(ORIGINAL)]
    assert mean_chroma(fake) > 15
    assert np.abs(lightness(fake / 255) - lightness(truth / 255)).max() < 1
    assert not any("wrong" in str(value).lower() for value in page.pair.values())
    before = page.table()
    verdict = page.answer(page.plan.pair.index(ORIGINAL))
    assert "wrong colours on purpose" in verdict["words"]
    shown = page.table()
    assert "caught 1 of 1" in shown
    assert before.split("</table>")[0] == shown.split("</table>")[0], "no model's rate changes"


def test_hues_are_turned_to_their_opposites(rng: np.random.Generator) -> None:
    red = np.full((4, 4, 3), (150, 90, 90), np.uint8)
    turned = pair.turn_hues(red)[0, 0].astype(int)
    assert turned[0] < turned[1], "red becomes a green or blue"
    assert mean_chroma(pair.turn_hues(red)) > mean_chroma(red)
    gray = np.full((4, 4, 3), 128, np.uint8)
    assert np.abs(pair.turn_hues(gray).astype(int) - 128).max() <= 1


def test_preference_hides_the_names_and_rates_them(page: Page) -> None:
    page.give(2, colour=False)
    page.start(PREFER)
    assert page.pair["neither"] is True
    told = json.dumps({**page.pair, "pictures": None})
    assert not any(card.title in told for card in CARDS)
    first, second = page.session.shown.pictures
    assert np.abs(lightness(first / 255) - lightness(second / 255)).max() < 1
    names = page.plan.pair
    titles = [page.on.titles[name] for name in names]
    assert page.answer(0)["words"] == f"You prefer {titles[0]} to {titles[1]}."
    page.next()
    assert page.answer(2)["words"].startswith("No preference")
    choices = Results.read(page.kept).choices
    assert [each.choice for each in choices] == ["A", NEITHER]
    assert (choices[0].a, choices[0].b) == names
    shown = page.table(PREFER)
    assert f"{titles[0]}</th><td>1515</td><td>2</td><td>1</td><td>1</td>" in shown
    assert page.table() == ""


def test_a_model_that_draws_takes_the_seed_of_the_round(page: Page) -> None:
    page.give(1)
    page.start(REAL, ["diffusion"])
    drawn = page.session.shown.pictures[1 - page.plan.pair.index(ORIGINAL)]
    small = image.read(page.album[0].photo.path).pixels
    gray = pair.protocol.to_gray(small)
    model = page.service.runner.model("diffusion")
    again = pair.protocol.recombine(model.colorize(gray, seed=page.plan.seed), small)
    assert np.array_equal(drawn, again)
    other = model.colorize(gray, seed=page.plan.seed + 1)
    assert not np.array_equal(drawn, pair.protocol.recombine(other, small))


def test_it_ends_with_a_summary_once_every_photo_was_shown(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trials, "CATCH_SHARE", 0)
    page.give(2)
    page.give(1, colour=False)
    assert page.start(REAL, ["student"])["remark"] == ""
    assert not page.session.finished
    page.answer(page.plan.pair.index(ORIGINAL))
    assert page.pair["verdict"]["last"] is False
    page.next()
    page.answer(1 - page.plan.pair.index(ORIGINAL))
    assert page.pair["verdict"]["last"] is True
    assert page.prepare() is None, "there is none to come"
    ended = page.go_on()
    assert ended["shown"] is None
    assert "in 1 of 2 rounds. You were fooled by Student." in ended["remark"]
    assert "do not count" in page.start(REAL, ["student"])["remark"], "all were seen in colour"


def test_the_next_pair_is_made_ahead(page: Page) -> None:
    page.give(2)
    page.start()
    ahead = page.prepare()
    assert ahead is not None
    assert page.prepare() is ahead, "one is enough"
    assert page.go_on() == {}, "not answered yet"
    page.answer(0)
    page.next()
    assert page.session.shown is ahead
    assert page.pair["round"] == 2


def test_stopping_leaves_everything_as_it_was(page: Page) -> None:
    page.give(2)
    page.on.stop(5, WHO)
    assert page.start(turn=4) == {}
    assert page.start() == {}, "a turn of 0 has been stopped, too"
    page.start(turn=6)
    page.answer(0)
    assert page.go_on(turn=4) == {}
    assert page.prepare(turn=4) is None
    assert page.go_on(turn=6)["shown"]["round"] == 2
    assert not page.service._tasks


def test_a_fault_between_rounds_is_said_and_the_round_stays(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    page.give(2)
    page.start()
    page.answer(0)

    def missing(_: str) -> Any:
        raise WeightsError("The weights are not there. Clone again.")

    monkeypatch.setattr(page.service.runner, "model", missing)
    monkeypatch.setattr(trials, "CATCH_SHARE", 0)  # which would need no model
    assert page.prepare() is None
    shown = page.go_on()
    assert "Clone again" in shown["remark"]
    assert "shown" not in shown


def test_a_deleted_photo_is_explained(page: Page) -> None:
    page.give(1)
    page.album[0].photo.path.unlink()
    assert "no longer here" in page.start()["remark"]


def test_csv_holds_every_round_of_the_question(page: Page) -> None:
    page.give(1)
    page.start()
    page.answer(0, 3)
    path = Path(page.on.download(REAL, page.kept)["finished"])
    assert path.name == "which-is-real.csv"
    (row,) = csv.DictReader(path.read_text().splitlines())
    assert (row["photo"], row["model"], row["seconds"]) == ("photo-0.jpg", page.plan.model, "3.0")
    empty = Path(page.on.download(PREFER, page.kept)["finished"])
    assert empty.read_text().splitlines() == ["time,photo,a,b,choice,seconds"]


def test_results_go_only_after_a_second_word(page: Page) -> None:
    page.give(1)
    page.start()
    page.answer(0)
    shown = page.on.ask(page.kept)
    assert (shown["tools"]["visible"], shown["confirm"]["visible"]) == (False, True)
    assert "the one round" in shown["sure"]
    assert page.on.recall(REAL, page.kept)["tools"]["visible"] is True
    page.kept = page.on.clear()["kept"]
    assert len(Results.read(page.kept)) == 0
    assert page.table() == ""
    assert page.on.recall(REAL, page.kept)["tools"]["visible"] is False


def test_names_of_models_that_are_gone_still_show() -> None:
    row = {"time": "", "photo": "", "a": "<old>", "b": "student", "choice": "A", "seconds": 1.0}
    shown = result_tables.build_table(
        PREFER, Results.read({"choices": [row]}), {"student": "Student"}
    )
    assert "&lt;old&gt;" in shown
    assert "Student" in shown
