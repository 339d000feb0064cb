"""The tab "Selective": colour only what matters, under masks that are painted on the photo."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from colorize_core import selective
from colorize_core.cards import ModelCard
from colorize_core.errors import Cancelled, ColorizeError
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
from ui.selective.session import Easel, Fill
from ui.server.sessions import session
from ui.server.temp_files import KEEP_SECONDS
from ui.shared import example_strip, model_choices, widgets
from ui.shared.handlers import Running
from ui.shared.service import Job, Studio, in_words

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
    """What the controls do. Whose photo it is comes with every call, on its easel."""

    def __init__(self, studio: Studio, examples: Sequence[Path], cards: Sequence[ModelCard]):
        super().__init__(studio)
        self.examples = examples
        self.cards = cards

    # --- the photo ------------------------------------------------------------------------------

    def open(
        self,
        turn: float,
        photo: dict[str, Any] | None,
        easel: Easel | None,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008  # how Gradio passes it
    ) -> Iterator[list[Any]]:
        """Take the photo that was dropped: it is seen at once, then its first mask and colours."""
        try:
            with self.studio.job(session(request), progress, turn) as job:
                path = self.studio.upload(photo)
                yield from self._opened(path, easel, job)
        except ColorizeError as error:
            zone = gr.update(value=None, visible="hidden" if easel else True)
            yield [widgets.said(error), zone] + [gr.skip()] * 8

    def open_example(
        self,
        turn: float,
        easel: Easel | None,
        event: gr.EventData,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008
    ) -> Iterator[list[Any]]:
        """Take the example that was picked."""
        path = example_strip.picked(self.examples, event)
        try:
            with self.studio.job(session(request), progress, turn) as job:
                yield from self._opened(path, easel, job)
        except ColorizeError as error:
            yield [widgets.said(error)] + [gr.skip()] * 9

    def _opened(self, path: Path, before: Easel | None, job: Job) -> Iterator[list[Any]]:
        """What `place` in build() becomes with a photo."""
        job.step(0.0, "Reading the photo")
        easel = Easel.open(path, self.studio)
        easel.make(Fill(), self.studio, job)
        if before is not None:
            before.away = True
        hidden = gr.update(value=None, visible="hidden")  # stays on the page for paste and drop
        shown = [hidden, AWAY, THERE, easel]
        yield ["", *shown, *self.seen(easel)]
        message: Any = gr.skip()
        try:
            with in_words(), easel.lock:
                job.step(0.0, "Looking for what the photo is about")
                mask_edits.begin(easel)
        except Cancelled:
            pass  # stop() has said so
        except ColorizeError as error:
            message = widgets.said(error)
        # All of it again: a page that is sent two updates at once shows the later.
        yield [message, *shown, *self.seen(easel)]

    def reset(self, easel: Easel | None) -> list[Any]:
        """Back to the empty drop zone."""
        if easel is not None:
            easel.away = True
        zone = gr.update(value=None, visible=True)
        return ["", zone, gr.update(visible=bool(self.examples)), AWAY, None, None] + [
            gr.skip()
        ] * 4

    def seen(self, easel: Easel) -> list[Any]:
        """The picture, and the controls as the region that is worked on has them."""
        fill = easel.area.fill
        names = [layer.name for layer in easel.found]
        layers = gr.update(
            choices=[(f"{each.name} · {percent(each.share)}", each.name) for each in easel.found],
            value=[name for name in easel.area.layers if name in names],
            visible=bool(names),
        )
        return [
            mask_editor.view(easel, self.studio),
            gr.update(value=choice_of(fill), choices=inside_choices(self.cards, easel)),
            gr.update(value=fill.vividness, visible=has_vividness(fill)),
            gr.update(visible=fill.colour is not None)
            | ({"value": "#{:02x}{:02x}{:02x}".format(*fill.colour)} if fill.colour else {}),
            layers,
        ]

    # --- masks ----------------------------------------------------------------------------------

    def edit(self, easel: Easel | None, event: gr.EventData) -> list[Any]:
        """What was done on the picture."""
        if easel is None or event.photo != easel.key:
            return [gr.skip()] * 6
        with easel.lock:
            before = easel.active, len(easel.areas), easel.area.layers
            message = ""
            try:
                with in_words():
                    mask_edits.apply(easel, event.edits)
            except ColorizeError as error:
                message = widgets.said(error)
                easel.seen = max(easel.seen, int(event.edits[-1]["serial"]))
            seen = self.seen(easel)
            if before == (easel.active, len(easel.areas), easel.area.layers):
                seen[1:] = [gr.skip()] * 4  # the controls are not disturbed by strokes
            return [message, *seen]

    def toggle(self, easel: Easel | None, names: list[str]) -> list[Any]:
        """Have just these classes in the region."""
        if easel is None:
            return [gr.skip()] * 2
        with easel.lock:
            mask_edits.toggle(easel, names)
            return ["", mask_editor.view(easel, self.studio)]

    def find(
        self,
        turn: float,
        network: str,
        easel: Easel | None,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008
    ) -> list[Any]:
        """Look for the classes that the network knows, to be put in and taken out."""
        if easel is None:
            return [gr.skip()] * 6
        try:
            with self.studio.job(session(request), progress, turn) as job:
                looking = job.strips(0.0, "Looking")
                self._fetch(network, job)
                with self.studio.turn(job):
                    found = selective.classes(easel.small, network=network, progress=looking)
                with easel.lock:
                    if easel.away:
                        return [gr.skip()] * 6
                    easel.found = found
                    if len(found) == 1:  # there is no choice to leave to the person
                        mask_edits.toggle(easel, [found[0].name])
                    words = "" if found else "<p>Nothing that the network knows was found.</p>"
                    return [words, *self.seen(easel)]
        except Cancelled:
            return [gr.skip()] * 6
        except ColorizeError as error:
            return [widgets.said(error)] + [gr.skip()] * 5

    def point(
        self,
        turn: float,
        easel: Easel | None,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008
    ) -> list[Any]:
        """Select what the box and the strokes point at by a network."""
        if easel is None:
            return [gr.skip()] * 6
        try:
            with self.studio.job(session(request), progress, turn) as job:
                prompts = mask_edits.prompts(easel)
                self._fetch("sam2", job)
                job.step(0.0, "Selecting the object")
                with self.studio.turn(job):
                    mask = selective.pointed(easel.small, **prompts)
                with easel.lock:
                    if easel.away:
                        return [gr.skip()] * 6
                    easel.change(mask, layers=())
                    return ["", *self.seen(easel)]
        except Cancelled:
            return [gr.skip()] * 6
        except ColorizeError as error:
            return [widgets.said(error)] + [gr.skip()] * 5

    def _fetch(self, network: str, job: Job) -> None:
        """Download it where it is not here, while others go on. Raises WeightsError, also where it
        must not be downloaded, or Cancelled."""
        if selective.megabytes(network):
            self.studio.check_download(*segmenters.by_hand(network))
            segmenters.fetch(network, job.loaded, job.stopped)

    def load_mask(self, easel: Easel | None, path: str | None) -> list[Any]:
        """Another mask for the region, from a picture file."""
        if easel is None or not path:
            return [gr.skip()] * 2
        try:
            with in_words():
                mask = mask_files.fitting(self.studio.checked(Path(path)), easel)
        except ColorizeError as error:
            return [widgets.said(error), gr.skip()]
        with easel.lock:
            easel.change(mask, layers=())
            return ["", mask_editor.view(easel, self.studio)]

    # --- colours --------------------------------------------------------------------------------

    def choose(
        self, easel: Easel | None, choice: str, vividness: float, colour: str | None
    ) -> list[Any]:
        """The region is to be filled otherwise; its mask stays."""
        chosen = fill_of(choice, vividness, colour)
        if easel is not None:
            with easel.lock:
                easel.areas = easel.put(fill=chosen)
        shown = gr.update(visible=has_vividness(chosen))
        return [shown, gr.update(visible=choice == FLAT)]

    def choose_outside(self, easel: Easel | None, choice: str, vividness: float) -> dict[str, Any]:
        """What lies around the regions is to be filled otherwise."""
        chosen = fill_of(choice, vividness, None)
        if easel is not None:
            easel.outside = chosen
        return gr.update(visible=has_vividness(chosen))

    def colour(
        self,
        turn: float,
        easel: Easel | None,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008
    ) -> list[Any]:
        """Make what is wanted and not there yet; what cannot be made is not wanted any more."""
        if easel is None:
            return [gr.skip()] * 7
        message: Any = ""
        try:
            with self.studio.job(session(request), progress, turn) as job:
                for fill in easel.wanted():
                    if not easel.away:
                        easel.make(fill, self.studio, job)
        except Cancelled:
            message = gr.skip()
        except ColorizeError as error:
            message = widgets.said(error)
        with easel.lock:
            if easel.away:
                return [gr.skip()] * 7
            wanted = easel.outside
            easel.settle()
            outside = gr.skip() if wanted == easel.outside else choice_of(easel.outside)
            return [message, *self.seen(easel), outside]

    # --- what is taken away ---------------------------------------------------------------------

    def download(
        self,
        turn: float,
        kind: str,
        easel: Easel | None,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008
    ) -> list[Any]:
        """A file, made when it is asked for."""
        if easel is None:
            return [gr.skip(), None]
        try:
            with self.studio.job(session(request), progress, turn) as job:
                return ["", str(mask_files.file(easel, kind, self.studio, job))]
        except Cancelled:
            return [gr.skip(), None]
        except ColorizeError as error:
            return [widgets.said(error), None]


def percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.01 else "under 1 %"


def build(studio: Studio, cards: Sequence[ModelCard] | None = None) -> list[widgets.Picker]:
    """Lay the tab out and wire it; where models are picked. `cards` are those of all models if not
    given."""
    cards = cards or model_choices.every()
    examples = example_strip.find_examples()
    on = Handlers(studio, examples, cards)
    easel = gr.State(None, time_to_live=KEEP_SECONDS)
    turn = gr.Number(visible=False)  # when a run was asked for: filled by the page

    message = gr.HTML(elem_classes="message")
    with widgets.stage() as (opening, cancel_opening):
        zone = widgets.drop_zone(INVITATION)
    with gr.Column(visible=bool(examples), elem_classes="samples") as samples:
        gr.HTML("<h2>Or try one of these</h2>")
        strip = example_strip.build(examples, studio.folder, elem_classes="strip")
    with gr.Column(visible=False) as desk:
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
    place = [message, zone, samples, desk, easel, *controls]
    run = widgets.runs(busy)
    coloured = [remark, *controls, outside]

    def then_colour(event: Any) -> None:
        event.then(on.colour, [turn, easel], coloured, trigger_mode="always_last", **run).failure(
            on.fail, None, remark, **widgets.QUICK
        )

    opened = (
        zone.upload(on.open, [turn, zone, easel], place, preprocess=False, **widgets.runs(opening)),
        strip.select(on.open_example, [turn, easel], place, **widgets.runs(opening)),
    )
    for event in opened:
        event.failure(on.fail, None, message, **widgets.QUICK)
        then_colour(event)
    shown.submit(on.edit, easel, [remark, *controls], trigger_mode="multiple", **widgets.QUICK)
    latest = {"trigger_mode": "always_last", **widgets.QUICK}
    chosen = gr.on(
        [inside.input, vividness.input, colour.input],
        on.choose,
        [easel, inside, vividness, colour],
        [vividness, colour],
        **latest,
    )
    around = gr.on(
        [outside.input, outside_vividness.input],
        on.choose_outside,
        [easel, outside, outside_vividness],
        outside_vividness,
        **latest,
    )
    for event in (chosen, around):
        then_colour(event)
    layers.input(on.toggle, [easel, layers], [remark, shown], **latest)
    found = find.click(on.find, [turn, network, easel], [remark, *controls], **run)
    found.failure(on.fail, None, remark, **widgets.QUICK)
    pointed = point.click(on.point, [turn, easel], [remark, *controls], **run)
    pointed.failure(on.fail, None, remark, **widgets.QUICK)
    mask_file.upload(on.load_mask, [easel, mask_file], [remark, shown], **widgets.QUICK)
    for kind, button in buttons.items():
        saved = button.click(on.download, [turn, gr.State(kind), easel], [remark, finished], **run)
        saved.success(None, finished, None, js="window.saveFile", **widgets.QUICK)
    for button, words in ((cancel, remark), (cancel_opening, message)):
        button.click(on.stop, turn, words, js="window.stopRuns", **widgets.QUICK)
    remark.change(None, None, None, js="() => { window.showAlert(); }", **widgets.QUICK)
    again.click(on.reset, easel, place, **widgets.QUICK)
    endpoint.build(studio, cards, zone, [inside, outside, vividness, colour])
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
