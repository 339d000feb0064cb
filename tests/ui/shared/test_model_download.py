"""Models that are downloaded where they are chosen, without a browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import port_weights
import pytest
import torch
from handler_calls import UPLOAD, WHO, call
from hub_server import Hub, serving
from numpy.typing import NDArray
from PIL import Image

import colorize_core
from colorize_core.cards import RECOMMENDED, ModelCard
from colorize_core.downloads import checkpoints, transfer
from colorize_core.models import ddcolor as family
from colorize_core.networks import ddcolor
from colorize_core.options import DEFAULT_MODEL
from ui.colorize import finish_controls, tab
from ui.selective import tab as selective_tab
from ui.server.limits import Public
from ui.shared import model_choices, model_download
from ui.shared.handlers import AWAY
from ui.shared.service import Service

NAME = "ddcolor-tiny"
KNOBS = (1.0, 1.0, 1.0, True, "", 0.5, 1.0, 1.0, *finish_controls.reset(), False)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A Hub that has a small DDColor tiny."""
    monkeypatch.setattr(ddcolor, "TINY", port_weights.SMALL_DDCOLOR)
    monkeypatch.setattr("colorize_core.models.runner.LIVELY", 0.0)
    file = replace(family.CARDS[NAME].weights[0], sha256="")
    monkeypatch.setitem(family.CARDS, NAME, replace(family.CARDS[NAME], weights=(file,)))
    (folder := tmp_path / "hub" / file.repo).mkdir(parents=True)
    shapes = port_weights.shapes(ddcolor.DDColor(ddcolor.TINY))
    torch.save({"params": port_weights.stand_ins(shapes, 2**0.5)}, folder / file.path)
    with serving(tmp_path / "hub", tmp_path / "cache", monkeypatch) as server:
        yield server


@pytest.fixture
def app(service: Service) -> Service:
    """With all models, on the CPU."""
    return Service(service.folder, load=lambda name: colorize_core.load(name, "cpu"))


@pytest.fixture
def on(app: Service) -> model_download.Handlers:
    return model_download.Handlers(
        app, lambda: model_choices.lister(model_choices.every(), app.public)()
    )


def card() -> ModelCard:
    return family.CARDS[NAME]


def find(name: str) -> ModelCard:
    return next(each for each in model_choices.every() if each.name == name)


def label(updates: dict[str, Any]) -> str:
    return next(title for title, name in updates["model"]["choices"] if name == NAME)


def test_a_list_says_what_there_is_to_download(
    hub: Hub, app: Service, on: model_download.Handlers
) -> None:
    (offered,) = model_choices.choices([card()], downloads=True)
    assert offered == ("DDColor tiny · 220 MB to download · recommended", NAME)
    assert model_choices.choices([card()]) == []
    app.public = Public()
    assert NAME not in dict(map(reversed, on.list_choices()))
    assert hub.asked == []


def test_what_cannot_be_had_offline_is_listed_as_that(monkeypatch: pytest.MonkeyPatch) -> None:
    (offered,) = model_choices.choices([card()], downloads=True)  # tests are told to stay offline
    assert offered == ("DDColor tiny · not to be had offline · recommended", NAME)


def test_a_chosen_model_says_its_size_and_licence(hub: Hub, on: model_download.Handlers) -> None:
    offered = on.offer(NAME)
    assert "220 MB, licence Apache-2.0" in offered["needs"]["value"]
    assert (offered["get"]["value"], offered["get"]["visible"]) == ("Download 220 MB", True)
    assert on.offer(DEFAULT_MODEL) == {"remark": "", "needs": AWAY, "get": AWAY}


