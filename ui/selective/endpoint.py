"""/selective: only a part of the photo in colour."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr
import numpy as np

from colorize_core import selective
from colorize_core.cards import Control, ModelCard
from colorize_core.errors import OptionError
from colorize_core.imaging.formats import CHOICES
from colorize_core.models.runner import Task
from colorize_core.options import RANGES
from colorize_core.selective import Mask, masks, segmenters
from colorize_core.selective.people import PEOPLE, PERSON
from colorize_core.selective.segmenters import CLASSES
from ui.selective import mask_files
from ui.selective.fill_controls import FLAT, GRAY, list_inside, read_fill
from ui.selective.session import SelectiveSession
from ui.server.sessions import client_id
from ui.shared import endpoints
from ui.shared.service import Service, check_format
from ui.shared.widgets import check_value

AUTO = "auto"
ENDPOINT = f"""Colour only a part of a photo and give it back at its full size, with its metadata.

photo: a picture file. keep: what is coloured: "{AUTO}" (people if there are any, else what stands
out), classes with commas between, as in "person,dog", or a box around it in pixels of the photo,
"left,top,right,bottom". The classes are {", ".join(CLASSES)}; "{PEOPLE.name}" is "{PERSON}", too.
{PERSON.capitalize()}s alone are found without a download; others by DeepLabV3, whose weights are
downloaded once, and never for visitors of a public app. mask: in place of keep, a picture file as
large as the photo, or of its shape: white is inside, gray in between. inside: a model's name (see
/models), "{GRAY}", or "{FLAT}" for one flat colour, which `colour` says as #rrggbb. outside:
"{GRAY}" or a model's name. vividness: {RANGES["vividness"][0]:g} (timid) to
{RANGES["vividness"][1]:g} (saturated), 1 is the model's choice. format:
{", ".join(f'"{name}"' for name in CHOICES)}.

Returns the result file, and one line on what was done. Outside in {GRAY}, a black-and-white photo
stays as it is, byte for byte. Refused are a box outside the photo, a mask of another shape and an
unknown model, with what is known. Calling /cancel from the same session stops it."""

LEVEL = Control("vividness", "Vividness", "", 1.0, *RANGES["vividness"])


class Endpoint:
    """Whose photo it is comes with every call."""

    def __init__(self, service: Service, cards: Sequence[ModelCard]):
        self.service = service
        marked = {name: title for title, name in list_inside(cards, None)}
        self.titles = marked | {card.name: card.title for card in cards}

    def selective(
        self,
        request: gr.Request,
        photo: dict[str, Any] | None,
        keep: str,
        inside: str,
        outside: str,
        vividness: float,
        colour: str,
        format: str,
        mask: dict[str, Any] | None = None,
        progress: gr.Progress = gr.Progress(),  # noqa: B008  # how Gradio passes it
    ) -> tuple[str, str]:
        """See ENDPOINT."""
        with endpoints.refuse(), self.service.task(client_id(request), progress) as task:
            check_format(format)
            level = float(LEVEL.read(vividness))
            task.step(0.0, "Reading the photo")
            given = self.service.photo(self.service.upload(photo))
            given.read(task)
            session = SelectiveSession.open(given, self.service)
            session.areas = session.put(fill=read_fill(str(inside), level, str(colour)))
            session.outside = read_fill(str(outside), level, str(colour))
            task.step(0.0, "Looking for what is kept")
            session.change(self._read_mask(session, str(keep).strip(), mask, task))
            file = mask_files.write_picture(session, format, self.service, task)
            return str(file), self._describe(session, str(inside), str(outside))

    def _read_mask(
        self, session: SelectiveSession, keep: str, mask: dict[str, Any] | None, task: Task
    ) -> Mask:
        if mask is not None and keep != AUTO:
            raise OptionError("keep and mask each say what is coloured: leave one out.")
        if mask is not None:
            return mask_files.read_mask(self.service.upload(mask), session, self.service, task)
        if keep == AUTO:
            with self.service.runner.turn(task):
                return session.find_subject(task.part(0.0, "Looking for what is kept"))
        if any(character.isalpha() for character in keep):
            return self._find_classes(session, read_names(keep), task)
        return selective.grabcut(session.photo.pixels, box=read_box(keep))

    def _find_classes(self, session: SelectiveSession, names: tuple[str, ...], task: Task) -> Mask:
        """All that is of these classes, by the first network that knows them."""
        network = segmenters.list_networks(names)[0]
        if selective.count_missing_bytes(network):
            self.service.check_download(*segmenters.describe_download(network))
            segmenters.fetch(network, task.report_bytes, task.stopped)
        looking = task.part(0.0, "Looking for what is kept")
        with self.service.runner.turn(task):
            layers = selective.find_classes(session.small, network=network, progress=looking)
        wanted = [layer.mask for layer in layers if layer.name in names]
        if not wanted:
            seen = ", ".join(f"{layer.name} ({layer.share:.0%})" for layer in layers) or "nothing"
            raise OptionError(
                f"Of {', '.join(names)} there is nothing in the photo; {network} found {seen}. "
                f'keep may be "{AUTO}" or a box, too.'
            )
        return np.maximum.reduce(wanted)

    def _describe(self, session: SelectiveSession, inside: str, outside: str) -> str:
        width, height = session.photo.size
        inner, outer = (self.titles.get(name, name) for name in (inside, outside))
        share = session.share(session.area)
        parts = [f"{width} × {height}", f"{inner} on {share:.0%} of the photo"]
        parts += [f"{outer} around it", masks.describe_doubt(session.mask(session.area))]
        if (pages := session.photo.decoded.pages) > 1:
            parts.append(f"the first of {pages:,} pictures")
        return " · ".join(filter(None, parts))


def read_names(text: str) -> tuple[str, ...]:
    """Classes with commas between. Raises OptionError."""
    names = [PERSON if name.strip() == PEOPLE.name else name for name in text.split(",")]
    try:
        return segmenters.read_classes(",".join(names))
    except OptionError as error:
        raise OptionError(
            f'keep is {text!r}: {error} Allowed are "{AUTO}", a box as four numbers, '
            f"left,top,right,bottom, in pixels of the photo, and of classes {', '.join(CLASSES)}."
        ) from error


def read_box(text: str) -> tuple[float, float, float, float]:
    """ "left,top,right,bottom". Raises OptionError."""
    try:
        left, top, right, bottom = (float(part) for part in text.split(","))
    except ValueError as error:
        raise OptionError(
            f'keep is {text!r}, allowed are "{AUTO}", names of classes and a box as four numbers, '
            "left,top,right,bottom, in pixels of the photo."
        ) from error
    return left, top, right, bottom


def build(
    service: Service,
    cards: Sequence[ModelCard],
    photo: gr.Image,
    fills: Sequence[Any],
) -> None:
    """`fills`: inside, outside, vividness and colour of the tab."""
    keep = gr.Textbox(AUTO, label="Keep", visible=False)
    mask = check_value(gr.Image(label="Mask", type="filepath", visible=False))
    format = endpoints.format_choice(CHOICES, "PNG")
    endpoints.publish(
        Endpoint(service, cards).selective,
        [photo, keep, *fills, format, mask],
        [endpoints.make_file(), endpoints.make_text()],
        ENDPOINT,
        **endpoints.QUEUED,
    )
