"""The tab "Selective": colour only what matters, under masks that are painted on the photo."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from colorize_core import selective
from colorize_core.cards import ModelCard
from colorize_core.errors import Cancelled, ColorizeError
from colorize_core.models.runner import Task
from colorize_core.selective import segmenters
from colorize_core.selective.segmenters import PEOPLE
from ui.selective import endpoint, mask_editor, mask_edits, mask_files
from ui.selective.fill_controls import (
    FLAT,
    build_inside,
    build_outside,
    choice_of,
    fill_of,
    has_vividness,
    inside_choices,
    outside_choices,
)
from ui.selective.session import Fill, SelectiveSession
from ui.server.sessions import client_id
from ui.server.temp_files import KEEP_SECONDS
from ui.shared import example_strip, model_choices, widgets
from ui.shared.handlers import Running
from ui.shared.service import Service, in_words

TITLE = "Selective"
INVITATION = "# Drop a photo\nto colour only a part of it"
NETWORKS = {
    PEOPLE: "Only people: comes with the app",
    "mobile": "Quick: downloads 44 MB once",
    "resnet101": "Finer: downloads 245 MB once",
}
SAM = "<p>Looks again where your box and your strokes point; downloads 156 MB once.</p>"
AWAY = gr.update(visible=False)
THERE = gr.update(visible=True)


class Handlers(Running):
    """What the controls do. Whose photo it is comes with every call, in its session."""

    def __init__(self, service: Service, examples: Sequence[Path], cards: Sequence[ModelCard]):
        super().__init__(service)
        self.examples = examples
        self.cards = cards

    # --- the photo ------------------------------------------------------------------------------

    def open(
        self,
        turn: float,
        photo: dict[str, Any] | None,
        session: SelectiveSession | None,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008  # how Gradio passes it
    ) -> Iterator[list[Any]]:
        """Take the photo that was dropped: it is seen at once, then its first mask and colours."""
        try:
            with self.service.task(client_id(request), progress, turn) as task:
                path = self.service.upload(photo)
                yield from self._opened(path, session, task)
        except ColorizeError as error:
            zone = gr.update(value=None, visible="hidden" if session else True)
            yield [widgets.said(error), zone] + [gr.skip()] * 8

    def open_example(
        self,
        turn: float,
        session: SelectiveSession | None,
        event: gr.EventData,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008
    ) -> Iterator[list[Any]]:
        """Take the example that was picked."""
        path = example_strip.picked(self.examples, event)
        try:
            with self.service.task(client_id(request), progress, turn) as task:
                yield from self._opened(path, session, task)
        except ColorizeError as error:
            yield [widgets.said(error)] + [gr.skip()] * 9

    def _opened(
        self, path: Path, before: SelectiveSession | None, task: Task
    ) -> Iterator[list[Any]]:
        """What `place` in build() becomes with a photo."""
        task.step(0.0, "Reading the photo")
        session = SelectiveSession.open(path, self.service)
        session.make(Fill(), self.service, task)
        if before is not None:
            before.away = True
        hidden = gr.update(value=None, visible="hidden")  # stays on the page for paste and drop
        shown = [hidden, AWAY, THERE, session]
        yield ["", *shown, *self.seen(session)]
        message: Any = gr.skip()
        try:
            with in_words(), session.lock:
                task.step(0.0, "Looking for what the photo is about")
                mask_edits.begin(session)
        except Cancelled:
            pass  # stop() has said so
        except ColorizeError as error:
            message = widgets.said(error)
        # All of it again: a page that is sent two updates at once shows the later.
        yield [message, *shown, *self.seen(session)]

    def reset(self, session: SelectiveSession | None) -> list[Any]:
        """Back to the empty drop zone."""
        if session is not None:
            session.away = True
        zone = gr.update(value=None, visible=True)
        return ["", zone, gr.update(visible=bool(self.examples)), AWAY, None, None] + [
            gr.skip()
        ] * 4

    def seen(self, session: SelectiveSession) -> list[Any]:
        """The picture, and the controls as the region that is worked on has them."""
        fill = session.area.fill
        names = [layer.name for layer in session.found]
        layers = gr.update(
            choices=[(f"{each.name} · {percent(each.share)}", each.name) for each in session.found],
            value=[name for name in session.area.layers if name in names],
            visible=bool(names),
        )
        return [
            mask_editor.view(session, self.service),
            gr.update(value=choice_of(fill), choices=inside_choices(self.cards, session)),
            gr.update(value=fill.vividness, visible=has_vividness(fill)),
            gr.update(visible=fill.colour is not None)
            | ({"value": "#{:02x}{:02x}{:02x}".format(*fill.colour)} if fill.colour else {}),
            layers,
        ]

    # --- masks ----------------------------------------------------------------------------------

    def edit(self, session: SelectiveSession | None, event: gr.EventData) -> list[Any]:
        """What was done on the picture."""
        if session is None or event.photo != session.key:
            return [gr.skip()] * 6
        with session.lock:
            before = session.active, len(session.areas), session.area.layers
            message = ""
            try:
                with in_words():
                    mask_edits.apply(session, event.edits)
            except ColorizeError as error:
                message = widgets.said(error)
                session.seen = max(session.seen, int(event.edits[-1]["serial"]))
            seen = self.seen(session)
            if before == (session.active, len(session.areas), session.area.layers):
                seen[1:] = [gr.skip()] * 4  # the controls are not disturbed by strokes
            return [message, *seen]

    def toggle(self, session: SelectiveSession | None, names: list[str]) -> list[Any]:
        """Have just these classes in the region."""
        if session is None:
            return [gr.skip()] * 2
        with session.lock:
            mask_edits.toggle(session, names)
            return ["", mask_editor.view(session, self.service)]

    def find(
        self,
        turn: float,
        network: str,
        session: SelectiveSession | None,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008
    ) -> list[Any]:
        """Look for the classes that the network knows, to be put in and taken out."""
        if session is None:
            return [gr.skip()] * 6
        try:
            with self.service.task(client_id(request), progress, turn) as task:
                looking = task.strips(0.0, "Looking")
                self._fetch(network, task)
                with self.service.turn(task):
                    found = selective.classes(session.small, network=network, progress=looking)
                with session.lock:
                    if session.away:
                        return [gr.skip()] * 6
                    session.found = found
                    if len(found) == 1:  # there is no choice to leave to the person
                        mask_edits.toggle(session, [found[0].name])
                    words = "" if found else "<p>Nothing that the network knows was found.</p>"
                    return [words, *self.seen(session)]
        except Cancelled:
            return [gr.skip()] * 6
        except ColorizeError as error:
            return [widgets.said(error)] + [gr.skip()] * 5

    def point(
        self,
        turn: float,
        session: SelectiveSession | None,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008
    ) -> list[Any]:
        """Select what the box and the strokes point at by a network."""
        if session is None:
            return [gr.skip()] * 6
        try:
            with self.service.task(client_id(request), progress, turn) as task:
                prompts = mask_edits.prompts(session)
                self._fetch("sam2", task)
                task.step(0.0, "Selecting the object")
                with self.service.turn(task):
                    mask = selective.pointed(session.small, **prompts)
                with session.lock:
                    if session.away:
                        return [gr.skip()] * 6
                    session.change(mask, layers=())
                    return ["", *self.seen(session)]
        except Cancelled:
            return [gr.skip()] * 6
        except ColorizeError as error:
            return [widgets.said(error)] + [gr.skip()] * 5

    def _fetch(self, network: str, task: Task) -> None:
        """Download it where it is not here, while others go on. Raises WeightsError, also where it
        must not be downloaded, or Cancelled."""
        if selective.megabytes(network):
            self.service.check_download(*segmenters.by_hand(network))
            segmenters.fetch(network, task.loaded, task.stopped)

    def load_mask(self, session: SelectiveSession | None, path: str | None) -> list[Any]:
        """Another mask for the region, from a picture file."""
        if session is None or not path:
            return [gr.skip()] * 2
        try:
            with in_words():
                mask = mask_files.fitting(self.service.checked(Path(path)), session)
        except ColorizeError as error:
            return [widgets.said(error), gr.skip()]
        with session.lock:
            session.change(mask, layers=())
            return ["", mask_editor.view(session, self.service)]

    # --- colours --------------------------------------------------------------------------------

    def choose(
        self, session: SelectiveSession | None, choice: str, vividness: float, colour: str | None
    ) -> list[Any]:
        """The region is to be filled otherwise; its mask stays."""
        chosen = fill_of(choice, vividness, colour)
        if session is not None:
            with session.lock:
                session.areas = session.put(fill=chosen)
        shown = gr.update(visible=has_vividness(chosen))
        return [shown, gr.update(visible=choice == FLAT)]

    def choose_outside(
        self, session: SelectiveSession | None, choice: str, vividness: float
    ) -> dict[str, Any]:
        """What lies around the regions is to be filled otherwise."""
        chosen = fill_of(choice, vividness, None)
        if session is not None:
            session.outside = chosen
        return gr.update(visible=has_vividness(chosen))

    def colour(
        self,
        turn: float,
        session: SelectiveSession | None,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008
    ) -> list[Any]:
        """Make what is wanted and not there yet; what cannot be made is not wanted any more."""
        if session is None:
            return [gr.skip()] * 7
        message: Any = ""
        try:
            with self.service.task(client_id(request), progress, turn) as task:
                for fill in session.wanted():
                    if not session.away:
                        session.make(fill, self.service, task)
        except Cancelled:
            message = gr.skip()
        except ColorizeError as error:
            message = widgets.said(error)
        with session.lock:
            if session.away:
                return [gr.skip()] * 7
            wanted = session.outside
            session.settle()
            outside = gr.skip() if wanted == session.outside else choice_of(session.outside)
            return [message, *self.seen(session), outside]

    # --- what is taken away ---------------------------------------------------------------------

    def download(
        self,
        turn: float,
        kind: str,
        session: SelectiveSession | None,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008
    ) -> list[Any]:
        """A file, made when it is asked for."""
        if session is None:
            return [gr.skip(), None]
        try:
            with self.service.task(client_id(request), progress, turn) as task:
                return ["", str(mask_files.file(session, kind, self.service, task))]
        except Cancelled:
            return [gr.skip(), None]
        except ColorizeError as error:
            return [widgets.said(error), None]


def percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.01 else "under 1 %"


def build(service: Service, cards: Sequence[ModelCard] | None = None) -> list[widgets.Picker]:
    """Lay the tab out and wire it; where models are picked. `cards` are those of all models if not
    given."""
    cards = cards or model_choices.every()
    examples = example_strip.find_examples()
    on = Handlers(service, examples, cards)
    session = gr.State(None, time_to_live=KEEP_SECONDS)
    turn = gr.Number(visible=False)  # when a run was asked for: filled by the page

    message = gr.HTML(elem_classes="message")
    with widgets.stage() as (opening, cancel_opening):
        zone = widgets.drop_zone(INVITATION)
    with gr.Column(visible=bool(examples), elem_classes="samples") as samples:
        gr.HTML("<h2>Or try one of these</h2>")
        strip = example_strip.build(examples, service.folder, elem_classes="strip")
    with gr.Column(visible=False) as workspace:
        with gr.Row(elem_classes="workbench"):
            with gr.Column(scale=5, min_width=320), widgets.stage() as (busy, cancel):
                shown = mask_editor.build()
            with gr.Column(scale=2, min_width=250, elem_classes="side"):
                inside, vividness, colour = build_inside(cards)
                outside, outside_vividness = build_outside(cards)
                find, network, layers = build_finding()
                point = gr.Button("Select object by SAM 2.1", size="sm")
                gr.HTML(SAM, elem_classes="note")
                mask_file = gr.UploadButton(
                    "Load a mask", file_types=["image"], size="sm", type="filepath"
                )
        remark = gr.HTML(elem_classes="message")
        with gr.Row(elem_classes="actions"):
            with gr.Row(elem_classes="downloads"):
                gr.HTML("Download", elem_classes="downloads-label")
                buttons = {kind: gr.Button(kind, size="sm") for kind in mask_files.KINDS}
            again = gr.Button("Another photo", size="sm")
    finished = gr.DownloadButton(visible="hidden")

    controls = [shown, inside, vividness, colour, layers]
    place = [message, zone, samples, workspace, session, *controls]
    run = widgets.runs(busy)
    coloured = [remark, *controls, outside]

    def then_colour(event: Any) -> None:
        event.then(on.colour, [turn, session], coloured, trigger_mode="always_last", **run).failure(
            on.fail, None, remark, **widgets.QUICK
        )

    opened = (
        zone.upload(
            on.open, [turn, zone, session], place, preprocess=False, **widgets.runs(opening)
        ),
        strip.select(on.open_example, [turn, session], place, **widgets.runs(opening)),
    )
    for event in opened:
        event.failure(on.fail, None, message, **widgets.QUICK)
        then_colour(event)
    shown.submit(on.edit, session, [remark, *controls], trigger_mode="multiple", **widgets.QUICK)
    latest = {"trigger_mode": "always_last", **widgets.QUICK}
    chosen = gr.on(
        [inside.input, vividness.input, colour.input],
        on.choose,
        [session, inside, vividness, colour],
        [vividness, colour],
        **latest,
    )
    around = gr.on(
        [outside.input, outside_vividness.input],
        on.choose_outside,
        [session, outside, outside_vividness],
        outside_vividness,
        **latest,
    )
    for event in (chosen, around):
        then_colour(event)
    layers.input(on.toggle, [session, layers], [remark, shown], **latest)
    found = find.click(on.find, [turn, network, session], [remark, *controls], **run)
    found.failure(on.fail, None, remark, **widgets.QUICK)
    pointed = point.click(on.point, [turn, session], [remark, *controls], **run)
    pointed.failure(on.fail, None, remark, **widgets.QUICK)
    mask_file.upload(on.load_mask, [session, mask_file], [remark, shown], **widgets.QUICK)
    for kind, button in buttons.items():
        saved = button.click(
            on.download, [turn, gr.State(kind), session], [remark, finished], **run
        )
        saved.success(None, finished, None, js="window.saveFile", **widgets.QUICK)
    for button, words in ((cancel, remark), (cancel_opening, message)):
        button.click(on.stop, turn, words, js="window.stopRuns", **widgets.QUICK)
    remark.change(None, None, None, js="() => { window.showAlert(); }", **widgets.QUICK)
    again.click(on.reset, session, place, **widgets.QUICK)
    endpoint.build(service, cards, zone, [inside, outside, vividness, colour])
    return [(outside, lambda: gr.update(choices=outside_choices(cards)))]


def build_finding() -> tuple[gr.Button, gr.Radio, gr.CheckboxGroup]:
    """Classes that a network finds, by their names."""
    with gr.Column(elem_classes="own"):
        find = gr.Button("Find people, animals, things", size="sm")
        network = gr.Radio(
            [(words, name) for name, words in NETWORKS.items()],
            value=PEOPLE,
            label="Network",
            show_label=False,
        )
        layers = gr.CheckboxGroup([], label="In this region", visible=False)
    return find, network, layers
