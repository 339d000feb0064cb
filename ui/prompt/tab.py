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
from colorize_core.models.runner import Task
from colorize_core.prompted import plan, sources
from colorize_core.prompted.metadata import read_settings
from colorize_core.prompted.settings import CONDITIONS, with_phrase
from colorize_core.prompted.sources import Source
from ui.prompt import endpoint, form, requirements
from ui.prompt.endpoint import LANE
from ui.prompt.session import Asked, PromptSession
from ui.server.sessions import client_id
from ui.server.temp_files import KEEP_SECONDS
from ui.shared import example_strip, slider, thumbnails, widgets
from ui.shared.handlers import Running
from ui.shared.service import Service, in_words, shrink

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
    """What the controls do. Whose photo it is comes with every call, in its session."""

    def __init__(self, service: Service, examples: Sequence[Path]):
        super().__init__(service)
        self.examples = examples

    @cached_property
    def drawing(self) -> Drawing:
        """Imports torch: only when something is drawn."""
        from ui.prompt.generation import Drawing

        return Drawing(self.service)

    # --- the photo ------------------------------------------------------------------------------

    def open(
        self,
        turn: float,
        photo: dict[str, Any] | None,
        session: PromptSession | None,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008  # how Gradio passes it
    ) -> list[Any]:
        """Take what was dropped: a photo, or a PNG whose settings are wanted for the photo that is
        there."""
        try:
            with self.service.task(client_id(request), progress, turn) as task:
                return self._opened(self.service.upload(photo), session, task)
        except ColorizeError as error:
            zone = gr.update(value=None, visible="hidden" if session else True)
            return [widgets.said(error), zone] + [gr.skip()] * (10 + len(form.NAMES))

    def open_example(
        self,
        turn: float,
        session: PromptSession | None,
        event: gr.EventData,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008
    ) -> list[Any]:
        """Take the example that was picked."""
        path = example_strip.picked(self.examples, event)
        try:
            with self.service.task(client_id(request), progress, turn) as task:
                return self._opened(path, session, task)
        except ColorizeError as error:
            return [widgets.said(error)] + [gr.skip()] * (11 + len(form.NAMES))

    def _opened(self, path: Path, before: PromptSession | None, task: Task) -> list[Any]:
        """What `place` in build() becomes."""
        task.step(0.0, "Reading the photo")
        with path.open("rb") as file:
            loaded = read_settings(file.read(TEXTS))
        session = before if before and loaded else PromptSession.open(path, self.service)
        if before is not None and before is not session:
            before.away = True
        words = ""
        if loaded:
            session.keep(loaded.keep)
            taken = "" if session is before else " The picture itself is taken as the photo."
            words = f"<p>The settings of {escape(path.name)} are loaded.{taken}</p>"
        hidden = gr.update(value=None, visible="hidden")  # stays on the page for paste and drop
        controls = form.show(loaded) if loaded else [gr.skip()] * len(form.NAMES)
        place = [words, hidden, AWAY, THERE, thumbnail(session), session, THERE]
        return [*place, *seen(session, self.service), *controls]

    def reset(self, session: PromptSession | None) -> list[Any]:
        """Back to the empty drop zone; the wishes stay."""
        if session is not None:
            session.away = True
        zone = gr.update(value=None, visible=True)
        samples = gr.update(visible=bool(self.examples))
        kept = [gr.skip()] * len(form.NAMES)
        return ["", zone, samples, AWAY, "", None, AWAY, *nothing(), *kept]

    # --- before it is drawn ---------------------------------------------------------------------

    def look(self, session: PromptSession | None, *wished: Any) -> list[Any]:
        """What the drawing follows, as the controls are now."""
        if session is None:
            return ["", None]
        try:
            with in_words():
                return ["", session.look(form.read(wished))]
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
            with self.service.task(client_id(request), progress, turn) as task:
                if missing := sources.missing(wanted):
                    commands = "; ".join(each.by_hand for each in missing.sources)
                    self.service.check_download(requirements.titles(missing), commands)
                requirements.download(wanted, task)
        except Cancelled:
            message = "<p>Stopped. What is here stays: the download goes on from there.</p>"
        except ColorizeError as error:
            message = widgets.said(error)
        return [message, *listed(wanted)]

    def describe(
        self,
        turn: float,
        session: PromptSession | None,
        prompt: str,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008
    ) -> list[Any]:
        """What is in the photo, to be edited, before the words that are there."""
        same = [gr.skip()] * 3
        try:
            with self.service.task(client_id(request), progress, turn) as task:
                if session is None:
                    return ["<p>Add a photo first.</p>", prompt, *same]
                wanted = (sources.CAPTIONER,)
                if missing := sources.missing(wanted):
                    same = listed(wanted)
                    raise WeightsError(requirements.refusal(missing))
                return ["", self.drawing.described(session, prompt, task), *same]
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
        turn, session, *wished = values

        def asked() -> list[Asked]:
            settings = form.read(wished)
            one = [replace(settings, seed=seed, variants=1) for seed in settings.seeds]
            return [(each, f"Seed {each.seed}") for each in one]

        yield from self._run(turn, session, asked, request, progress)

    def compare(
        self,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008
        *values: Any,
    ) -> Iterator[list[Any]]:
        """The first seed with several conditions, from noise and from first colours."""
        turn, session, followed, starts, *wished = values

        def asked() -> list[Asked]:
            settings = form.read(wished)
            ways = plan.combinations(settings, followed, [STARTS[start] for start in starts])
            return [(each, plan.label(each)) for each in sorted(ways, key=lambda way: way.start)]

        yield from self._run(turn, session, asked, request, progress)

    def _run(
        self,
        turn: float,
        session: PromptSession | None,
        asked: Callable[[], list[Asked]],
        request: gr.Request,
        progress: gr.Progress,
    ) -> Iterator[list[Any]]:
        """Draw what is asked for: remark, busy, results, and what is missing."""
        same = [gr.skip()] * 3
        if session is None:
            yield ["<p>Add a photo first.</p>", "", *nothing(), *same]
            return
        message: Any = ""
        try:
            with self.service.task(client_id(request), progress, turn) as task:
                several = asked()
                wanted = plan.needed(settings for settings, _ in several)
                if missing := sources.missing(wanted):
                    same = listed(wanted)
                    raise WeightsError(requirements.refusal(missing))
                for words, share in self.drawing.draw(session, several, task):
                    if session.away:
                        return
                    # All of it every time: of two updates at once the page shows the later.
                    yield ["", card(words, share), *seen(session, self.service), *same]
        except Cancelled:
            message = (
                f"<p>Stopped.{' What was drawn until then is here.' if session.cells else ''}</p>"
            )
        except ColorizeError as error:
            message = widgets.said(error)
        if not session.away:
            yield [message, "", *seen(session, self.service), *same]

    # --- what was drawn -------------------------------------------------------------------------

    def pick(self, session: PromptSession | None, event: gr.EventData) -> list[Any]:
        """Another of the pictures is to be seen at full size."""
        if session is None or session.running:
            return [gr.skip()] * 5
        session.pick(int(event.index))
        return seen(session, self.service)

    def keep(self, session: PromptSession | None, kept: bool) -> list[Any]:
        """The drawn pictures with the photo kept, or as they are: none is drawn anew."""
        if session is None or session.running:
            return [gr.skip()] * 5
        session.keep(kept)
        return seen(session, self.service)

    def save(
        self,
        turn: float,
        format: str,
        session: PromptSession | None,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008
    ) -> list[Any]:
        """The shown one as a file."""
        if session is None or session.cell is None:
            return [gr.skip(), None]
        try:
            with self.service.task(client_id(request), progress, turn) as task:
                return ["", str(session.save(session.cell, format, self.service, task))]
        except Cancelled:
            return [gr.skip(), None]
        except ColorizeError as error:
            return [widgets.said(error), None]


