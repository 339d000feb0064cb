"""What the tabs share that work on one photo: where it is dropped, and how it is opened, followed
from another tab, and put away."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
from numpy.typing import NDArray

from colorize_core.cards import ModelCard
from colorize_core.models.runner import Task
from ui import PHOTO_TABS
from ui.server.sessions import client_id
from ui.shared import example_strip, thumbnails, widgets
from ui.shared.handlers import AWAY, THERE, Handlers, Updates, View, take_choice, task_handler
from ui.shared.photo import OpenPhoto, shrink
from ui.shared.service import Service

THUMBNAIL = 128  # pixels, the width of the photo's small copy


class PhotoSession:
    """The base of what a tab keeps of one person's work on a photo. Another photo gets another
    session: what a run still brings to an old one is never seen."""

    photo: OpenPhoto
    away: bool = False  # there is another photo now

    @property
    def by_hand(self) -> bool:
        """Whether it holds work by hand, which would take long to do again."""
        return False


def restore_photo(self: PhotoHandlers, *values: Any) -> Updates:
    """What was to be opened cannot be: the photo before stays. The values end with session and
    context, after what was dropped where something was."""
    return self.restore(next((v for v in values if isinstance(v, PhotoSession)), None))


class PhotoHandlers(Handlers):
    """The base of their handlers. `context` are further values that begin() needs."""

    def __init__(self, service: Service, examples: Sequence[Path], cards: Sequence[ModelCard] = ()):
        super().__init__(service)
        self.examples, self.cards = examples, cards

    @abstractmethod
    def begin(self, photo: OpenPhoto, before: Any, task: Task, *context: Any) -> Iterator[Updates]:
        """The tab with that photo; `before` is the session of the one before, or None."""

    @task_handler(failed=restore_photo, stopped=restore_photo)
    def open(
        self,
        task: Task,
        event: gr.EventData,
        upload: dict[str, Any] | None,
        session: Any,
        *context: Any,
    ) -> Iterator[Updates]:
        """Take the photo that was dropped, an example, or what was opened in another tab."""
        photo = self._find_photo(event, upload, task.owner)
        if photo is not None:
            yield from self._begin(photo, session, task, *context)

    def _find_photo(
        self, event: gr.EventData, upload: dict[str, Any] | None, owner: str
    ) -> OpenPhoto | None:
        if isinstance(event.target, gr.Textbox):
            return self.service.current(owner)
        if isinstance(event.target, gr.HTML):
            return self.service.photo(example_strip.pick(self.examples, event))
        return self.service.photo(self.service.upload(upload))

    def restore(self, session: Any) -> Updates:
        """The tab as it was before something was to be opened."""
        return {"zone": gr.update(value=None, visible="hidden" if session else True)}

    def stop_opening(self, turn: float, session: Any, request: gr.Request) -> Updates:
        """Stop what was asked for before `turn`, above the drop zone."""
        self.service.stop(client_id(request), turn)
        return {"message": "<p>Stopped.</p>"}

    def refuse(self, session: PhotoSession | None) -> Updates:
        """The run that was to open a photo did not even begin."""
        return {"message": widgets.alert(self.busy), **self.restore(session)}

    def follow(self, session: PhotoSession | None, handed: bool, request: gr.Request) -> Updates:
        """The tab was entered: is there another photo that its person works on? Work by hand stays
        until somebody puts it away, or hands over the photo of another tab."""
        photo = self.service.current(client_id(request))
        if photo is None:
            return {}
        if session and session.photo is photo:
            if not (handed and self.has_other_colours(session)):
                return {}
        elif session and session.by_hand and not handed:
            return {}
        return {"entered": str(time.monotonic())}  # another value every time, which is an event

    def has_other_colours(self, session: Any) -> bool:
        """Whether its photo, handed over again, has other colours than it is worked on with."""
        return False

    def _begin(
        self, photo: OpenPhoto, before: PhotoSession | None, task: Task, *context: Any
    ) -> Iterator[Updates]:
        task.step(0.0, "Reading the photo")
        # The drop zone stays on the page for paste and drop.
        hidden = gr.update(value=None, visible="hidden")
        place = {"message": "", self.remark: "", "zone": hidden, "samples": AWAY}
        for updates in self.begin(photo, before, task, *context):
            session = updates.get("session")
            if session is not None:
                self.service.follow(task.owner, session.photo)
                place["message"] = widgets.note(session.photo.describe_losses())
            if before is not None and session not in (None, before):
                before.away = True
            # All of it every time: of two updates at once the page shows the later.
            yield {**place, "place": THERE, **updates}

    def reset(self, session: PhotoSession | None, request: gr.Request) -> Updates:
        """Back to the empty drop zone."""
        if session is not None:
            session.away = True
        self.service.close(client_id(request))
        return {
            "message": "",
            self.remark: "",
            "zone": gr.update(value=None, visible=True),
            "samples": gr.update(visible=bool(self.examples)),
            "place": AWAY,
            "session": None,
            **self.clear(),
        }

    @abstractmethod
    def clear(self) -> Updates:
        """What else the tab is without a photo."""


def build_zone(invitation: str = widgets.INVITATION) -> View:
    """Message and drop zone. The tab adds `place`, what is there with a photo, and `session`."""
    view = View(message=gr.HTML(elem_classes="message"))
    with widgets.stage() as (busy, cancel):
        zone = widgets.drop_zone(invitation)
    view.add(zone=zone, opening=busy, cancel_opening=cancel)
    return view


def build_samples(view: View, service: Service, examples: Sequence[Path]) -> None:
    """The examples, as a strip."""
    with gr.Column(visible=bool(examples), elem_classes="samples") as samples:
        gr.HTML("<h2>Or try one of these</h2>")
        strip = example_strip.build(list(examples), service.folder, elem_classes="strip")
    view.add(samples=samples, strip=strip)


def build_hand_over(here: str, tabs: Sequence[str]) -> gr.HTML:
    """Buttons that open the photo of this tab in others of `tabs`; the page does it (page.js)."""
    label = "Edit this in"
    buttons = [
        f'<button type="button" data-open="{name}" aria-label="{label} {title}">{title}</button>'
        for name, title in PHOTO_TABS.items()
        if name != here and name in tabs
    ]
    return gr.HTML(f"<p>{label} {' '.join(buttons)}</p>", elem_classes="hand-over")


def build_chosen(view: View, here: str, tabs: Sequence[str]) -> None:
    """The photo that is worked on in the tab `here`, small, and the buttons for another one and
    for the others of `tabs`."""
    with gr.Row(visible=False, elem_classes="chosen") as chosen:
        thumbnail = gr.HTML()
        build_hand_over(here, tabs)
        again = gr.Button("Another photo", size="sm")
    view.add(place=chosen, thumbnail=thumbnail, again=again)


def wire(
    view: View,
    on: PhotoHandlers,
    names: Sequence[str],
    context: Sequence[Any] = (),
    page: gr.Tab | None = None,
    **options: Any,
) -> Any:
    """The event that opens a photo, after which more may be done; and those that put it away.
    `names`: what else they change. `page`: the tab that is entered."""
    outputs = list_outputs(on, names)
    session = view["session"]
    turn, handed = gr.Number(visible=False), gr.Checkbox(visible=False)  # filled by the page
    entered = gr.Textbox(visible="hidden")  # a State tells the page of no change
    view.add(turn=turn, entered=entered)
    opened = gr.on(
        [view["zone"].upload, view["strip"].select, entered.change],
        *view.wire(on.open, [turn, view["zone"], session, *context], outputs),
        preprocess=False,
        trigger_mode="multiple",  # another photo may be dropped while one is read
        **widgets.runs(view["opening"]),
        **options,
    )
    opened.failure(*view.wire(on.refuse, session, outputs), **widgets.QUICK)
    if page is not None:
        entering = view.wire(on.follow, [session, handed], ["entered"])
        page.select(*entering, js="window.takeHanded", **widgets.QUICK)
    view["cancel_opening"].click(
        *view.wire(on.stop_opening, [turn, session], ["message"]),
        js="window.stopRuns",
        **widgets.QUICK,
    )
    if "again" in view:
        view["again"].click(*view.wire(on.reset, session, outputs), **widgets.QUICK)
    return opened


def wire_upload(
    view: View,
    on: PhotoHandlers,
    button: gr.UploadButton,
    handler: Any,
    names: Sequence[str],
    context: Sequence[Any] = (),
) -> None:
    """A button for other files that open a photo, by a handler of its own; after wire(), and with
    its `names` and `context`."""
    outputs = list_outputs(on, names)
    opened = button.upload(
        *view.wire(handler, [view["turn"], button, view["session"], *context], outputs),
        preprocess=False,
        trigger_mode="multiple",
        **widgets.runs(view["opening"]),
    )
    opened.failure(*view.wire(on.refuse, view["session"], outputs), **widgets.QUICK)


def list_outputs(on: PhotoHandlers, names: Sequence[str]) -> list[str]:
    """What the event that opens a photo changes, these included."""
    known = ["message", on.remark, "zone", "samples", "place", "session", *names]
    return list(dict.fromkeys(known))


def describe(photo: NDArray[np.uint8], *lines: str) -> str:
    """A small copy of the photo, and lines of text."""
    height = max(1, round(photo.shape[0] * THUMBNAIL / photo.shape[1]))
    address = thumbnails.as_address(shrink(photo, height, THUMBNAIL))
    return f'<img src="{address}" alt="The photo"><p>{"<br>".join(map(escape, lines))}</p>'


def no_file(_: Handlers, *values: Any) -> Updates:
    """What a download is that was stopped or has failed."""
    return {"finished": None}


def wire_downloads(
    view: View,
    buttons: Mapping[str, gr.Button],
    handler: Any,
    inputs: Sequence[Any],
    busy: gr.HTML,
    lane: str = widgets.LANE,
) -> None:
    """Buttons for files that are made when they are asked for, and then saved by the browser; the
    handler is told which by its last value."""
    on = handler.__self__.remark
    asked = {**widgets.runs(busy), "concurrency_id": lane, "trigger_mode": "multiple"}
    choose = take_choice(handler, [(button, kind) for kind, button in buttons.items()])
    pressed = [button.click for button in buttons.values()]
    made = gr.on(pressed, *view.wire(choose, inputs, [on, "finished"]), **asked)
    made.success(None, view["finished"], None, js="window.saveFile", **widgets.QUICK)
