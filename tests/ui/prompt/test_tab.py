"""The tab "Prompt" without a browser: what its handlers do with tiny untrained models."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import numpy as np
import pytest
import tiny_diffusion
from handler_calls import UPLOAD, WHO, Updates, call, calls
from hub_server import COMMIT, Hub, fetch, serving
from numpy.typing import NDArray

from colorize_core.errors import WeightsError
from colorize_core.imaging import image
from colorize_core.imaging.color import rgb_to_lab
from colorize_core.imaging.formats import CHOICES
from colorize_core.prompted import grid, lora, sources
from colorize_core.prompted.generation import Preview, Variant
from colorize_core.prompted.metadata import KEY, read_settings
from colorize_core.prompted.models import MODELS
from colorize_core.prompted.plan import list_needed
from colorize_core.prompted.settings import CONDITIONS, PROMPT, PromptSettings
from colorize_core.prompted.sources import CAPTIONER
from colorize_core.sizes import format_size
from ui.prompt import endpoint, form, generation, requirements
from ui.prompt.session import PromptSession
from ui.prompt.tab import STARTS, Handlers
from ui.server.limits import Public
from ui.shared.example_strip import find_examples
from ui.shared.service import Service

# NumPy 2 has a word for diffusers' UniPC, which reads a tensor as an array.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

SIZE = (120, 90)  # of the photos, width and height
WISH = PromptSettings(side=64, steps=2, low=20, high=60, seed=5)
WAYS = [
    replace(WISH, condition=each, start=start) for each in CONDITIONS for start in (False, True)
]
Scene = Callable[..., NDArray[np.uint8]]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hub")
    tiny_diffusion.write_all(folder)
    return folder


@pytest.fixture(scope="module")
def filled(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Hub cache with everything in it."""
    cache = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch, serving(models, cache, patch):
        fetch(sources.list_missing(list_needed(WAYS)))
    return cache


