"""The tab "Compare" without a browser: what its handlers do, with models of every kind."""

from __future__ import annotations

import csv
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl

import drawing_models
import gradio as gr
import numpy as np
import pytest
from handler_calls import FOLLOWING, UPLOAD, WHO, Updates, call, calls
from hub_server import Fault, serving_torchvision
from numpy.typing import NDArray
from PIL import Image

from colorize_core import metrics
from colorize_core.downloads.transfer import CHUNK
from colorize_core.errors import WeightsError
from colorize_core.evaluate.comparison import Result
from colorize_core.imaging import image
from colorize_core.imaging.captions import GAP, WIDTHS
from colorize_core.imaging.color import lightness
from colorize_core.imaging.heatmap import draw_heat_map
from colorize_core.metrics import protocol
from colorize_core.metrics.lpips import NETS
from colorize_core.models import runner
from colorize_core.options import Options
from colorize_core.steering.provenance import read_options
from ui.compare import exports, permalink
from ui.compare import tab as compare_tab
from ui.compare.session import MOST_PIXELS, NO_TRUTH, CompareSession
from ui.compare.tab import Handlers
from ui.server.sessions import asked_tab
from ui.shared import model_choices
from ui.shared.example_strip import find_examples
from ui.shared.service import Service

SIZE = (90, 60)  # of the photos, width and height
QUICK = ["psnr", "ciede2000", "colourfulness", "colourfulness-difference"]
Scene = Callable[..., NDArray[np.uint8]]


class Page:
    """The tab's handlers with one person's photo."""

    def __init__(self, service: Service, photo: Path):
        self.service = service
        self.on = Handlers(service, find_examples(), drawing_models.CARDS)
        self.photo = service.folder.new(photo.name)
        self.photo.write_bytes(photo.read_bytes())
        self.session: CompareSession = self.open(self.photo)["session"]

    def open(self, path: Path, session: CompareSession | None = None) -> Updates:
        return call(self.on.open, {"path": str(path)}, session, event=UPLOAD)

    def run(
        self, *names: str, vividness: Any = (1.0,), seeds: int = 1, taken: Any = QUICK
    ) -> Iterator[Updates]:
        return calls(self.on.run, self.session, names, vividness, seeds, taken)

    def last(self, *names: str, **options: Any) -> Updates:
        """What is there when all is done."""
        return list(self.run(*names, **options))[-1]


class Breaking:
    """A model that fails."""

    card = drawing_models.STUDENT

    def predict(self, *_: Any, **__: Any) -> Any:
        raise RuntimeError("a fault of the program")


@pytest.fixture
def page(service: Service, colour_photo: Path) -> Page:
    return Page(service, colour_photo)


@pytest.fixture
def old_page(service: Service, gray_photo: Path) -> Page:
    return Page(service, gray_photo)


def titles(value: dict[str, Any]) -> list[str]:
    return [cell["title"] for cell in value["cells"]]


def column(table: dict[str, Any], title: str) -> dict[str, dict[str, Any]]:
    """Row -> its cell in that column."""
    at = [each["title"] for each in table["columns"]].index(title)
    return {row["title"]: row["cells"][at] for row in table["rows"]}


def test_a_photo_shows_its_references_at_once_and_loads_nothing(page: Page) -> None:
    shown = page.open(page.photo)
    assert (shown["message"], shown["zone"]["visible"], shown["table"]) == ("", "hidden", None)
    assert "In colour" in shown["thumbnail"]
    grid = shown["shown"]
    assert titles(grid) == ["Truth", "Gray", "Mean colour"]
    assert (grid["width"], grid["height"]) == SIZE
    assert not page.service.runner._models
    assert np.array_equal(shown["session"].truth, image.read(page.photo).pixels)


def test_the_models_get_no_colour_and_the_gray_keeps_the_lightness(page: Page) -> None:
    gray = page.session.gray
    assert (gray == gray[..., :1]).all()
    truth = image.read(page.photo).pixels
    off = lightness(truth / 255.0) - lightness(gray / 255.0)
    assert np.abs(off).max() < 0.5, "only rounding"


