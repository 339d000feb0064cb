"""The before/after slider: a native range input over two pictures, so that a keyboard moves it.

gr.ImageSlider has no keyboard and no texts for its pictures, and encodes what it shows anew.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from ui.shared.thumbnails import refer

HERE = Path(__file__).parent


def build(**options: Any) -> gr.HTML:
    """The component; its value is made by comparison()."""
    return gr.HTML(
        html_template=(HERE / "slider.html").read_text(encoding="utf-8"),
        js_on_load=(HERE / "slider.js").read_text(encoding="utf-8"),
        **options,
    )


def comparison(
    before: Path,
    after: Path,
    size: tuple[int, int],
    name: str = "Before",
    what: str = "the photo in black and white",
) -> dict[str, Any]:
    """Two picture files of the same size (width, height), as the component shows them. `name` and
    `what`: what is said of the first, short and in words."""
    files = {"before": before, "after": after}
    value: dict[str, Any] = {key: refer(path) for key, path in files.items()}
    return {**value, "width": size[0], "height": size[1], "name": name, "alt": f"{name}: {what}"}
