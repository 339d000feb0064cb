"""The mask editor: the photo in its regions' colours, to be painted on.

The page puts the picture together itself, from the photo filled in each way and one mask a region:
colour is under the brush at once, and after a stroke only its points go to the app and the new mask
comes back.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
from PIL import Image

from ui.selective.session import MOST_REGIONS, PLAIN, Area, Fill, SelectiveSession
from ui.shared import thumbnails
from ui.shared.service import Service

HERE = Path(__file__).parent
SCRIPTS = ("mask_editor.js", "mask_editor-mixing.js", "mask_editor-drawing.js")  # parts of one
# Of the regions, as chips and over the picture; told apart also by those who see no red or green.
TINTS = ("#e2662a", "#2a7fd4", "#8f4fc0", "#17916a", "#c99a10", "#c2397a")


def build(**options: Any) -> gr.HTML:
    """The component; its value is made by view(). Its submit event carries the photo's key and
    edits as edits.apply() takes them."""
    return gr.HTML(
        html_template=(HERE / "mask_editor.html").read_text(encoding="utf-8"),
        js_on_load="\n".join((HERE / name).read_text(encoding="utf-8") for name in SCRIPTS),
        apply_default_css=False,
        **options,
    )


def view(session: SelectiveSession, service: Service) -> dict[str, Any]:
    """What the component shows."""
    session.version += 1
    height, width = session.shape
    files = {area.packed: _write_mask(session, area, service) for area in session.areas}
    session.masks = files  # the page no longer shows masks that are gone
    return {
        "photo": session.key,
        "version": session.version,
        "seen": session.seen,
        "width": width,
        "height": height,
        "around": _refer(_find_picture(session, session.outside, session.around_shown, PLAIN)),
        "regions": [
            {
                "key": area.key,
                "title": f"Region {area.key}",
                "tint": TINTS[(area.key - 1) % len(TINTS)],
                "picture": _refer(_find_picture(session, area.fill, area.shown, PLAIN)),
                "mask": _refer(files[area.packed]),
            }
            for area in session.areas
        ],
        "active": session.active,
        "full": len(session.areas) >= MOST_REGIONS,
        "undo": bool(session.past),
        "redo": bool(session.future),
        "marks": _list_marks(session.area),
        "words": describe(session),
    }


def describe(session: SelectiveSession) -> str:
    """How much of the picture the region covers."""
    percent = 100 * session.share(session.area)
    share = f"{percent:.0f} %" if percent >= 1 or not percent else "less than 1 %"
    if not percent:
        return f"Region {session.area.key} is empty: paint on the picture, or select an object."
    return f"Region {session.area.key} covers {share} of the picture."


def _list_marks(area: Area) -> dict[str, Any]:
    box, keep, drop = area.marks
    strokes = [("keep", each) for each in keep] + [("drop", each) for each in drop]
    return {
        "box": box,
        "strokes": [{"kind": k, "points": points, "radius": r} for k, (points, r) in strokes],
    }


def _find_picture(session: SelectiveSession, *fills: Fill) -> Path | None:
    """The first one that is there: until a fill is made, others stand in for it."""
    return next((session.files[fill] for fill in fills if fill in session.files), None)


def _write_mask(session: SelectiveSession, area: Area, service: Service) -> Path:
    """A PNG whose alpha is the mask: what a canvas can draw."""
    known = session.masks.get(area.packed)
    if known is not None and known.exists():
        return known
    shades = np.round(session.mask(area) * 255).astype(np.uint8)
    path = session.name_file(service, "png")
    picture = Image.fromarray(np.stack([np.full_like(shades, 255), shades], -1), "LA")
    picture.save(path, compress_level=1)
    return path


def _refer(path: Path | None) -> dict[str, Any] | None:
    if path is None:
        return None
    return thumbnails.refer(path)