def test_pictures_come_one_after_the_other_in_the_order_of_the_cards(page: Page) -> None:
    seen = list(page.run("student", "autochrome"))
    counts = [sum("file" in cell for cell in each["shown"]["cells"]) for each in seen]
    assert counts == sorted(counts)
    assert set(counts) == {3, 4, 5}
    assert titles(seen[-1]["shown"]) == ["Truth", "Gray", "Mean colour", "Autochrome", "Student"]
    said = [each["busy"] for each in seen if "of 2" in each["busy"]]
    assert said[0].startswith("<p>1 of 2: Autochrome</p>")
    assert any("2 of 2: Student" in each for each in said)
    assert (seen[-1]["remark"], seen[-1]["busy"]) == ("", "")


def test_what_is_shown_is_what_the_model_gives_for_the_gray_photo(page: Page) -> None:
    page.last("autochrome", vividness=[2.0])
    (entry,) = page.session.planned
    alone = page.service.runner.model("autochrome").colorize(page.session.gray, vividness=2.0)
    assert np.array_equal(page.session.picture(entry), alone)


def test_scores_are_by_the_protocol(page: Page) -> None:
    table = page.last("autochrome")["table"]
    (entry,) = page.session.planned
    target = protocol.crop_square(image.read(page.photo).pixels)
    square = protocol.recombine(protocol.crop_square(page.session.picture(entry)), target)
    gray = protocol.to_gray(target)
    for name in ("psnr", "ciede2000"):
        assert page.session.scores[entry][name] == metrics.score(name, square, target)
        got = page.session.scores[page.session.entries[1]][name]
        assert got == pytest.approx(metrics.score(name, gray, target), rel=0.02)
    assert column(table, "PSNR")["Truth"]["text"] == "∞"
    assert not column(table, "PSNR")["Truth"]["best"]
    assert any(cell["best"] for cell in column(table, "PSNR").values())
    assert any("by whole-256" in note for note in table["notes"])
    assert float(column(table, "Seconds")["Autochrome"]["text"]) >= 0
    assert column(table, "Seconds")["Gray"]["text"] == "–"


def test_a_black_and_white_photo_has_no_ground_truth(old_page: Page) -> None:
    assert NO_TRUTH in old_page.open(old_page.photo)["thumbnail"]
    shown = old_page.last("autochrome")
    grid, table = shown["shown"], shown["table"]
    assert titles(grid) == ["Gray", "Mean colour", "Autochrome"]
    assert [each["title"] for each in table["columns"]] == ["Colourfulness", "Seconds"]
    assert float(column(table, "Colourfulness")["Autochrome"]["text"]) > 0
    assert table["notes"] == [NO_TRUTH]
    table = old_page.last("diffusion", seeds=2)["table"]
    assert table["several"] == [], "nothing says which seed is the best"