@pytest.fixture
def here(models: Path, filled: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """Everything is on this machine."""
    with serving(models, filled, monkeypatch) as hub:
        yield hub


@pytest.fixture
def bare(models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """Nothing is, but a Hub has it."""
    with serving(models, tmp_path / "cache", monkeypatch) as hub:
        yield hub


class Page:
    """The tab's handlers with one person's photo."""

    def __init__(self, service: Service, photo: Path):
        self.service = service
        self.on = Handlers(service, find_examples())
        self.opened = self.open(photo)
        self.session: PromptSession = self.opened["session"]

    def open(self, photo: Path, session: PromptSession | None = None) -> Updates:
        there = self.service.folder.new(photo.name)
        there.write_bytes(photo.read_bytes())
        return call(self.on.open, {"path": str(there)}, session, event=UPLOAD)

    def drawing(self, settings: PromptSettings = WISH, **options: Any) -> Iterator[Updates]:
        return calls(self.on.draw, self.session, *values(settings), **options)

    def draw(self, settings: PromptSettings = WISH, turn: int = 0) -> list[Updates]:
        return list(self.drawing(settings, turn=turn))

    def compare(self, followed: Any, starts: Any, settings: PromptSettings = WISH) -> list[Updates]:
        return list(calls(self.on.compare, self.session, followed, starts, *values(settings)))

    def look(self, settings: PromptSettings) -> Updates:
        shown: Updates = self.on.look(self.session, *values(settings))
        return shown

    def pixels(self) -> NDArray[Any]:
        """Of the picture that is shown."""
        return image.read(self.session.after(self.session.cell, self.service)).pixels

    def saved(self, format: str) -> Path:
        shown = call(self.on.save, self.session, format)
        assert shown["remark"] == ""
        return Path(shown["finished"])


def values(settings: PromptSettings) -> list[Any]:
    """As the controls send them."""
    return [getattr(settings, name) for name in form.NAMES]


@pytest.fixture
def page(service: Service, gray_photo: Path, here: Hub) -> Page:
    return Page(service, gray_photo)


def captions(drawings: dict[str, Any]) -> list[str]:
    return [cell["caption"] for group in drawings["groups"] for cell in group["cells"]]


def lightness(pixels: NDArray[Any]) -> NDArray[Any]:
    return rgb_to_lab(pixels / 255.0)[..., 0]


# --- a LoRA ---


def test_a_lora_is_looked_up_and_then_part_of_what_is_needed(
    page: Page, here: Hub, models: Path
) -> None:
    home = models / "anna" / "tints"
    home.mkdir(parents=True, exist_ok=True)
    (home / lora.USUAL).write_bytes(b"x" * 2_000_000)
    (home / "README.md").write_text("---\nlicense: cc-by-4.0\n---\n")
    found = call(page.on.look_lora_up, "anna/tints", "sd15")
    assert found["lora"] == f"anna/tints/{lora.USUAL}@{COMMIT}"
    assert "2 MB, licence cc-by-4.0, revision 01234567" in found["lora_found"]
    listed = page.on.choose(*values(replace(WISH, lora=found["lora"])))
    assert "LoRA anna/tints" in listed["list"]
    assert "2 MB" in listed["get"]["value"]


def test_what_is_no_lora_is_said_beside_it(page: Page) -> None:
    assert "names no LoRA" in call(page.on.look_lora_up, "tints", "sd15")["lora_found"]
    assert call(page.on.look_lora_up, " ", "sd15") == {"lora_found": "", "lora": ""}


def test_a_typed_lora_has_to_be_looked_up(page: Page) -> None:
    asked = dict(zip(form.NAMES, values(WISH), strict=True)) | {"lora": "anna/tints"}
    told = list(calls(page.on.draw, page.session, *asked.values()))[-1]
    assert "Look it up first" in told["remark"]


def test_in_public_nobody_looks_one_up(service: Service, gray_photo: Path, here: Hub) -> None:
    service.public = Public()
    told = call(Page(service, gray_photo).on.look_lora_up, "anna/tints", "sd15")
    assert "a public app downloads nothing" in told["lora_found"]


# --- before it is drawn ---


def test_nothing_heavy_is_imported_before_there_is_a_photo() -> None:
    code = "import sys, app, ui.prompt.tab; print({'torch', 'diffusers'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_the_edges_follow_both_thresholds(page: Page) -> None:
    def edges(**changed: Any) -> str:
        shown = page.look(replace(WISH, **changed))
        assert shown["remark"] == ""
        (group,) = shown["followed"]["groups"]
        assert len(group["cells"]) == 2
        return group["cells"][1]["source"]

    assert len({edges(), edges(low=60), edges(high=200), edges(blur=3.0)}) == 4
    assert edges() == edges()
    assert len({edges(condition=kind) for kind in CONDITIONS}) == 3


def test_an_editor_has_no_edges_to_look_at(page: Page) -> None:
    shown = page.look(replace(WISH, model="flux2-klein"))
    assert captions(shown["followed"]) == ["The photo in gray"]


def test_thresholds_that_do_not_fit_are_explained(page: Page) -> None:
    swapped = dict(zip(form.NAMES, values(WISH), strict=True)) | {"low": 90, "high": 50}
    assert "Swap them" in page.on.look(page.session, *swapped.values())["remark"]


def test_the_edges_are_seen_without_any_weights(
    service: Service, gray_photo: Path, bare: Hub
) -> None:
    page = Page(service, gray_photo)
    shown = page.look(WISH)
    assert shown["remark"] == ""
    assert captions(shown["followed"])[1] == "What the drawing follows"
    soft = page.look(replace(WISH, condition="softedge"))["followed"]
    assert "once their network is here" in captions(soft)[1]
    assert bare.asked == []


@pytest.mark.parametrize("name", MODELS)
def test_only_controls_that_count_are_seen(name: str) -> None:
    card = MODELS[name]
    shown = form.show_needed(PromptSettings(model=name))
    seen = {control for control, update in shown.items() if update["visible"]}
    edges = set(form.EDGES) if card.conditions else set()
    own = {"condition"} if card.conditions else set()
    assert seen - {"guidance", "weight"} == edges | own | (
        {"negative"} if card.negative else set()
    ) | ({"fast"} if card.fast else set())
    assert ("guidance" in seen) == ("guidance" in card.controls)


def test_another_model_brings_its_own_words_unless_some_were_typed() -> None:
    flux = MODELS["flux2-klein"]
    shown = form.choose_model("flux2-klein", PROMPT, True)
    assert shown["model"]["info"] == flux.line
    own = (flux.prompt, flux.steps, flux.guidance)
    assert (shown["prompt"], shown["steps"], shown["guidance"]) == own
    assert form.choose_model("flux2-klein", "a red door", True)["prompt"] == "a red door"
    shown = form.choose_model("sd15", flux.prompt, False)
    del shown["model"]
    assert shown == {"prompt": PROMPT, **form.choose_speed(False)}


# --- what has to be downloaded ---


def test_what_is_missing_is_listed_with_size_and_licence(
    service: Service, gray_photo: Path, bare: Hub
) -> None:
    page = Page(service, gray_photo)
    shown = page.on.choose(*values(WISH))
    asked, button = shown["asked"], shown["get"]
    assert asked == sources.list_needed(WISH)
    for each in asked:
        assert each.line in shown["list"]
    assert button["visible"]
    assert format_size(sum(each.bytes for each in asked)) in button["value"]
    assert bare.asked == []  # nothing was asked for


def test_drawing_without_the_weights_says_what_to_do(
    service: Service, gray_photo: Path, bare: Hub
) -> None:
    page = Page(service, gray_photo)
    (last,) = page.draw()
    assert "Not on this machine yet: Stable Diffusion 1.5" in last["remark"]
    assert last["get"]["visible"]
    assert last["compared"] is None
    assert bare.asked == []


def test_a_download_reports_and_makes_it_whole(
    service: Service, gray_photo: Path, bare: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("colorize_core.models.runner.LIVELY", 0.0)
    page = Page(service, gray_photo)
    heard: list[str] = []

    def progress(share: float, what: str) -> None:
        heard.append(what)

    shown = call(page.on.download, sources.list_needed(WISH), progress=progress)
    assert "Everything is here now" in shown["remark"]
    assert "Everything that drawing needs is on this machine" in shown["list"]
    assert not shown["get"]["visible"]
    assert heard[-1] == "3.6 GB of 3.6 GB"
    assert page.draw()[-1]["remark"] == ""


def test_a_download_is_stopped_and_goes_on(
    service: Service, gray_photo: Path, bare: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("colorize_core.models.runner.LIVELY", 0.0)
    page = Page(service, gray_photo)

    def progress(share: float, what: str) -> None:
        if share > 0.5:
            page.on.stop(1, WHO)

    shown = call(page.on.download, sources.list_needed(WISH), progress=progress)
    assert "the download goes on from there" in shown["remark"]
    assert shown["get"]["visible"]
    before = len(bare.asked)
    call(page.on.download, sources.list_needed(WISH), turn=2)
    fetched = {each.split(" ", 1)[1] for each in bare.asked[before:]}
    assert "stable-diffusion-v1-5/stable-diffusion-v1-5/model_index.json" not in fetched
    assert not sources.list_missing(sources.list_needed(WISH))


def test_a_download_that_fails_says_why(service: Service, gray_photo: Path, bare: Hub) -> None:
    page = Page(service, gray_photo)
    bare.says = (503, "")
    shown = call(page.on.download, sources.list_needed(WISH))
    assert 'role="alert"' in shown["remark"]
    assert "503" in shown["remark"]
    assert shown["get"]["visible"]


def test_a_machine_that_is_too_small_is_told_beforehand(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    from colorize_core.prompted import memory

    assert "warning" not in page.on.choose(*values(WISH))["list"]
    monkeypatch.setattr(memory, "measure_free", lambda device: 2_000_000_000)
    words = page.on.choose(*values(WISH))["list"]
    assert re.search(r"needs about [\d.]+ GB; free are 2\.0 GB", words)


# --- drawing ---


def test_variants_are_seen_while_they_are_drawn(page: Page) -> None:
    said = page.draw(replace(WISH, variants=2))
    words = [re.sub("<[^>]*>", "", each["busy"]) for each in said]
    assert words == [
        "Getting ready",
        "Picture 1 of 2 · step 1 of 2",
        "Picture 1 of 2 · step 2 of 2",
        "Picture 1 of 2",
        "Picture 2 of 2 · step 1 of 2",
        "Picture 2 of 2 · step 2 of 2",
        "Picture 2 of 2",
        "",
    ]
    shares = [float(each) for step in said for each in re.findall(r"value=([\d.]+)", step["busy"])]
    assert shares == sorted(shares)
    assert captions(said[1]["drawings"]) == ["Seed 5 · being drawn", "Seed 6"]
    assert [each["source"] for each in said[-1]["drawings"]["groups"][0]["cells"]] == [
        each["source"] for each in said[-2]["drawings"]["groups"][0]["cells"]
    ]
    assert said[3]["compared"] is not None  # the first is shown at full size as soon as it is done
    assert said[-1]["drawings"]["picked"] == 0
    assert captions(said[-1]["drawings"]) == ["Seed 5", "Seed 6"]


def test_a_seed_draws_the_same_again_and_another_does_not(page: Page) -> None:
    def made(**changed: Any) -> NDArray[np.uint8]:
        page.draw(replace(WISH, **changed))
        return page.session.cell.drawn

    first = made()
    assert np.array_equal(first, made())
    assert not np.array_equal(first, made(seed=6))
    assert not np.array_equal(first, made(prompt="autumn leaves"))
    assert not np.array_equal(first, made(condition="brightness"))
    assert not np.array_equal(first, made(start=True))


def test_the_photo_is_kept_until_it_is_not_to_be(page: Page, gray_photo: Path) -> None:
    page.draw()
    photo = image.read(gray_photo).pixels
    kept = image.read(page.saved("PNG")).pixels
    assert kept.shape == photo.shape
    # A level is 255th of the way from black to white.
    assert np.abs(lightness(kept) - lightness(photo)).max() < 100 / 255
    assert np.ptp(kept.astype(int), axis=2).max() > 10  # it has colours
    assert "raw picture" in page.on.keep(page.session, False)["line"]
    drawn = page.session.cell.drawn
    assert np.array_equal(image.read(page.saved("PNG")).pixels, drawn)
    assert drawn.shape[0] * drawn.shape[1] == pytest.approx(WISH.side**2, rel=0.1)
    assert "photo kept" in page.on.keep(page.session, True)["line"]
    assert np.array_equal(image.read(page.saved("PNG")).pixels, kept)


def test_a_photo_in_colour_is_taken_without(
    service: Service, colour_photo: Path, here: Hub
) -> None:
    page = Page(service, colour_photo)
    before = image.read(page.session.before).pixels.astype(int)
    assert np.ptp(before, axis=2).max() <= 4  # JPEG
    page.draw()
    photo = image.read(colour_photo).pixels
    kept = image.read(page.saved("PNG")).pixels
    assert np.abs(lightness(kept) - lightness(photo)).max() < 100 / 255


@pytest.mark.parametrize("format", CHOICES)
def test_every_format_can_be_taken_away(page: Page, format: str) -> None:
    page.draw()
    saved = image.read(page.saved(format))
    assert saved.pixels.shape == (SIZE[1], SIZE[0], 3)
    assert saved.pixels.dtype == (np.uint16 if "16" in format else np.uint8)
    if "16" in format:
        assert len(np.unique(saved.pixels % 257)) > 100  # shades between those of 8 bits


def test_another_of_the_pictures_is_picked(page: Page) -> None:
    page.draw(replace(WISH, variants=2))
    first = page.pixels()
    shown = page.on.pick(page.session, SimpleNamespace(index=1))
    assert shown["drawings"]["picked"] == 1
    assert "Seed 6" in shown["line"]
    assert not np.array_equal(page.pixels(), first)


def test_conditions_are_compared_in_one_run(page: Page) -> None:
    said = page.compare(list(CONDITIONS), list(STARTS))
    assert said[-1]["remark"] == ""
    drawings = said[-1]["drawings"]
    assert captions(drawings) == [
        "Canny edges",
        "Brightness",
        "Soft edges",
        "Canny edges, from the built-in model's colours",
        "Brightness, from the built-in model's colours",
        "Soft edges, from the built-in model's colours",
    ]
    assert drawings["groups"][0]["columns"] == 3
    pictures = [cell.drawn.tobytes() for cell in page.session.cells]
    assert len(set(pictures)) == 6
    alone = PromptSettings(**{**vars(WISH), "condition": "brightness"})
    page.draw(alone)
    assert page.session.cell.drawn.tobytes() == pictures[1]


def test_nothing_to_compare_is_explained(page: Page) -> None:
    (last,) = page.compare([], list(STARTS))
    assert "Nothing is compared" in last["remark"]


def test_one_that_fails_leaves_the_others(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    real = grid.make_condition

    def damaged(photo: Any, settings: PromptSettings, hed: Any) -> Any:
        if settings.condition == "brightness":
            raise WeightsError("The file is damaged. Download it again.")
        return real(photo, settings, hed)

    monkeypatch.setattr(grid, "make_condition", damaged)
    last = page.compare(list(CONDITIONS), list(STARTS)[:1])[-1]
    assert last["remark"] == ""
    assert captions(last["drawings"])[1] == "Brightness · The file is damaged. Download it again."
    assert [cell.drawn is not None for cell in page.session.cells] == [True, False, True]
    (_, last) = page.draw(replace(WISH, condition="brightness"))
    assert "The file is damaged" in last["remark"]
    assert page.session.cells == []


def test_a_flagged_picture_is_explained(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    def flagged(*_: Any, **__: Any) -> Iterator[Any]:
        yield 1, Preview(1, 5, 1, 1, np.zeros((8, 8, 3), np.uint8))
        yield 1, Variant(1, 5, None, None, "The safety checker took it. Try another seed.")

    monkeypatch.setattr(generation, "draw_grid", flagged)
    last = page.draw()[-1]
    assert captions(last["drawings"]) == ["Seed 5 · The safety checker took it. Try another seed."]
    assert last["compared"] is None  # nothing to be compared with the photo


def test_it_stops_within_a_step(page: Page) -> None:
    run = page.drawing(replace(WISH, steps=30, variants=2))
    for updates in run:
        if "step 2 of" in updates["busy"]:
            break
    page.on.stop(1, WHO)
    rest = list(run)
    assert len(rest) <= 10, "of 58 steps; beside other load some are drawn before it is called"
    assert "Stopped" in rest[-1]["remark"]
    assert not page.session.running
    assert page.draw(turn=2)[-1]["remark"] == ""  # the next one is drawn as if nothing had been


def test_what_was_drawn_before_the_stop_stays(page: Page) -> None:
    run = page.drawing(replace(WISH, variants=2))
    for updates in run:
        if "Picture 2 of 2 · step 1" in updates["busy"]:
            break
    page.on.stop(1, WHO)
    last = list(run)[-1]
    assert "What was drawn until then is here" in last["remark"]
    assert last["compared"] is not None
    (cell,) = page.session.cells
    assert cell.settings.seed == 5


def test_another_photo_ends_the_run_without_a_word(page: Page, gray_photo: Path) -> None:
    run = page.drawing()
    next(run)
    page.open(gray_photo, page.session)
    assert list(run) == []


def test_a_second_drawing_waits_for_the_first(page: Page, gray_photo: Path) -> None:
    other = Page(page.service, gray_photo)
    other.on = page.on
    run = page.drawing()
    next(run)
    done: list[Any] = []
    waiting = threading.Thread(
        target=lambda: done.extend(other.drawing(who=SimpleNamespace(session_hash="b")))
    )
    waiting.start()
    waiting.join(0.5)
    assert done == []
    list(run)
    waiting.join(60)
    assert done[-1]["remark"] == ""
    assert np.array_equal(other.session.cell.drawn, page.session.cell.drawn)


def test_a_mistake_of_ours_is_not_shown_in_its_own_words(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr(generation, "draw_grid", fail)
    last = page.draw()[-1]
    assert "The program has failed" in last["remark"]
    assert "oops" not in last["remark"]


# --- settings in PNGs ---


def test_a_png_brings_its_settings_back(page: Page) -> None:
    wish = replace(WISH, prompt="a navy suit", condition="brightness", start=True, seed=9)
    page.draw(wish)
    png = page.saved("PNG")
    assert read_settings(image.read_record(png)) == wish
    page.on.keep(page.session, False)
    again = page.open(png, page.session)
    assert "photo kept" in again["line"]
    assert again["session"] is page.session  # the photo stays
    assert not page.session.away
    assert "are loaded" in again["message"]
    sent = {name: again[name] for name in form.NAMES}
    assert {name: update["value"] for name, update in sent.items()} == vars(wish)
    assert not sent["low"]["visible"]
    assert sent["strength"]["visible"]


def test_a_png_alone_is_the_photo_too(page: Page, service: Service) -> None:
    page.draw()
    png = page.saved("PNG")
    fresh = Page(service, png)
    assert "taken as the photo" in fresh.opened["message"]
    assert fresh.session.photo.size == SIZE
    fresh.draw()
    drawn = fresh.saved("PNG")
    # Its L is the photo's, so the same wish draws the same colours again, but for rounding.
    difference = np.abs(image.read(drawn).pixels.astype(int) - image.read(png).pixels.astype(int))
    assert np.median(difference) <= 8


def test_damaged_settings_are_named(page: Page, tmp_path: Path) -> None:
    page.draw()
    broken, png = tmp_path / "broken.jpg", image.read(page.saved("PNG"))
    assert png.metadata.record
    told = {KEY: {"seed": 5}}
    image.write(broken, png.with_record(replace(png.metadata.record, settings=told)))
    assert "do not fit" in page.open(broken, page.session)["message"]


def test_what_is_no_picture_is_named(page: Page, tmp_path: Path) -> None:
    words = tmp_path / "words.txt"
    words.write_text("hello")
    assert "words.txt" in page.open(words)["message"]


# --- a caption ---


def test_the_captioner_is_asked_for_before_it_is_downloaded(page: Page) -> None:
    shown = call(page.on.describe, page.session, "red")
    assert "Captioner BLIP" in shown["remark"]
    assert "prompt" not in shown
    assert shown["asked"] == (CAPTIONER,)
    assert CAPTIONER.line in shown["list"]
    assert shown["get"]["visible"]


def test_a_caption_is_put_before_the_words(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[Any] = []

    def caption(photo: Any, stop: Any) -> str:
        heard.append(photo)
        return "a man with a camera"

    monkeypatch.setattr(generation, "caption", caption)
    monkeypatch.setattr(sources, "list_missing", lambda wanted: ())
    shown = call(page.on.describe, page.session, "red brick")
    assert shown == {"remark": "", "prompt": "a man with a camera, red brick"}
    assert heard[0] is page.session.small


def test_the_list_escapes_what_it_says() -> None:
    source = replace(CAPTIONER, title="<b>")
    assert "&lt;b&gt;" in requirements.show([source], public=False)["list"]


def test_a_photo_that_is_gone_is_explained(page: Page) -> None:
    page.draw()
    page.session.photo.path.unlink()
    page.session.cell.files.clear()
    shown = page.on.pick(page.session, SimpleNamespace(index=0))
    assert shown["compared"] is None
    assert "no longer here" in shown["line"]


def test_the_empty_page_comes_back(page: Page) -> None:
    cleared = page.on.reset(page.session, WHO)
    assert page.session.away
    assert cleared.keys() == page.opened.keys()
    assert page.on.look(None, *values(WISH)) == {"remark": "", "followed": None}
    page.session = None  # type: ignore[assignment]
    assert call(page.on.save, None, "PNG")["finished"] is None
    (last,) = page.draw()
    assert "Add a photo first" in last["remark"]


# --- for programs ---


def asked(page: Page, **changed: Any) -> tuple[str, str]:
    """What /prompt gives back for the photo."""
    wished = {name: getattr(WISH, name) for name in endpoint.NAMES}
    photo = {"path": str(page.session.photo.path)}
    on = endpoint.Endpoint(page.service, lambda: page.on.generation)
    return on.prompt(WHO, photo, **{**wished, **changed}, progress=None)


def test_the_endpoint_draws_what_the_page_draws(page: Page) -> None:
    file, line = asked(page)
    settings = read_settings(image.read_record(file))
    assert settings is not None
    assert all(getattr(settings, name) == getattr(WISH, name) for name in endpoint.NAMES)
    page.draw(settings)
    assert (image.read(page.saved("PNG")).pixels == image.read(file).pixels).all()
    assert re.fullmatch(r"120 × 90 · Seed 5 · drawn in \d+\.\d s · photo kept", line)
    raw, line = asked(page, keep=False)
    assert image.read(raw).pixels.shape != (90, 120, 3)
    assert line.endswith("the raw picture")


def test_the_endpoint_refuses_and_downloads_nothing(
    service: Service, gray_photo: Path, bare: Hub
) -> None:
    page = Page(service, gray_photo)
    with pytest.raises(gr.Error, match=r"Not on this machine yet: .* The tab Prompt of the app"):
        asked(page)
    with pytest.raises(gr.Error, match="condition is 'depth', allowed are: canny"):
        asked(page, condition="depth")
    assert bare.asked == []


def test_the_endpoint_says_why_a_picture_was_held_back(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    def flagged(*_: Any, **__: Any) -> Iterator[Any]:
        yield 1, Variant(1, 5, None, None, "The safety checker took it. Try another seed.")

    monkeypatch.setattr(generation, "draw_grid", flagged)
    with pytest.raises(gr.Error, match="Try another seed"):
        asked(page)


def test_the_endpoint_is_stopped_and_leaves_the_way_free(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopping(*arguments: Any, **options: Any) -> Iterator[Any]:
        for news in grid.draw_grid(*arguments, **options):
            yield news
            page.service.stop(WHO.session_hash)

    with monkeypatch.context() as patch:
        patch.setattr(generation, "draw_grid", stopping)
        with pytest.raises(gr.Error, match="Stopped"):
            asked(page, steps=30)
    assert asked(page)[0].endswith(".png")
