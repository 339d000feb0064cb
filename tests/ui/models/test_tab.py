"""The tab "Models" without a browser: what its handlers do with models of every kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import drawing_models
import gradio as gr
import numpy as np
import pytest
from handler_calls import UPLOAD, WHO, Updates, call, calls
from hub_server import Hub, serving
from numpy.typing import NDArray
from PIL import Image

import colorize_core
from colorize_core.cards import ModelCard, WeightFile
from colorize_core.errors import WeightsError
from colorize_core.imaging import image
from ui.models.samples import seeds_from
from ui.models.session import ModelsSession
from ui.models.tab import EMPTY, Handlers, read_card
from ui.server.limits import Public
from ui.shared import model_choices
from ui.shared.example_strip import find_examples
from ui.shared.handlers import THERE
from ui.shared.service import Service

SIZE = (60, 40)  # of the photo, width and height
KNOBS = (1.0, 1.0, 1.0, True)  # vividness, strength, gain, neutralize
NOTHING = {name: value for name, value in EMPTY.items() if name != "remark"}
COLTRAN = (0, 1.5, 0.3, 0.8, "final")  # seed, guidance, parallel, temperature, stage
DIFFUSION = (0, 2.0, 0.8, "cosine", "DDIM", 25)  # in the order of the card's controls
Scene = Callable[..., NDArray[np.uint8]]


class Page:
    """The tab's handlers with one person's photo."""

    def __init__(self, service: Service, photo: Path):
        self.service = service
        self.on = Handlers(service, find_examples(), drawing_models.CARDS)
        self.photo = service.folder.new(photo.name)
        self.photo.write_bytes(photo.read_bytes())
        self.session: ModelsSession = self.open(self.photo)["session"]

    def open(self, path: Path, session: ModelsSession | None = None) -> Updates:
        return call(self.on.open, {"path": str(path)}, session, "autochrome", event=UPLOAD)

    def pick(self, name: str) -> Updates:
        index = [card.name for card in drawing_models.CARDS].index(name)
        return self.on.pick(self.session, SimpleNamespace(index=index))

    def show(self, *knobs: Any) -> Updates:
        return call(self.on.show, self.session, *(knobs or KNOBS))

    def draw(self, name: str, count: int, *own: Any, knobs: Any = KNOBS) -> Iterator[Updates]:
        self.pick(name)
        return calls(self.on.draw, self.session, name, count, *knobs, *own)

    def noise(self, name: str, session: ModelsSession) -> dict[str, Any]:
        session.current = name
        shown: dict[str, Any] = call(self.on.show, session, *KNOBS)["noise"]
        return shown


@pytest.fixture
def page(service: Service, gray_photo: Path) -> Page:
    return Page(service, gray_photo)


def cells(value: dict[str, Any]) -> list[dict[str, Any]]:
    return [cell for group in value["groups"] for cell in group["cells"]]


def test_nothing_is_loaded_before_it_is_used(page: Page) -> None:
    for card in drawing_models.CARDS:
        page.pick(card.name)
    page.pick("coltran")
    assert page.show() == NOTHING
    assert not page.service.runner._models


def test_a_model_colours_at_once_and_is_asked_no_second_time(page: Page) -> None:
    shown = page.show()
    assert (shown["remark"], shown["frame"], shown["bar"]) == ("", THERE, THERE)
    assert shown["line"].startswith(f"{SIZE[0]} × {SIZE[1]} · Autochrome · ")
    slider = shown["compared"]
    assert (slider["width"], slider["height"]) == SIZE
    page.pick("coltran")
    assert page.pick("autochrome")["compared"] == slider, "coming back shows what was there"
    assert page.show()["compared"] == slider
    assert page.show(2.0, 1.0, 1.0, True)["compared"] != slider


def test_a_picture_a_seed_and_a_stage(page: Page) -> None:
    shown = list(page.draw("coltran", 2, *COLTRAN))
    assert [cell["caption"] for cell in cells(shown[0]["grid"])] == [
        f"Seed {seed}, {stage}" for seed in (0, 1) for stage in ("coarse", "fine", "final")
    ]
    assert shown[0]["grid"]["picked"] is None
    assert shown[0]["grid"]["groups"][0]["columns"] == 3
    assert shown[-1]["grid"]["picked"] == 2, "the first seed's final picture"
    assert shown[-1]["busy"] == ""
    assert "seed 0, final · 2 seeds drawn in" in page.show()["line"]


def test_the_picked_picture_is_what_its_seed_and_stage_give(page: Page) -> None:
    list(page.draw("coltran", 2, *COLTRAN))
    page.on.choose(page.session, SimpleNamespace(index=4))
    assert "seed 1, fine" in page.show()["line"]
    result = page.session.result("coltran")
    assert result is not None
    with page.service.task("someone") as task:
        file = page.service.export(result, "PNG", task)
    alone = page.service.runner.model("coltran").colorize(
        image.read(page.photo).pixels, seed=1, temperature=0.8, stage="fine"
    )
    assert np.array_equal(image.read(file).pixels, alone)


def test_vividness_renders_again_and_gain_waits_for_the_next_drawing(page: Page) -> None:
    list(page.draw("diffusion", 1, *DIFFUSION))
    first = page.show()["compared"]
    shown = page.show(2.0, 1.0, 0.5, True)
    assert shown["compared"] != first
    assert "Gain and tint count from the next time" in shown["remark"]
    list(page.draw("diffusion", 1, *DIFFUSION, knobs=(1.0, 1.0, 0.5, True)))
    assert page.show(2.0, 1.0, 0.5, True)["remark"] == ""


def test_colours_come_out_of_the_noise_in_ten_pictures(page: Page) -> None:
    shown = list(page.draw("diffusion", 3, *DIFFUSION))
    strip = cells(shown[-1]["strip"])
    assert len(strip) == 10
    assert strip[-1]["caption"] == "step 25 of 25"
    lengths = [len(cells(value["strip"])) for value in shown]
    assert lengths == sorted(lengths), "they come one after the other"
    assert len(set(lengths)) > 5
    results = shown[-1]["grid"]
    assert [cell["caption"] for cell in cells(results)] == ["Seed 0", "Seed 1", "Seed 2"]
    assert results["groups"][0]["columns"] == 3


def test_colours_go_into_noise_without_a_model(
    page: Page, tmp_path: Path, rng: np.random.Generator
) -> None:
    page.pick("diffusion")
    assert page.noise("diffusion", page.session)["visible"] is False
    Image.fromarray(rng.integers(0, 255, (8, 12, 3), np.uint8)).resize((120, 80)).save(
        page.service.folder.path / "colour.png"
    )
    session = page.open(page.service.folder.path / "colour.png")["session"]
    value = page.noise("diffusion", session)["value"]
    assert [group["title"] for group in value["groups"]] == [
        "Into noise, cosine schedule",
        "Into noise, linear schedule",
    ]
    assert [len(group["cells"]) for group in value["groups"]] == [10, 10]
    assert not page.service.runner._models
    assert page.noise("autochrome", session)["visible"] is False


def test_stopping_keeps_what_was_drawn_before(page: Page) -> None:
    before = list(page.draw("coltran", 1, *COLTRAN))[-1]
    running = page.draw("coltran", 2, *COLTRAN)
    assert len(cells(next(running)["grid"])) == 6
    page.on.stop(1, WHO)
    *_, last = running
    assert last == before
    assert len(page.session.results["coltran"]) == 3
    assert not page.service._tasks


def test_another_photo_ends_the_drawing(page: Page) -> None:
    running = page.draw("coltran", 1, *COLTRAN)
    next(running)
    new = page.open(page.photo, page.session)["session"]
    assert list(running) == []
    assert not new.results


def test_one_model_beside_another(page: Page) -> None:
    page.pick("student")
    shown = page.show()
    pair = cells(shown["pair"]["value"])
    assert [cell["caption"] for cell in pair] == ["Autochrome", "Student"]
    assert pair[1]["file"]["path"] == shown["compared"]["after"]["path"]
    assert " · Student · " in shown["line"]


def test_faults_are_said_in_words(page: Page, tmp_path: Path) -> None:
    note = page.service.folder.path / "note.jpg"
    note.write_bytes(b"Dear diary")
    shown = page.open(note, page.session)
    assert "note.jpg is not a picture" in shown["message"]
    assert shown["zone"]["visible"] == "hidden", "the photo before stays"
    assert "Send a picture file" in page.open(tmp_path / "elsewhere.jpg")["message"]
    *_, last = page.draw("coltran", 1, -1, *COLTRAN[1:])
    assert "seed is -1, allowed is a whole number from 0 to 9999" in last["remark"]
    assert "remark" not in page.show(), "what is said must not be wiped out"
    page.photo.unlink()
    page.pick("autochrome")
    assert "no longer here" in page.show()["remark"]


def test_several_seeds_begin_again_after_the_highest() -> None:
    assert seeds_from(9998, 3) == (9998, 9999, 0)


@pytest.mark.parametrize("card", colorize_core.cards(), ids=lambda card: card.name)
def test_card_says_what_there_is_to_know(card: colorize_core.ModelCard) -> None:
    text = read_card(card)
    assert not text.startswith("---")
    for fact in (f"{card.parameters:,}", card.licence, card.limits, card.trained_on, card.paper):
        assert fact in text
    assert "| gray |" in text, "the scores have nothing to be compared with"


def test_a_model_without_a_generated_card_still_says_its_limits() -> None:
    card = replace(colorize_core.cards()[0], name="new")
    assert read_card(card).endswith(card.limits)


# --- models whose weights are downloaded ---


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[ModelCard, Hub]]:
    """A model whose weights a Hub on this machine has."""
    path = tmp_path / "hub" / "someone" / "elsewhere" / "model.safetensors"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"weights" * 100)
    file = WeightFile("model.safetensors", "", 700, "someone/elsewhere")
    card = replace(drawing_models.CARDS[0], name="elsewhere", weights=(file,), source="https://a.b")
    with serving(tmp_path / "hub", tmp_path / "cache", monkeypatch) as hub:
        yield card, hub


def test_weights_are_downloaded_when_that_is_asked_for(
    service: Service,
    gray_photo: Path,
    elsewhere: tuple[ModelCard, Hub],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("colorize_core.models.runner.LIVELY", 0.0)
    card, hub = elsewhere
    page = Page(service, gray_photo)
    page.on.known[card.name] = card
    page.session.current = card.name
    assert page.show() == NOTHING
    offered = page.on.offer(card.name)
    assert "https://huggingface.co/someone/elsewhere: 700 B" in offered["needs"]["value"]
    assert offered["get"] == gr.update(value="Download 700 B", visible=True)
    assert model_choices.here([card]) == []
    assert hub.asked == []
    heard: list[str] = []
    got = call(page.on.fetch, card.name, progress=lambda share, words: heard.append(words))
    assert got == {"remark": ""}
    assert heard[-1] == "700 B of 700 B"
    assert not page.on.offer(card.name)["get"]["visible"]
    assert model_choices.here([card]) == [card]


def test_a_download_that_fails_is_explained(
    service: Service, gray_photo: Path, elsewhere: tuple[ModelCard, Hub]
) -> None:
    card, hub = elsewhere
    hub.says = (404, "RepoNotFound")
    page = Page(service, gray_photo)
    page.on.known[card.name] = card
    shown = call(page.on.fetch, card.name)
    assert "has no repository someone/elsewhere" in shown["remark"]
    assert page.on.offer(card.name)["get"]["visible"]
    page.session.current = card.name
    for session in (None, page.session):  # what follows is to leave the words there
        assert "remark" not in call(page.on.show, session, 1, 1, 1, True)


def test_a_model_that_is_not_here_is_refused_with_what_to_do(
    service: Service, elsewhere: tuple[ModelCard, Hub]
) -> None:
    with pytest.raises(WeightsError, match=r"220 MB.* weights fetch ddcolor-tiny"):
        service.runner.model("ddcolor-tiny")
    assert elsewhere[1].asked == []


def test_what_is_not_scored_here_is_described_by_its_facts() -> None:
    card = next(card for card in model_choices.every() if card.name == "ddcolor-tiny")
    words = read_card(card)
    for fact in (f"{card.parameters:,}", card.paper, card.source, card.licence, card.limits):
        assert fact in words


def test_strangers_download_nothing(
    service: Service, gray_photo: Path, elsewhere: tuple[ModelCard, Hub]
) -> None:
    card, hub = elsewhere
    page = Page(service, gray_photo)
    page.on.known[card.name] = card
    service.public = Public()
    assert "weights fetch elsewhere" in call(page.on.fetch, card.name)["remark"]
    assert hub.asked == []


@pytest.mark.parametrize("knobs", [(1.0, 1.0, 0.5, True), (1.0, 1.0, 1.0, False)])
def test_gain_and_neutralizing_let_the_network_look_again(
    page: Page, monkeypatch: pytest.MonkeyPatch, knobs: tuple[Any, ...]
) -> None:
    page.show()
    predict = page.service.runner.predict
    asked = []
    monkeypatch.setattr(
        page.service.runner,
        "predict",
        lambda pixels, options, task: asked.append(options) or predict(pixels, options, task),
    )
    page.show(*knobs)
    assert [(each.gain, each.neutralize) for each in asked] == [knobs[2:]]
    page.show(0.5, *knobs[1:])
    assert len(asked) == 1, "the rest needs no network"
