"""The tab "Batch": many photos in one look, one after the other, also while the page is away."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import fields
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from colorize_core.batch.plan import SUFFIX_OF
from colorize_core.batch.runner import BatchOptions
from colorize_core.errors import OptionError, SaveError
from colorize_core.imaging.mark import TEXT as MARK
from colorize_core.models.runner import Task
from colorize_core.options import DEFAULT_MODEL, Options
from colorize_core.steering.album import DescribedPhoto
from ui.batch import exports, photo_grid
from ui.batch.queue import MOST_PHOTOS, Entry, Look, Queue, Queues, State
from ui.batch.worker import Worker
from ui.server.guard import read_address
from ui.server.limits import MB
from ui.server.sessions import client_id
from ui.server.temp_files import KEEP_SECONDS
from ui.shared import model_choices, slider, widgets
from ui.shared.handlers import (
    AWAY,
    THERE,
    Handlers,
    Updates,
    View,
    quick_handler,
    task_handler,
    wire_run,
)
from ui.shared.kept_work import STORAGE_SECRET
from ui.shared.opening import Opening, offer_choices
from ui.shared.photo_tab import no_file, wire_downloads
from ui.shared.service import Service

TITLE = "Batch"
STORAGE_KEY = "autochrome-studio-batch"
GONE = "These photos are no longer here: they are kept for an hour. Add them again."
REFERENCE = (
    "<p>Where the same things are, all photos take the colours of this one: a series then has one "
    "palette. Of a photo that has nothing in common with it hardly any are taken.</p>"
)
KNOWN = "Take what is known on photos in Colorize"
NOTHING_KNOWN = (
    "Nothing is known on any photo of this visit: open one in Colorize, give it a hint under "
    f"“Colour it” and mark that as known, or untick “{KNOWN}”."
)
SAME = "As it came"  # the format
FORMATS = [(SAME, ""), *((name, name) for name in SUFFIX_OF)]
LOOK = ("model", "vividness", "strength", "gain", "neutralize", "format", "mark")
OWN = ("model", "vividness", "strength", "gain", "neutralize")  # that one photo may have its own of
SHEET, ARCHIVE = "Contact sheet", "All, ZIP"
FILES = {SHEET: exports.write_sheet, ARCHIVE: exports.write_zip}
AGAIN: dict[str, tuple[State, ...]] = {  # what a button has coloured, beside all that waits
    "start": ("cancelled",),
    "retry": ("failed",),
    "again": ("done", "failed", "cancelled"),
}
NO_PHOTO = {"detail": AWAY, "chosen": None}


class BatchHandlers(Handlers):
    """What the controls do."""

    def __init__(self, service: Service):
        super().__init__(service)
        self.queues = Queues()
        self.worker = Worker(service, self.queues)

    @property
    def most(self) -> int:
        """Photos of a queue."""
        public = self.service.public
        return public.batch_photos if public else MOST_PHOTOS

    def find(self, kept: str) -> Updates:
        """The queue that the browser knows of, when the page opens, or it has another one."""
        queue = self.queues.find(kept)
        if queue is None:
            return {"photos": photo_grid.view(None), "place": AWAY, **NO_PHOTO}
        self.worker.wake()
        filled = (
            fill_controls(queue.look) if queue.started else {}
        )  # else they are as they were set
        return {"photos": photo_grid.view(queue), "place": THERE, **filled}

    @quick_handler("message")
    def add(self, uploads: list[dict[str, Any]] | None, kept: str) -> Updates:
        """Take the photos that were dropped."""
        paths = [self.service.upload(each) for each in uploads or ()]
        if not paths:
            return {"zone": None}
        queue = self.queues.find(kept)
        if queue is None:
            queue = Queue(self.service.folder, self.most)
            self.queues.add(queue)
        left_out = queue.add(paths)
        queue.keep_alive()
        self.worker.wake()
        said = widgets.note(describe_left_out(left_out, self.most)) if left_out else ""
        return {
            "zone": None,
            "kept": queue.key,
            "message": said,
            "place": THERE,
            "photos": photo_grid.view(queue),
        }

    @quick_handler("message")
    def act(
        self,
        event: gr.EventData,
        request: gr.Request,
        kept: str,
        *controls: Any,
    ) -> Updates:
        """What was pressed among the photos, or a look for news."""
        given: Any = event._data
        what, seen = given.get("do"), given.get("seen")
        queue = self.queues.find(kept)
        if queue is None:
            return {"photos": photo_grid.view(None), "place": AWAY, **NO_PHOTO} | (
                {"message": widgets.alert(GONE)} if given.get("queue") else {}
            )
        seen = seen if isinstance(seen, int) and given.get("queue") == queue.name else -1
        updates: Updates = {}
        if what == "look":
            if seen == queue.version:
                return {}
        else:
            queue.keep_alive()
            updates = {"message": "", **self._do(queue, what, given, request, controls)}
            if queue.key != kept or not queue.exists:
                return updates
        chosen = queue.find(given.get("chosen") if what != "open" else given.get("id"))
        if chosen and (what == "open" or chosen.version > seen):
            updates |= self.show(queue, chosen)
        number = chosen.number if chosen else None
        return {"photos": photo_grid.view(queue, seen, number), **updates}

    def _do(
        self,
        queue: Queue,
        what: str,
        given: dict[str, Any],
        request: gr.Request,
        controls: Sequence[Any],
    ) -> Updates:
        """One of the buttons. Raises OptionError, PictureError."""
        if what in AGAIN:
            look = self.read_look(queue, client_id(request), *controls)
            self.admit(queue, request)
            queue.start(look, *AGAIN[what])
            self.worker.wake()
        elif what == "pause":
            queue.pause()
        elif what == "cancel":
            queue.cancel()
        elif what == "order":
            queue.order = "unsure" if given.get("order") == "unsure" else "added"
        elif what == "clear":
            queue.clear()
            empty = photo_grid.view(None)
            return {"kept": "", "photos": empty, "place": AWAY, "line": "", **NO_PHOTO}
        return {}

    def admit(self, queue: Queue, request: gr.Request) -> None:
        """Raises OptionError where too many queues are worked on: strangers get a part of the
        machine."""
        public = self.service.public
        if public is None or queue.running:
            return
        scope = getattr(getattr(request, "request", None), "scope", None)
        queue.address = read_address(scope, public.proxies) if scope else ""
        running = [each for each in self.queues.list() if each.running and each is not queue]
        if any(each.address == queue.address for each in running):
            raise OptionError("Another queue from your address is being coloured: wait for it.")
        if len(running) >= public.batches:
            raise OptionError("Many queues are being coloured: try again in some minutes.")

    def read_look(
        self,
        queue: Queue,
        client: str,
        reference: dict[str, Any] | None,
        share: float,
        known: bool,
        *controls: Any,
    ) -> Look:
        """What the controls for all say. Raises OptionError, PictureError."""
        values = dict(zip(LOOK, controls, strict=True))
        options = read_options(values, reference_strength=share)
        photos = self.list_known(queue, client) if known else ()
        path = self.service.upload(reference) if (reference or {}).get("path") else None
        card = next((card for card in model_choices.every() if card.name == options.model), None)
        if card and (photos or path):
            card.check_hints()
        if path is None:
            return Look(options, known=photos)
        kept = queue.look.reference
        if kept is None or not (kept.exists() and path.exists() and os.path.samefile(kept, path)):
            self.service.photos.decode(path)  # is it one?
            kept = queue.add_reference(path)
        return Look(options, kept, photos)

    def list_known(self, queue: Queue, client: str) -> tuple[DescribedPhoto, ...]:
        """The photos of this visit on which colours are known; those of the visit before, where
        the page was loaded anew. Raises OptionError where there are none."""
        photos = self.service.albums.list_photos(client) or queue.look.known
        if not photos:
            raise OptionError(NOTHING_KNOWN)
        return photos

    # --- one photo ------------------------------------------------------------------------------

    def show(self, queue: Queue, entry: Entry) -> Updates:
        """One photo before and after, with what is to be said of it."""
        shown: Updates = {"detail": THERE, "chosen": entry.number, "line": describe(entry)}
        before, after = queue.get_path(entry, True, True), queue.get_path(entry, False, True)
        if entry.state == "working":
            return shown  # what was there stays
        if entry.state == "done" and before.exists() and after.exists():
            value = slider.comparison(
                before, after, read_size(after), "Before", "the photo as it came"
            )
            return shown | {"compared": gr.update(value=value, visible=True)}
        return shown | {"compared": AWAY}

    @quick_handler("message")
    def redo(self, kept: str, chosen: int | None, request: gr.Request, *controls: Any) -> Updates:
        """Colour one photo with settings of its own."""
        queue, entry = self._find(kept, chosen)
        values = dict(zip(OWN, controls, strict=True))
        everything = queue.look.options
        options = read_options(
            values | {"format": everything.format, "mark": everything.mark},
            reference_strength=everything.reference_strength,
        )
        own = Look(options, queue.look.reference, queue.look.known)
        return self._redo(queue, entry, own, request)

    @quick_handler("message")
    def redo_like_all(self, kept: str, chosen: int | None, request: gr.Request) -> Updates:
        """Colour one photo like all others."""
        return self._redo(*self._find(kept, chosen), None, request)

    def _redo(self, queue: Queue, entry: Entry, own: Look | None, request: gr.Request) -> Updates:
        self.admit(queue, request)
        queue.redo(entry, own)
        queue.keep_alive()
        self.worker.wake()
        return {"message": "", "photos": photo_grid.view(queue, -1, entry.number)}

    @quick_handler("message")
    def remove(self, kept: str, chosen: int | None) -> Updates:
        """Take one photo out."""
        queue, entry = self._find(kept, chosen)
        queue.remove(entry)
        return {"message": "", "photos": photo_grid.view(queue), **NO_PHOTO}

    @quick_handler("message")
    def hand_over(self, kept: str, chosen: int | None, request: gr.Request) -> Updates:
        """Have one photo in the other tabs, with the colours that it has here."""
        queue, entry = self._find(kept, chosen)
        photo = self.service.photo(entry.source)
        if entry.state == "done":
            options = (entry.own or queue.look).options
            photo.colours = Options(**{f.name: getattr(options, f.name) for f in fields(Options)})
        self.service.follow(client_id(request), photo)
        return {"message": "", "opened": "colorize"}

    @quick_handler("message")
    def save(self, kept: str, chosen: int | None) -> Updates:
        """The result of one photo as a file."""
        _, entry = self._find(kept, chosen)
        if entry.state != "done" or entry.target is None:
            raise OptionError("This photo is not coloured yet.")
        return {"message": "", "finished": str(entry.target)}

    def _find(self, kept: str, chosen: int | None) -> tuple[Queue, Entry]:
        queue = self.queues.find(kept)
        entry = queue.find(chosen) if queue else None
        if queue is None or entry is None:
            raise OptionError(GONE)
        return queue, entry

    # --- files ----------------------------------------------------------------------------------

    @task_handler(failed=no_file, stopped=no_file)
    def download(self, task: Task, kept: str, kind: str) -> Updates:
        """A file of all that is done."""
        queue = self.queues.find(kept)
        if queue is None:
            raise OptionError(GONE)
        queue.keep_alive()
        try:
            path = FILES[kind](queue, self.service.folder, task)
        except OSError as error:
            raise SaveError(f"The file could not be written: {error.strerror}.") from error
        return {"message": "", "finished": str(path)}


def read_options(values: dict[str, Any], **more: Any) -> BatchOptions:
    """What controls say by their names. Raises OptionError."""
    return BatchOptions(
        model_choices.pick_here(str(values["model"]), DEFAULT_MODEL),
        float(values["vividness"]),
        float(values["strength"]),
        float(values["gain"]),
        bool(values["neutralize"]),
        format=values.get("format") or None,
        mark=bool(values.get("mark")),
        **more,
    )


def fill_controls(look: Look) -> Updates:
    """The controls for all, as they were when the page was left."""
    options = look.options
    reference = str(look.reference) if look.reference and look.reference.exists() else None
    values = {name: getattr(options, name) for name in LOOK} | {"format": options.format or ""}
    told = {"share": options.reference_strength, "known": bool(look.known)}
    return {**values, "reference": reference, **told}


def read_size(path: Path) -> tuple[int, int]:
    """Width and height of a small copy."""
    from PIL import Image

    with Image.open(path) as picture:
        return picture.size


def describe(entry: Entry) -> str:
    """One photo in one line, which is HTML."""
    parts = [entry.source.name]
    if entry.row and entry.state == "done":
        parts += [f"{entry.row.width} × {entry.row.height}", entry.row.model]
        parts += [f"{entry.seconds:.1f} s"]
        parts += (
            [] if entry.spread is None else [f"likely colours {entry.spread:.1f} Lab units apart"]
        )
        parts += [f"{entry.row.tint} neutralised"] if entry.row.tint else []
        parts += [entry.row.note] if entry.row.note else []
    colours = "1 known colour" if entry.placed == 1 else f"{entry.placed} known colours"
    parts += [f"{colours} of other photos placed"] if entry.placed else []
    parts += ["own settings"] if entry.own else []
    parts += [entry.error] if entry.error else []
    return escape(" · ".join(parts))


def describe_left_out(count: int, most: int) -> str:
    photos = "One photo was" if count == 1 else f"{count} photos were"
    return f"{photos} not taken: a queue has room for {most}. Clear it when it is done, and go on."


def describe_limits(service: Service, most: int) -> str:
    """What may be dropped."""
    if service.public:
        megapixels = min(service.public.batch_pixels, service.public.pixels) // MB
        return f"At most {most} photos of {megapixels} megapixels here. They are kept for an hour."
    return (
        f"At most {most} photos; archives are for the command line. The queue goes on when you "
        "leave the page, and is kept for an hour after it was last used."
    )


def build(service: Service, page: gr.Tab | None = None) -> list[Opening]:
    """Lay the tab out and wire it; what is put in as the page opens."""
    on = BatchHandlers(service)
    offered = model_choices.lister(model_choices.every(), public=True)
    view = View(message=gr.HTML(elem_classes="message"), turn=gr.Number(visible=False))
    view.add(kept=gr.BrowserState("", storage_key=STORAGE_KEY, secret=STORAGE_SECRET))
    zone = gr.File(
        file_count="multiple",
        label="Photos",
        show_label=False,
        elem_classes=["drop", "several", "many"],
    )
    gr.HTML(widgets.note(describe_limits(service, on.most)), elem_classes="limits")
    view.add(zone=zone, chosen=gr.State(None, time_to_live=KEEP_SECONDS))
    with gr.Accordion("Settings for all", open=True, elem_classes="adjust"):
        controls = build_look(offered)
    view.add(**controls, photos=photo_grid.build(elem_classes="photos"))
    with gr.Column(visible=False) as place:
        with gr.Row(elem_classes="actions"), gr.Row(elem_classes="downloads"):
            gr.HTML("Download", elem_classes="downloads-label")
            files = {kind: gr.Button(kind, size="sm") for kind in FILES}
        with widgets.stage(alone=True) as (busy, cancel):
            pass
    with gr.Column(visible=False, elem_classes="detail") as detail:
        compared = slider.build(visible=False)
        with gr.Row(elem_classes="actions"):
            line = widgets.status_line()
            saved = gr.Button("Download this one", size="sm")
            opened = gr.Button("Open in Colorize", size="sm")
            removed = gr.Button("Remove it", size="sm")
        with gr.Accordion("Only this photo", open=False, elem_classes="adjust"):
            own = build_own(offered)
            with gr.Row(elem_classes="actions"):
                redo = gr.Button("Do it again with these", size="sm", variant="primary")
                like_all = gr.Button("Like all others", size="sm")
    view.add(place=place, detail=detail, compared=compared, line=line)
    view.add(finished=gr.DownloadButton(visible="hidden"), opened=gr.Textbox(visible="hidden"))

    kept, chosen = view["kept"], view["chosen"]
    raw: dict[str, Any] = {"preprocess": False, **widgets.QUICK}
    filled = ["photos", "place", "detail", "chosen", *controls]
    finding = view.wire(on.find, [kept], filled)
    kept.change(*finding, **widgets.QUICK)
    added = ["zone", "kept", "message", "place", "photos"]
    zone.upload(*view.wire(on.add, [zone, kept], added), **raw)
    asked = [kept, *controls.values()]
    shown = ["message", "photos", "place", "kept", "detail", "chosen", "compared", "line"]
    view["photos"].submit(*view.wire(on.act, asked, shown), trigger_mode="multiple", **raw)
    one = [kept, chosen]
    changed = ["message", "photos"]
    redo.click(*view.wire(on.redo, [*one, *own], changed), **widgets.QUICK)
    like_all.click(*view.wire(on.redo_like_all, one, changed), **widgets.QUICK)
    removed.click(*view.wire(on.remove, one, [*changed, "detail", "chosen"]), **widgets.QUICK)
    given = saved.click(*view.wire(on.save, one, ["message", "finished"]), **widgets.QUICK)
    given.success(None, view["finished"], None, js="window.saveFile", **widgets.QUICK)
    handed = opened.click(*view.wire(on.hand_over, one, ["message", "opened"]), **widgets.QUICK)
    handed.success(None, view["opened"], None, js="window.openTab", **widgets.QUICK)
    wire_downloads(view, files, on.download, [view["turn"], kept], busy)
    wire_run(view, on, [], [cancel])
    picked = [offer_choices(each, offered) for each in (controls["model"], own[0])]
    return [Opening(*finding), *picked]


def build_look(offered: Any) -> dict[str, Any]:
    """The reference and its strength, whether known colours are taken, and the controls of LOOK, as
    read_look() takes them."""
    with gr.Row():
        model = build_model(offered)
        format = gr.Dropdown(FORMATS, value="", label="Format of the results")
    with gr.Row():
        vividness, strength, gain = widgets.sliders()
    with gr.Row():
        neutralize = widgets.neutralizing()
        mark = gr.Checkbox(
            False, label=f"Write “{MARK}” in a corner", info="Of every result, small."
        )
    with gr.Accordion("One palette for all", open=False, elem_classes="adjust"):
        gr.HTML(REFERENCE, elem_classes="limits")
        with gr.Row():
            reference = widgets.check_value(
                gr.Image(
                    label="A photo in colour",
                    show_label=False,
                    placeholder="Drop a photo in colour",
                    sources=["upload"],
                    type="filepath",
                    buttons=[],
                    height=150,
                    elem_classes="reference",
                )
            )
            share = gr.Slider(
                0, 1, 1, step=0.05, label="How far", info="0: not at all, 1: its very colours."
            )
        known = gr.Checkbox(
            False,
            label=KNOWN,
            info="Hints that are marked as known there, where the same things seem to be. Look at "
            "the results: they are guesses here, and take the network's time twice.",
        )
    values = (model, vividness, strength, gain, neutralize, format, mark)
    return {
        "reference": reference,
        "share": share,
        "known": known,
        **dict(zip(LOOK, values, strict=True)),
    }


def build_model(offered: Any) -> gr.Dropdown:
    return gr.Dropdown(offered(), value=DEFAULT_MODEL, label="Model")


def build_own(offered: Any) -> list[Any]:
    """The controls of OWN."""
    with gr.Row():
        model = build_model(offered)
        neutralize = widgets.neutralizing()
    with gr.Row():
        return [model, *widgets.sliders(), neutralize]
