"""The hint editor: the photo in colour, to be clicked and painted on.

The page keeps the hints and sends all of them at each change; the app answers with a small picture.
It also asks what may be the colours of a place, what to answer first, how sure the colours are, and
for variants.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import gradio as gr
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from colorize_core.errors import OptionError
from colorize_core.imaging.color import lab_to_rgb_in_gamut
from colorize_core.models.runner import Task
from colorize_core.steering.colours import GROUPS
from colorize_core.steering.hints import Hint
from ui.colorize.session import ColorizeSession
from ui.shared.service import Service
from ui.shared.thumbnails import as_address, refer

HERE = Path(__file__).parent
SCRIPTS = ("hint_editor.js", "hint_editor-picture.js")  # parts of one
THUMBNAIL = 220  # pixels along the longer side of a variant
MOST_ADDRESS = 2_000_000  # characters of a picture that the page sends
PIN_L = 60.0  # L at which the colour of a hint is shown
SURE, UNSURE = 8.0, 30.0  # spread in Lab units from which it is shaded, and where it is so wholly


def build(**options: Any) -> gr.HTML:
    """The component; its value is made by view(). Its submit event carries the photo's key, a
    serial number and what is asked for, as Handlers.steer() takes it."""
    return gr.HTML(
        html_template=(HERE / "hint_editor.html").read_text(encoding="utf-8"),
        js_on_load="\n".join((HERE / name).read_text(encoding="utf-8") for name in SCRIPTS),
        apply_default_css=False,
        **options,
    )


def view(session: ColorizeSession, **more: Any) -> dict[str, Any]:
    """What the component shows: the small picture, and what else was asked for."""
    height, width = session.small.shape[:2]
    options = session.result.options
    return {
        "photo": session.key,
        "seen": session.seen,
        "width": width,
        "height": height,
        "picture": session.picture,
        "hints": [hint.as_dict() for hint in options.hints],
        "variant": options.variant,
        **more,
    }


def restore(session: ColorizeSession) -> dict[str, Any]:
    """The same where the page does not have the hints: they are as the app knows them."""
    colours = list_colours(session.result.options.hints)
    suggested = list_suggested(session)
    return view(session, restored=True, colours=colours, named=list_named(), suggested=suggested)


def list_colours(hints: Sequence[Hint]) -> list[str]:
    """How the page shows them."""
    lab = np.array([(PIN_L, *hint.ab) for hint in hints]).reshape(-1, 3)
    shades = np.round(lab_to_rgb_in_gamut(lab) * 255).astype(int).tolist()
    return ["#{:02x}{:02x}{:02x}".format(*shade) for shade in shades]


def list_suggested(session: ColorizeSession) -> list[dict[str, Any]]:
    """What is known on other photos and may be on this one, for the page to offer."""
    colours = list_colours([each.hint for each in session.suggested])
    return [
        each.hint.as_dict() | {"css": css, "source": each.source}
        for each, css in zip(session.suggested, colours, strict=True)
    ]


def list_matches(hints: Sequence[Hint]) -> dict[str, Any]:
    """What was found in another photo, for the page to add."""
    colours = list_colours(hints)
    found = [hint.as_dict() | {"css": css} for hint, css in zip(hints, colours, strict=True)]
    said = f"{len(found)} places of this photo have the colours of the other one."
    none = "The photos have nothing in common that the model sees: no colour was taken."
    return {"matches": found, "said": said if found else none}


def find_more(
    service: Service, session: ColorizeSession, given: dict[str, Any], task: Task
) -> dict[str, Any]:
    """What the page asks for beside the picture, for view()."""
    runner, result = service.runner, session.result
    more: dict[str, Any] = {}
    if at := given.get("at"):
        x, y = at if isinstance(at, list) and len(at) == 2 else (None, None)
        place = Hint.read({"x": x, "y": y, "ab": (0, 0)})
        likely = runner.find_likely(result.prediction, result.options, place.x, place.y)
        more["likely"] = likely and likely.as_dict()
    if given.get("ask"):
        seen = session.photo.prepare(runner, result.options, task).seen
        found = runner.ask(seen, result.prediction, result.options, task)
        more["questions"] = [question.as_dict() for question in found]
    if given.get("sure"):
        spread = replace(result.prediction, size=session.small.shape[:2]).uncertainty()
        more["veil"] = shade(spread)
    if given.get("map"):
        more["map"] = refer(service.export_map(result))
    if given.get("reference"):
        photo = read_picture(given["reference"], service, task)
        found = runner.match_reference(
            session.photo.prepare(runner, result.options, task).seen,
            photo,
            result.prediction,
            result.options,
            task,
        )
        more |= list_matches(found)
    if given.get("looks"):
        more["looks"] = [
            write_thumbnail(service.preview(look, session.small))
            for look in service.list_variants(session.photo, result.options, task)
        ]
    return more


def read_picture(address: Any, service: Service, task: Task) -> NDArray[Any]:
    """The pixels of a small picture that the page sends as a data: address, (H, W, 3). Raises
    OptionError, PictureError."""
    head = "data:image/jpeg;base64,"
    fits = isinstance(address, str) and len(address) <= MOST_ADDRESS
    if not fits or not address.startswith(head):
        raise OptionError("The other photo could not be taken. Choose it again.")
    path = service.folder.new("reference.jpg")
    try:
        path.write_bytes(base64.b64decode(address[len(head) :], validate=True))
    except ValueError as error:
        raise OptionError("The other photo could not be read. Choose it again.") from error
    return service.photos.decode(path, task).pixels


def list_named() -> list[dict[str, Any]]:
    """The colours that have names, by group."""
    return [{"title": title, "colours": colours} for title, colours in GROUPS.items()]


def write_thumbnail(picture: NDArray[np.uint8]) -> str:
    height, width = picture.shape[:2]
    scale = min(1.0, THUMBNAIL / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return as_address(np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA)))


def shade(spread: NDArray[np.float32]) -> str:
    """How unsure the colours are, (H, W) in Lab units, as a veil: a data: address of a PNG, stripes
    where they are guessed."""
    share = np.clip((spread - SURE) / (UNSURE - SURE), 0, 1)
    rows, cols = np.indices(share.shape)
    stripe = (rows + cols) // 4 % 2
    veil = np.zeros((*share.shape, 4), np.uint8)
    veil[..., :3] = np.where(stripe[..., None], 255, 40)
    veil[..., 3] = np.round(share * 165)
    file = io.BytesIO()
    Image.fromarray(veil).save(file, "PNG", compress_level=3)
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
