"""The photos of a queue as thumbnails with their states, and the buttons that move the queue on.

The page asks for news while there can be any, says what it has seen, and is told what has changed
since then: not all of 200 photos every second.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from ui.batch.queue import Entry, Queue, format_duration, measure_left
from ui.shared.thumbnails import refer

HERE = Path(__file__).parent


def build(**options: Any) -> gr.HTML:
    """The component; its value is made by view(). Its submit event carries what is wanted, as
    BatchHandlers.act() takes it."""
    return gr.HTML(
        html_template=(HERE / "photo_grid.html").read_text(encoding="utf-8"),
        js_on_load=(HERE / "photo_grid.js").read_text(encoding="utf-8"),
        apply_default_css=False,
        **options,
    )


def view(queue: Queue | None, seen: int = -1, chosen: int | None = None) -> dict[str, Any]:
    """What the component shows: of photos, those that were changed after the version `seen`."""
    if queue is None:
        return {"queue": "", "entries": [], "whole": True, "from": -1, "version": 0}
    with queue.lock:
        whole, entries = queue.list_since(seen)
        left = measure_left(queue) if queue.running else None
        return {
            "queue": queue.name,
            "place": refer(queue.small / "photo"),  # beside which the thumbnails are
            "from": -1 if whole else seen,
            "whole": whole,
            "version": queue.version,
            "running": queue.running,
            "busy": queue.busy,
            "order": queue.order,
            "left": "" if left is None else format_duration(left),
            "chosen": chosen,
            "entries": [_describe(each) for each in entries],
        }


def _describe(entry: Entry) -> dict[str, Any]:
    return {
        "id": entry.number,
        "name": entry.source.name,
        "state": entry.state,
        "looked": entry.looked,
        "made": entry.made,
        "own": entry.own is not None,
        "seconds": round(entry.seconds, 1),
        "spread": None if entry.spread is None else round(entry.spread, 1),
        "error": entry.error,
    }