def test_a_model_that_fails_says_so_in_its_place_and_the_rest_go_on(
    page: Page, loaded: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(loaded, "autochrome", Breaking())
    shown = page.last("autochrome", "student", vividness=[1.0, 2.0])
    grid, table = shown["shown"], shown["table"]
    assert shown["remark"] == ""
    errors = [cell.get("error") for cell in grid["cells"]]
    assert errors[3] == errors[4]
    assert "The program has failed" in errors[3]
    assert errors[5:] == [None, None]
    assert column(table, "PSNR")["Autochrome"]["why"] == errors[3]
    assert column(table, "PSNR")["Student"]["why"] == ""
    assert any(note.startswith("– Autochrome") and errors[3] in note for note in table["notes"])


def test_seeds_are_drawn_together_and_the_best_stands_by_itself(page: Page) -> None:
    shown = page.last("diffusion", "autochrome", seeds=2)
    grid, table = shown["shown"], shown["table"]
    assert [cell["words"].split(" · ")[0] for cell in grid["cells"][4:]] == ["seed 0", "seed 1"]
    assert [row["title"] for row in table["rows"]][3:] == ["Autochrome", "Diffusion", "Diffusion"]
    (best,) = table["several"]
    assert best["settings"] == "best of 2 seeds"
    singles = [page.session.scores[entry]["psnr"] for entry in page.session.planned[1:]]
    assert best["cells"][0]["text"] == f"{max(singles):.2f}"
    for above, below in zip(table["rows"][-1]["cells"], best["cells"], strict=True):
        if "–" not in (above["text"], below["text"]):
            assert len(above["text"].split(".")[1]) == len(below["text"].split(".")[1])
    first, second = (page.session.picture(entry) for entry in page.session.planned[1:])
    assert not np.array_equal(first, second)
    # The same picture up to rounding, which is another where the network sees two at once.
    alone = page.service.runner.model("diffusion").colorize(page.session.gray, seed=1).astype(int)
    assert np.abs(second - alone).mean() < 0.05 * np.abs(first - alone).mean()


def test_what_is_there_is_not_made_again(page: Page) -> None:
    page.last("autochrome")
    before = page.session.made[page.session.planned[0]]
    grid = page.last("autochrome", "student")["shown"]
    assert page.session.made[page.session.planned[0]] is before
    assert titles(grid)[3:] == ["Autochrome", "Student"]
    shown = page.last("student", taken=["mae"])
    grid, table = shown["shown"], shown["table"]
    assert titles(grid)[3:] == ["Student"], "only what was asked for is shown"
    assert [each["title"] for each in table["columns"]] == ["Mean absolute error", "Seconds"]


def test_stopping_keeps_what_is_there(page: Page) -> None:
    running = page.run("autochrome", "coltran", "student")
    for updates in running:
        if "2 of 3" in updates["busy"]:
            break
    page.on.stop(1, WHO)
    *_, last = running
    assert "Stopped" in last["remark"]
    assert titles(last["shown"])[3:] == ["Autochrome"]
    assert not page.service._tasks


def test_another_photo_ends_the_run(page: Page) -> None:
    running = page.run("autochrome", "student")
    next(running)
    new = page.open(page.photo, page.session)["session"]
    assert all("shown" not in updates for updates in running)
    assert len(new.made) == 3


def test_a_metric_that_cannot_be_had_says_why_and_the_rest_go_on(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fetch(name: str, *_: Any) -> None:
        raise WeightsError(f"The trunk of {name} cannot be had.")

    monkeypatch.setattr(metrics, "fetch", fetch)
    table = page.last("autochrome", taken=["psnr", "lpips-squeeze"])["table"]
    cell = column(table, "LPIPS (SqueezeNet)")["Autochrome"]
    assert (cell["text"], cell["why"]) == ("–", "The trunk of lpips-squeeze cannot be had.")
    assert column(table, "PSNR")["Autochrome"]["text"] != "–"
    assert sum("cannot be had" in note for note in table["notes"]) == 1
    monkeypatch.undo()
    monkeypatch.setattr(metrics, "fetch", lambda name, *_: None)
    monkeypatch.setattr(metrics, "prepare", lambda name: None)
    monkeypatch.setattr(metrics, "score", lambda name, *pictures: 0.25)
    table = page.last("autochrome", taken=["psnr", "lpips-squeeze"])["table"]
    assert column(table, "LPIPS (SqueezeNet)")["Autochrome"]["text"] == "0.250", "tried again"


def test_the_download_of_a_trunk_can_be_stopped(
    page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []

    def progress(share: float, words: str) -> None:
        if share > 0 and words.endswith(" of 4.96 MB"):
            told.append(words)
            page.on.stop(1, WHO)

    monkeypatch.setattr(runner, "LIVELY", 0.0)
    with serving_torchvision(NETS["squeeze"], bytes(2 * CHUNK), tmp_path, monkeypatch) as server:
        server.faults = [Fault(cut_after=CHUNK, stall=60)]
        taken = ["psnr", "lpips-squeeze"]
        asked = (page.session, ["autochrome"], [1.0], 1, taken)
        last = call(page.on.run, *asked, progress=progress)
    assert told
    assert "Stopped" in last["remark"]
    assert column(last["table"], "PSNR")["Autochrome"]["text"] != "–"
    assert not page.service._tasks


def test_it_says_how_many_pictures_that_makes(page: Page) -> None:
    shown = page.on.count(["autochrome", "coltran"], [1.0, 2.0], 3)
    assert "8 pictures" in shown["count"]
    assert shown["go"]["interactive"]
    assert "1 picture to" in page.on.count(["autochrome"], [1.0], 4)["count"]
    shown = page.on.count([], [1.0], 1)
    assert "at least one model" in shown["count"]
    assert not shown["go"]["interactive"]
    assert page.on.tick_all() == [card.name for card in drawing_models.CARDS]


def test_faults_are_said_in_words(page: Page, tmp_path: Path) -> None:
    note = page.service.folder.path / "note.jpg"
    note.write_bytes(b"Dear diary")
    shown = page.open(note, page.session)
    assert "note.jpg is not a picture" in shown["message"]
    assert shown["zone"]["visible"] == "hidden", "the photo before stays"
    assert "Send a picture file" in page.open(tmp_path / "elsewhere.jpg")["message"]
    assert "at least one model" in page.last()["remark"]
    page.last("autochrome")
    page.session.made[page.session.planned[0]].path.unlink()
    assert "Add the photo again" in page.last("autochrome")["remark"]
    page.session = None  # type: ignore[assignment]
    assert "Add a photo first" in page.last("autochrome")["remark"]


def test_a_large_photo_is_compared_at_the_size_of_a_screen(
    service: Service, tmp_path: Path, gray_scene: Scene
) -> None:
    path = service.folder.new("large.jpg")
    Image.fromarray(gray_scene(900, 1600)).save(path)
    width, height = CompareSession.open(service.photo(path), service).size
    assert MOST_PIXELS * 0.99 < width * height <= MOST_PIXELS
    assert width / height == pytest.approx(16 / 9, rel=0.01)


def test_differences_are_drawn_when_they_are_asked_for(page: Page) -> None:
    page.last("autochrome")
    assert all(made.heat is None for made in page.session.made.values())
    grid = call(page.on.differences, page.session, True)["shown"]
    assert all("heat" in cell for cell in grid["cells"])
    assert grid["difference"]
    entry = page.session.planned[0]
    drawn = image.read(page.session.made[entry].heat).pixels
    truth = image.read(page.photo).pixels
    assert np.array_equal(drawn, draw_heat_map(page.session.picture(entry), truth))
    grid = call(page.on.differences, page.session, False)["shown"]
    assert not grid["difference"]
    assert page.last("student")["difference"] == {**gr.update(visible=True), "value": False}


def test_what_is_taken_away_is_what_is_seen(page: Page) -> None:
    page.last("autochrome", "diffusion", seeds=2)
    shown = call(page.on.export, page.session, "Table, CSV")
    path = shown["finished"]
    assert (shown["remark"], Path(path).name) == ("", "new-scores.csv")
    rows = list(csv.DictReader(Path(path).read_text().splitlines()))
    assert [row["kind"] for row in rows] == ["truth", "gray", "mean", *["model"] * 3, "best"]
    assert float(rows[3]["psnr"]) == pytest.approx(
        page.session.scores[page.session.planned[0]]["psnr"], abs=1e-3
    )
    path = call(page.on.export, page.session, "All, ZIP")["finished"]
    with zipfile.ZipFile(path) as file:
        names = file.namelist()
        (entry, *_) = page.session.planned
        inside = image.decode(file.read("new-autochrome-colour.png"))
        drawn = image.decode(file.read("new-diffusion-seed-1-colour.png")).metadata.record
        gray = image.decode(file.read("new-gray.png")).metadata.record
    assert names[-2:] == ["new-diffusion-seed-1-colour.png", "new-scores.csv"]
    assert gray is None
    assert drawn
    assert [name for name, _ in drawn.models] == ["diffusion"]
    assert drawn.settings["controls"] == {"seed": 1}
    assert inside.metadata.record
    assert read_options(inside.metadata.record) == Options("autochrome")
    assert len(names) == 7
    assert np.array_equal(inside.pixels, page.session.picture(entry))
    path = call(page.on.export, page.session, "Grid, PNG")["finished"]
    sheet, record = image.read(Path(path)).pixels, image.read_record(path)
    assert record
    assert [name for name, _ in record.models] == ["autochrome", "diffusion"]
    assert Path(path).name == "new-comparison.png"
    wide = max(SIZE[0], WIDTHS[0])
    assert sheet.shape[1] == 4 * (wide + GAP) + GAP
    left = GAP + (wide - SIZE[0]) // 2
    assert np.array_equal(sheet[GAP : GAP + SIZE[1], left : left + SIZE[0]], page.session.truth)


def test_files_keep_the_name_that_a_person_gave(service: Service, colour_photo: Path) -> None:
    photo = service.folder.new("Omas Hochzeit 12.5.1943")
    photo.write_bytes(colour_photo.read_bytes())
    page = Page(service, photo)
    path = call(page.on.export, page.session, "All, ZIP")["finished"]
    assert Path(path).name == "Omas Hochzeit 12.5.1943-comparison.zip"
    with zipfile.ZipFile(path) as file:
        assert file.namelist()[-1] == "Omas Hochzeit 12.5.1943-scores.csv"


def test_captions_say_what_matters(page: Page) -> None:
    page.last("autochrome", vividness=[2.0])
    truth, *_, made = page.session.results()
    assert exports.caption(page.session, truth)[0] == "Truth"
    label, main, seconds = exports.caption(page.session, made)
    assert label == "Autochrome, vividness 2"
    assert main.startswith("PSNR ")
    assert " · CIEDE2000 " in main
    assert seconds.endswith(" s")
    failed = Result(made.entry, error="It failed.")
    assert exports.caption(page.session, failed) == [label, "failed"]


def test_a_link_brings_the_settings_back(page: Page) -> None:
    settings = (["autochrome", "coltran"], [0.5, 1.0], 3, ["psnr", "lpips-alex"])
    address = permalink.write(*settings)
    assert address.startswith("?tab=compare&models=autochrome,coltran&vividness=0.5,1&seeds=3&")
    asked = SimpleNamespace(query_params=dict(parse_qsl(address[1:])))
    restored = page.on.restore_link(["sagan"], [2.0], 1, asked)
    assert "8 pictures" in restored.pop("count")
    assert restored.pop("go")["interactive"]
    assert restored == dict(zip(permalink.NAMES, settings, strict=True))
    assert asked_tab(asked)["selected"] == "compare"


def test_what_a_link_asks_for_in_vain_is_said(page: Page) -> None:
    parameters = {"models": "nobody,autochrome,<b>", "seeds": "9", "tab": "elsewhere"}
    asked = SimpleNamespace(query_params=parameters)
    restored = page.on.restore_link(["sagan"], [0.5, 2.0], 1, asked)
    assert "nobody, &lt;b&gt;, 9" in restored.pop("message")
    assert "2 pictures" in restored.pop("count")
    assert restored.pop("go")["interactive"]
    assert restored == {"models": ["autochrome"]}
    assert asked_tab(asked) == gr.skip()
    nothing = SimpleNamespace(query_params={})
    assert page.on.restore_link(["sagan"], [1.0], 1, nothing) == {}


def test_the_models_ticked_at_first_are_there_and_none_draws() -> None:
    known = {card.name for card in model_choices.every()}
    ticked = compare_tab.tick_first(model_choices.every())
    assert set(ticked) == set(compare_tab.FIRST) <= known
    assert compare_tab.tick_first(drawing_models.CARDS) == ["autochrome"]


def test_models_are_marked_where_they_are_chosen() -> None:
    shown = {name: title for title, name in model_choices.choices(model_choices.every())}
    assert shown["autochrome"] == "Autochrome · recommended"
    assert shown["vit-generator"].endswith(" · kept as a lesson")
    assert shown["unet-gan"] == "U-Net GAN"


def test_metrics_say_what_they_would_download(page: Page) -> None:
    said = {name: text for text, name in page.on.list_sizes(["psnr"])["choices"]}
    for metric in metrics.METRICS:
        needs = metric.download != ""
        assert (" once" in said[metric.name] or "downloaded" in said[metric.name]) == needs
    assert page.on.list_sizes(["psnr"])["value"] == ["psnr"]


def test_starting_over_empties_the_page(page: Page) -> None:
    shown = page.on.reset(page.session, WHO)
    assert (shown["message"], shown["zone"]["value"], shown["session"]) == ("", None, None)
    assert (shown["shown"], shown["table"]) == (None, None)
    assert page.session.away


def test_the_photo_of_another_tab_is_taken_when_this_one_is_entered(
    page: Page, gray_photo: Path
) -> None:
    assert page.on.follow(page.session, False, WHO) == {}, "it is this tab's own"
    other = page.service.photo(gray_photo)
    page.service.follow(WHO.session_hash, other)
    assert "entered" in page.on.follow(page.session, False, WHO)
    followed = call(page.on.open, None, page.session, event=FOLLOWING)
    assert followed["session"].photo is other
    assert page.session.away
