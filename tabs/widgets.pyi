"""The two components that Gradio has not: an upload that is not opened, and the comparison."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr
from gradio.data_classes import FileData

HERE = Path(__file__).parent

from gradio.events import Dependency

class PhotoInput(gr.Image):  # type: ignore[misc]  # Gradio is not checked
    """gr.Image that hands over the uploaded file as it is.

    The original opens it with Pillow first, and answers a damaged file in Pillow's words.
    """

    is_template = True  # it looks like gr.Image in the browser

    def preprocess(self, payload: Any) -> str | None:
        return None if payload is None else payload.path
    from typing import Callable, Literal, Sequence, Any, TYPE_CHECKING
    from gradio.blocks import Block

    if TYPE_CHECKING:
        from gradio.components import Timer
        from gradio.components.base import Component

class Compare(gr.HTML):  # type: ignore[misc]
    """Before and after, one over the other, with a slider that a keyboard can move.

    gr.ImageSlider has no keyboard, no texts for the pictures and re-encodes what it shows. The
    value is made by comparison().
    """

    def __init__(self, **options: Any):
        super().__init__(
            None,
            html_template=(HERE / "compare.html").read_text(encoding="utf-8"),
            js_on_load=(HERE / "compare.js").read_text(encoding="utf-8"),
            **options,
        )
    from typing import Callable, Literal, Sequence, Any, TYPE_CHECKING
    from gradio.blocks import Block

    if TYPE_CHECKING:
        from gradio.components import Timer
        from gradio.components.base import Component

def comparison(before: Path, after: Path, size: tuple[int, int]) -> dict[str, Any]:
    """A value for Compare: two picture files of the same size (width, height)."""
    files = {"before": before, "after": after}
    value: dict[str, Any] = {
        key: FileData(path=str(path), orig_name=path.name).model_dump()
        for key, path in files.items()
    }
    return {**value, "width": size[0], "height": size[1]}
