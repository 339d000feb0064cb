"""/selective: only a part of the photo in colour."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr

from colorize_core import selective
from colorize_core.cards import Control, ModelCard
from colorize_core.errors import OptionError
from colorize_core.imaging.formats import CHOICES
from colorize_core.models.runner import Task
from colorize_core.options import RANGES
from colorize_core.selective import Mask, masks
from colorize_core.selective.people import PEOPLE
from ui.selective import mask_files
from ui.selective.fill_controls import FLAT, GRAY, list_inside, read_fill
from ui.selective.session import SelectiveSession
from ui.server.sessions import client_id
from ui.shared import endpoints
from ui.shared.service import Service, check_format
from ui.shared.widgets import check_value

AUTO = "auto"
ENDPOINT = f"""Colour only a part of a photo and give it back at its full size, with its metadata.

photo: a picture file. keep: what is coloured: "{AUTO}" (what stands out), "{PEOPLE.name}" or a box
around it in pixels of the photo, "left,top,right,bottom". mask: in place of keep, a picture file as
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
            return selective.grabcut(session.small)
        if keep == PEOPLE.name:
            return self._find_people(session)
        return selective.grabcut(session.photo.pixels, box=read_box(keep))

    def _find_people(self, session: SelectiveSession) -> Mask:
        found = selective.find_classes(session.small, network=PEOPLE.name)
        if not found:
            raise OptionError(f'Nobody was found. keep may be "{AUTO}" or a box, too.')
        return found[0].mask

    def _describe(self, session: SelectiveSession, inside: str, outside: str) -> str:
        width, height = session.photo.size
        inner, outer = (self.titles.get(name, name) for name in (inside, outside))
        share = session.share(session.area)
        parts = [f"{width} × {height}", f"{inner} on {share:.0%} of the photo"]
        parts += [f"{outer} around it", masks.describe_doubt(session.mask(session.area))]
        if (pages := session.photo.decoded.pages) > 1:
            parts.append(f"the first of {pages:,} pictures")
        return " · ".join(filter(None, parts))


def read_box(text: str) -> tuple[float, float, float, float]:
    """ "left,top,right,bottom". Raises OptionError."""
    try:
        left, top, right, bottom = (float(part) for part in text.split(","))
    except ValueError as error:
        raise OptionError(
            f'keep is {text!r}, allowed are "{AUTO}", "{PEOPLE.name}" and a box as four numbers, '
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