def nothing() -> list[Any]:
    """What seen() is without a picture."""
    return [None, AWAY, None, AWAY, ""]


def seen(session: PromptSession, service: Service) -> list[Any]:
    """The pictures; frame and comparison of the picked one, what can be done with it, its line."""
    try:
        with in_words():
            shown, line = session.comparison(service), session.line()
    except ColorizeError as error:
        shown, line = None, escape(str(error))
    there = gr.update(visible=shown is not None)
    return [session.grid(), there, shown, there, line]


def thumbnail(session: PromptSession) -> str:
    """The photo, its name and its size."""
    width, height = session.size
    words = f"{escape(session.path.name)}<br>{width} × {height}"
    small = shrink(session.small, THUMBNAIL, max(1, round(width * THUMBNAIL / height)))
    return f'<img src="{thumbnails.as_address(small)}" alt="The photo"><p>{words}</p>'


def listed(wanted: Sequence[Source], warning: str = "") -> list[Any]:
    """What is asked for, the list of it, and the button that downloads what is missing."""
    return [tuple(wanted), *requirements.view(wanted, warning)]


def card(words: str, share: float) -> str:
    return f"<p>{escape(words)}</p><progress value={share:.3f}></progress>"


def build(service: Service) -> None:
    """Lay the tab out and wire it."""
    examples = example_strip.find_examples()
    on = Handlers(service, examples)
    session = gr.State(None, time_to_live=KEEP_SECONDS)
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
        strip = example_strip.build(examples, service.folder, elem_classes="strip")
    with gr.Column(visible=False) as workspace:
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
    place = [message, zone, samples, chosen, photo, session, workspace, *results, *wished]
    latest = {"trigger_mode": "always_last", **widgets.QUICK}
    run = {**widgets.runs(busy), "concurrency_id": LANE}
    drawn = [remark, busy, *results, *listing]

    chosen_so = [*listing, *(controls[name] for name in form.SOMETIMES)]
    choose = partial(gr.on, fn=on.choose, inputs=wished, outputs=chosen_so, **widgets.QUICK)
    look = {"fn": on.look, "inputs": [session, *wished], "outputs": [remark, followed]}
    for opened in (
        zone.upload(
            on.open, [turn, zone, session], place, preprocess=False, **widgets.runs(opening)
        ),
        strip.select(on.open_example, [turn, session], place, **widgets.runs(opening)),
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
        [turn, session, controls["prompt"]],
        [remark, controls["prompt"], *listing],
        **widgets.runs(loading),
    )
    fetched = get.click(on.download, [turn, asked], [remark, *listing], **widgets.runs(loading))
    made = (
        go.click(on.draw, [turn, session, *wished], drawn, **run),
        ways.go.click(
            on.compare,
            [turn, session, ways.conditions, ways.starts, *wished],
            drawn,
            api_name="compare_ways",  # the bare name is that of another tab's endpoint
            **run,
        ),
    )
    # What the download has said stays.
    fetched.success(lambda *now: on.look(*now)[1], [session, *wished], followed, **widgets.QUICK)
    for event in (written, fetched, *made):
        event.failure(on.fail, None, remark, **widgets.QUICK)
    drawings.select(on.pick, session, results, **widgets.QUICK)
    controls["keep"].input(on.keep, [session, controls["keep"]], results, **latest)
    for kind, button in buttons.items():
        saved = button.click(on.save, [turn, gr.State(kind), session], [remark, finished], **run)
        saved.success(None, finished, None, js="window.saveFile", **widgets.QUICK)
    for button, words in (
        (cancel, remark),
        (cancel_loading, remark),
        (cancel_opening, message),
    ):
        button.click(on.stop, turn, words, js="window.stopRuns", **widgets.QUICK)
    remark.change(None, None, None, js="() => { window.showAlert(); }", **widgets.QUICK)
    again.click(on.reset, session, place, **widgets.QUICK)
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
