"""The tab "Prompt": say which colours things have, and keep the photo."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property, partial
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import gradio as gr

from colorize_core.errors import Cancelled, ColorizeError, WeightsError
from colorize_core.prompted import plan, sources
from colorize_core.prompted.metadata import read_settings
from colorize_core.prompted.settings import CONDITIONS, with_phrase
from colorize_core.prompted.sources import Source
from ui.prompt import endpoint, form, requirements
from ui.prompt.endpoint import LANE
from ui.prompt.session import Asked, Sketchbook
from ui.server.sessions import session
from ui.server.temp_files import KEEP_SECONDS
from ui.shared import example_strip, slider, thumbnails, widgets
from ui.shared.handlers import Running
from ui.shared.service import Job, Studio, in_words, shrink

if TYPE_CHECKING:
    from ui.prompt.generation import Drawing

TITLE = "Prompt"
INVITATION = "# Drop a photo\nto colour it as you describe; or a PNG from here, for its settings"
STARTS = {"From noise alone": False, "From first colours": True}
TEXTS = 1_000_000  # bytes at the beginning of a PNG, in which its settings are sought
THUMBNAIL = 64  # pixels high
AWAY = gr.update(visible=False)
THERE = gr.update(visible=True)


class Handlers(Running):
    """What the controls do. Whose photo it is comes with every call, in its sketchbook."""

    def __init__(self, studio: Studio, examples: Sequence[Path]):
        super().__init__(studio)
        self.examples = examples

    @cached_property
    def drawing(self) -> Drawing:
        """Imports torch: only when something is drawn."""
        from ui.prompt.generation import Drawing

        return Drawing(self.studio)

    # --- the photo ------------------------------------------------------------------------------

    def open(
        self,
        turn: float,
        photo: dict[str, Any] | None,
        book: Sketchbook | None,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008  # how Gradio passes it
    ) -> list[Any]:
        """Take what was dropped: a photo, or a PNG whose settings are wanted for the photo that is
        there."""
        try:
            with self.studio.job(session(request), progress, turn) as job:
                return self._opened(self.studio.upload(photo), book, job)
        except ColorizeError as error:
            zone = gr.update(value=None, visible="hidden" if book else True)
            return [widgets.said(error), zone] + [gr.skip()] * (10 + len(form.NAMES))

    def open_example(
        self,
        turn: float,
        book: Sketchbook | None,
        event: gr.EventData,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008
    ) -> list[Any]:
        """Take the example that was picked."""
        path = example_strip.picked(self.examples, event)
        try:
            with self.studio.job(session(request), progress, turn) as job:
                return self._opened(path, book, job)
        except ColorizeError as error:
            return [widgets.said(error)] + [gr.skip()] * (11 + len(form.NAMES))

    def _opened(self, path: Path, before: Sketchbook | None, job: Job) -> list[Any]:
        """What `place` in build() becomes."""
        job.step(0.0, "Reading the photo")
        with path.open("rb") as file:
            loaded = read_settings(file.read(TEXTS))
        book = before if before and loaded else Sketchbook.open(path, self.studio)
        if before is not None and before is not book:
            before.away = True
        words = ""
        if loaded:
            book.keep(loaded.keep)
            taken = "" if book is before else " The picture itself is taken as the photo."
            words = f"<p>The settings of {escape(path.name)} are loaded.{taken}</p>"
        hidden = gr.update(value=None, visible="hidden")  # stays on the page for paste and drop
        controls = form.show(loaded) if loaded else [gr.skip()] * len(form.NAMES)
        place = [words, hidden, AWAY, THERE, thumbnail(book), book, THERE]
        return [*place, *seen(book, self.studio), *controls]

    def reset(self, book: Sketchbook | None) -> list[Any]:
        """Back to the empty drop zone; the wishes stay."""
        if book is not None:
            book.away = True
        zone = gr.update(value=None, visible=True)
        samples = gr.update(visible=bool(self.examples))
        kept = [gr.skip()] * len(form.NAMES)
        return ["", zone, samples, AWAY, "", None, AWAY, *nothing(), *kept]

    # --- before it is drawn ---------------------------------------------------------------------

    def look(self, book: Sketchbook | None, *wished: Any) -> list[Any]:
        """What the drawing follows, as the controls are now."""
        if book is None:
            return ["", None]
        try:
            with in_words():
                return ["", book.look(form.read(wished))]
        except ColorizeError as error:
            return [widgets.said(error), gr.skip()]

    def choose(self, *wished: Any) -> list[Any]:
        """Another condition, model or speed: its controls, and the files that it needs."""
        try:
            settings = form.read(wished)
        except ColorizeError:  # look() says it
            return [gr.skip()] * (3 + len(form.SOMETIMES))
        wanted = sources.needed(settings)
        return [
            *listed(wanted, requirements.too_little(wanted, settings.side)),
            *form.seen(settings),
        ]

    def download(
        self,
        turn: float,
        wanted: tuple[Source, ...],
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008
    ) -> list[Any]:
        """What is listed and missing."""
        message = "<p>Everything is here now.</p>"
        try:
            with self.studio.job(session(request), progress, turn) as job:
                if missing := sources.missing(wanted):
                    commands = "; ".join(each.by_hand for each in missing.sources)
                    self.studio.check_download(requirements.titles(missing), commands)
                requirements.download(wanted, job)
        except Cancelled:
            message = "<p>Stopped. What is here stays: the download goes on from there.</p>"
        except ColorizeError as error:
            message = widgets.said(error)
        return [message, *listed(wanted)]

    def describe(
        self,
        turn: float,
        book: Sketchbook | None,
        prompt: str,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008
    ) -> list[Any]:
        """What is in the photo, to be edited, before the words that are there."""
        same = [gr.skip()] * 3
        try:
            with self.studio.job(session(request), progress, turn) as job:
                if book is None:
                    return ["<p>Add a photo first.</p>", prompt, *same]
                wanted = (sources.CAPTIONER,)
                if missing := sources.missing(wanted):
                    same = listed(wanted)
                    raise WeightsError(requirements.refusal(missing))
                return ["", self.drawing.described(book, prompt, job), *same]
        except Cancelled:
            return ["", prompt, *same]
        except ColorizeError as error:
            return [widgets.said(error), prompt, *same]

    # --- drawing --------------------------------------------------------------------------------

    def draw(
        self,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008
        *values: Any,
    ) -> Iterator[list[Any]]:
        """The variants, to be seen while they are drawn."""
        turn, book, *wished = values

        def asked() -> list[Asked]:
            settings = form.read(wished)
            one = [replace(settings, seed=seed, variants=1) for seed in settings.seeds]
            return [(each, f"Seed {each.seed}") for each in one]

        yield from self._run(turn, book, asked, request, progress)

    def compare(
        self,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008
        *values: Any,
    ) -> Iterator[list[Any]]:
        """The first seed with several conditions, from noise and from first colours."""
        turn, book, followed, starts, *wished = values

        def asked() -> list[Asked]:
            settings = form.read(wished)
            ways = plan.combinations(settings, followed, [STARTS[start] for start in starts])
            return [(each, plan.label(each)) for each in sorted(ways, key=lambda way: way.start)]

        yield from self._run(turn, book, asked, request, progress)

    def _run(
        self,
        turn: float,
        book: Sketchbook | None,
        asked: Callable[[], list[Asked]],
        request: gr.Request,
        progress: gr.Progress,
    ) -> Iterator[list[Any]]:
        """Draw what is asked for: remark, busy, results, and what is missing."""
        same = [gr.skip()] * 3
        if book is None:
            yield ["<p>Add a photo first.</p>", "", *nothing(), *same]
            return
        message: Any = ""
        try:
            with self.studio.job(session(request), progress, turn) as job:
                several = asked()
                wanted = plan.needed(settings for settings, _ in several)
                if missing := sources.missing(wanted):
                    same = listed(wanted)
                    raise WeightsError(requirements.refusal(missing))
                for words, share in self.drawing.draw(book, several, job):
                    if book.away:
                        return
                    # All of it every time: of two updates at once the page shows the later.
                    yield ["", card(words, share), *seen(book, self.studio), *same]
        except Cancelled:
            message = (
                f"<p>Stopped.{' What was drawn until then is here.' if book.cells else ''}</p>"
            )
        except ColorizeError as error:
            message = widgets.said(error)
        if not book.away:
            yield [message, "", *seen(book, self.studio), *same]

    # --- what was drawn -------------------------------------------------------------------------

    def pick(self, book: Sketchbook | None, event: gr.EventData) -> list[Any]:
        """Another of the pictures is to be seen at full size."""
        if book is None or book.running:
            return [gr.skip()] * 5
        book.pick(int(event.index))
        return seen(book, self.studio)

    def keep(self, book: Sketchbook | None, kept: bool) -> list[Any]:
        """The drawn pictures with the photo kept, or as they are: none is drawn anew."""
        if book is None or book.running:
            return [gr.skip()] * 5
        book.keep(kept)
        return seen(book, self.studio)

    def save(
        self,
        turn: float,
        format: str,
        book: Sketchbook | None,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008
    ) -> list[Any]:
        """The shown one as a file."""
        if book is None or book.cell is None:
            return [gr.skip(), None]
        try:
            with self.studio.job(session(request), progress, turn) as job:
                return ["", str(book.save(book.cell, format, self.studio, job))]
        except Cancelled:
            return [gr.skip(), None]
        except ColorizeError as error:
            return [widgets.said(error), None]


def nothing() -> list[Any]:
    """What seen() is without a picture."""
    return [None, AWAY, None, AWAY, ""]


def seen(book: Sketchbook, studio: Studio) -> list[Any]:
    """The pictures; frame and comparison of the picked one, what can be done with it, its line."""
    try:
        with in_words():
            shown, line = book.comparison(studio), book.line()
    except ColorizeError as error:
        shown, line = None, escape(str(error))
    there = gr.update(visible=shown is not None)
    return [book.grid(), there, shown, there, line]


def thumbnail(book: Sketchbook) -> str:
    """The photo, its name and its size."""
    width, height = book.size
    words = f"{escape(book.path.name)}<br>{width} × {height}"
    small = shrink(book.small, THUMBNAIL, max(1, round(width * THUMBNAIL / height)))
    return f'<img src="{thumbnails.as_address(small)}" alt="The photo"><p>{words}</p>'


def listed(wanted: Sequence[Source], warning: str = "") -> list[Any]:
    """What is asked for, the list of it, and the button that downloads what is missing."""
    return [tuple(wanted), *requirements.view(wanted, warning)]


def card(words: str, share: float) -> str:
    return f"<p>{escape(words)}</p><progress value={share:.3f}></progress>"


def build(studio: Studio) -> None:
    """Lay the tab out and wire it."""
    examples = example_strip.find_examples()
    on = Handlers(studio, examples)
    book = gr.State(None, time_to_live=KEEP_SECONDS)
    asked = gr.State(())  # the sources that are listed
    turn = gr.Number(visible=False)  # when a run was asked for: filled by the page

    message = gr.HTML(elem_classes="message")
    with widgets.stage() as (opening, cancel_opening):
        zone = widgets.drop_zone(INVITATION)
    with gr.Row(visible=False, elem_classes="chosen") as chosen:
        photo = gr.HTML()
        again = gr.Button("Another photo", size="sm")
    with gr.Column(visible=bool(examples), elem_classes="samples") as samples:
        gr.HTML("<h2>Or try one of these</h2>")
        strip = example_strip.build(examples, studio.folder, elem_classes="strip")
    with gr.Column(visible=False) as desk:
        with gr.Row(elem_classes="workbench"):
            with gr.Column(scale=4, min_width=300, elem_classes="wish"):
                words, chips, describe = form.build_words()
            with gr.Column(scale=5, min_width=300, elem_classes="wish"):
                followed = thumbnails.build()
                condition = form.build_condition()
        controls = {**words, **condition, **form.build_drawing()}
        with widgets.stage(alone=True) as (loading, cancel_loading):
            need = gr.HTML(elem_classes="needs")
            get = gr.Button("Download", size="sm", visible=False, elem_classes="get")
        with gr.Row(elem_classes="actions"):
            go = gr.Button("Draw", variant="primary", elem_classes="go")
        ways = build_ways()
        remark = gr.HTML(elem_classes="message")
        with widgets.stage() as (busy, cancel):
            drawings = thumbnails.build(pick=True)
            with gr.Column(visible=False) as frame:
                compared = slider.build()
        with gr.Row(visible=False, elem_classes="actions") as bar:
            line = widgets.status_line()
            buttons = widgets.downloads()
    finished = gr.DownloadButton(visible="hidden")

    wished = [controls[name] for name in form.NAMES]
    listing = [asked, need, get]
    results = [drawings, frame, compared, bar, line]
    place = [message, zone, samples, chosen, photo, book, desk, *results, *wished]
    latest = {"trigger_mode": "always_last", **widgets.QUICK}
    run = {**widgets.runs(busy), "concurrency_id": LANE}
    drawn = [remark, busy, *results, *listing]

    chosen_so = [*listing, *(controls[name] for name in form.SOMETIMES)]
    choose = partial(gr.on, fn=on.choose, inputs=wished, outputs=chosen_so, **widgets.QUICK)
    look = {"fn": on.look, "inputs": [book, *wished], "outputs": [remark, followed]}
    for opened in (
        zone.upload(on.open, [turn, zone, book], place, preprocess=False, **widgets.runs(opening)),
        strip.select(on.open_example, [turn, book], place, **widgets.runs(opening)),
    ):
        opened.failure(on.fail, None, message, **widgets.QUICK)
        opened.success(**look, show_progress_on=[followed], api_visibility="private").success(
            on.choose, wished, chosen_so, **widgets.QUICK
        )
    seen_by = ("condition", "low", "high", "blur", "side", "model")
    gr.on([controls[name].input for name in seen_by], **look, **latest)
    files_of = ("model", "condition", "fast", "start", "side")
    choose([controls[name].input for name in files_of])
    choose(None)  # when the page is opened
    controls["fast"].input(
        form.speed,
        controls["fast"],
        [controls["steps"], controls["guidance"]],
        **widgets.QUICK,
    )
    follows = ("prompt", "steps", "guidance")
    controls["model"].input(
        form.choose_model,
        [controls[name] for name in ("model", "prompt", "fast")],
        [controls[name] for name in ("model", *follows)],
        **widgets.QUICK,
    )
    for chip, phrase in chips:
        chip.click(
            with_phrase, [controls["prompt"], gr.State(phrase)], controls["prompt"], **widgets.QUICK
        )
    written = describe.click(
        on.describe,
        [turn, book, controls["prompt"]],
        [remark, controls["prompt"], *listing],
        **widgets.runs(loading),
    )
    fetched = get.click(on.download, [turn, asked], [remark, *listing], **widgets.runs(loading))
    made = (
        go.click(on.draw, [turn, book, *wished], drawn, **run),
        ways.go.click(
            on.compare,
            [turn, book, ways.conditions, ways.starts, *wished],
            drawn,
            api_name="compare_ways",  # the bare name is that of another tab's endpoint
            **run,
        ),
    )
    # What the download has said stays.
    fetched.success(lambda *now: on.look(*now)[1], [book, *wished], followed, **widgets.QUICK)
    for event in (written, fetched, *made):
        event.failure(on.fail, None, remark, **widgets.QUICK)
    drawings.select(on.pick, book, results, **widgets.QUICK)
    controls["keep"].input(on.keep, [book, controls["keep"]], results, **latest)
    for kind, button in buttons.items():
        saved = button.click(on.save, [turn, gr.State(kind), book], [remark, finished], **run)
        saved.success(None, finished, None, js="window.saveFile", **widgets.QUICK)
    for button, words in (
        (cancel, remark),
        (cancel_loading, remark),
        (cancel_opening, message),
    ):
        button.click(on.stop, turn, words, js="window.stopRuns", **widgets.QUICK)
    remark.change(None, None, None, js="() => { window.showAlert(); }", **widgets.QUICK)
    again.click(on.reset, book, place, **widgets.QUICK)
    endpoint.build(on, zone, controls)


class Ways(NamedTuple):
    """What is compared in one run."""

    conditions: gr.CheckboxGroup
    starts: gr.CheckboxGroup
    go: gr.Button


def build_ways() -> Ways:
    title = "Compare ways of following the photo"
    with gr.Accordion(title, open=False, elem_classes=["adjust", "picks"]):
        names = [(plan.TITLES[name], name) for name in CONDITIONS]
        conditions = gr.CheckboxGroup(names, value=list(CONDITIONS), label="Following")
        starts = gr.CheckboxGroup(list(STARTS), value=list(STARTS)[:1], label="Beginning")
        go = gr.Button("Draw all of them", size="sm", elem_classes="get")
    return Ways(conditions, starts, go)