def test_a_better_model_is_one_click_away(
    hub: Hub, app: Service, on: model_download.Handlers, gray_scene: Callable[..., NDArray[Any]]
) -> None:
    colorize = tab.Handlers(app, [])
    Image.fromarray(gray_scene(60, 80)).save(path := app.folder.new("old.png"))
    session = call(colorize.open, {"path": str(path)}, None, "", NAME, *KNOBS, event=UPLOAD)[
        "session"
    ]
    assert session.result.options.model == DEFAULT_MODEL, "what is here, until the other is, too"
    assert call(colorize.adjust, session, NAME, *KNOBS) == {"message": ""}
    assert model_choices.suggest() == DEFAULT_MODEL

    heard: list[str] = []
    got = call(on.fetch, NAME, progress=lambda share, words: heard.append(words))
    assert "of 220 MB" in heard[-1]
    assert (got["remark"], got["needs"], got["get"]) == ("", AWAY, AWAY)
    assert label(got) == "DDColor tiny · recommended"

    assert " · DDColor tiny · " in call(colorize.adjust, session, NAME, *KNOBS)["line"]
    assert session.result.options.model == NAME
    assert model_choices.suggest() == NAME, "at the next start of the page"


def test_a_region_gets_a_model_once_it_is_here(
    hub: Hub, app: Service, on: model_download.Handlers, gray_scene: Callable[..., NDArray[Any]]
) -> None:
    selective = selective_tab.Handlers(app, [], model_choices.every())
    Image.fromarray(gray_scene(60, 80)).save(path := app.folder.new("old.png"))
    session = call(selective.open, {"path": str(path)}, None, event=UPLOAD)["session"]
    assert selective.choose(session, NAME, 1.0, None) == {}
    assert session.area.fill.model == DEFAULT_MODEL
    call(on.fetch, NAME)
    updates = selective.choose_fetched(session, NAME, 1.0, None)
    assert ("DDColor tiny · recommended", NAME) in updates["inside"]["choices"]
    assert "alert" not in call(selective.colour, session)["remark"]
    assert session.area.shown.model == NAME


def test_several_can_be_downloaded_at_once(
    hub: Hub, on: model_download.Handlers, monkeypatch: pytest.MonkeyPatch
) -> None:
    offered = on.offer([DEFAULT_MODEL, NAME, "siggraph17"])
    assert offered["needs"]["value"].count("<p>") == 2
    assert offered["get"]["value"] == "Download 357 MB"
    place = checkpoints.locate(find("eccv16").weights[0])
    monkeypatch.setitem(transfer._silent, place.server, transfer.time.monotonic())
    failed = call(on.fetch, [NAME, "eccv16"])
    assert label(failed) == "DDColor tiny · recommended"
    assert failed["get"]["value"] == "Download 129 MB"


def test_without_a_network_the_attempt_ends_in_words(
    hub: Hub, on: model_download.Handlers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(transfer._silent, hub.url, transfer.time.monotonic())
    failed = call(on.fetch, NAME)
    assert "cannot be reached" in failed["remark"]
    assert label(failed) == "DDColor tiny · not to be had offline · recommended"
    assert "Not to be had offline." in failed["needs"]["value"]
    assert failed["get"]["visible"], "it can be tried again"
    transfer._silent.clear()
    assert label(call(on.fetch, NAME)) == "DDColor tiny · recommended"


def test_a_stopped_download_can_be_taken_up(hub: Hub, on: model_download.Handlers) -> None:
    shown = call(on.fetch, NAME, progress=lambda share, words: on.stop(1, WHO))
    assert shown["remark"] == model_download.STOPPED
    assert shown["get"]["visible"]
    assert not model_choices.is_here(card())


def test_strangers_download_nothing(hub: Hub, app: Service, on: model_download.Handlers) -> None:
    app.public = Public()
    assert f"weights fetch {NAME}" in call(on.fetch, NAME)["remark"]
    assert not on.offer(NAME)["get"]["visible"]
    assert hub.asked == []


def test_what_is_suggested_is_recommended_in_its_card(monkeypatch: pytest.MonkeyPatch) -> None:
    cards = {each.name: each for each in model_choices.every()}
    assert all(cards[name].mark == RECOMMENDED for name in model_choices.SUGGESTED)
    assert model_choices.suggest() == DEFAULT_MODEL
    monkeypatch.setattr(checkpoints, "list_missing", lambda files: ())
    assert model_choices.suggest() == model_choices.SUGGESTED[0]
