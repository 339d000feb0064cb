"""The examples that ship with the app, as a strip of thumbnails."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.data_classes import FileData
from PIL import Image

from colorize_core.bundled import EXAMPLES
from colorize_core.imaging.formats import READABLE
from ui.server.temp_files import Folder

SIDE = 320  # of a thumbnail: more than twice its size on the page
TEMPLATE = """
{{#each value}}<button type="button" data-index="{{@index}}">
  <img src="{{this.file.url}}" alt=""><span>{{this.caption}}</span>
</button>{{/each}}"""
SCRIPT = """
element.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  trigger("select", { index: Number(button.dataset.index) });
  window.scrollTo({ top: 0, behavior: "smooth" });
});"""


def find_examples(folder: Path = EXAMPLES) -> list[Path]:
    """The pictures in the folder in the order of their names; none where there is no folder."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in READABLE)


def make_caption(path: Path) -> str:
    """What a thumbnail is called: cat-gray.jpg is "Cat", cup-colour.jpg is "Cup, in colour"."""
    name = path.stem.removesuffix("-gray")
    return name.replace("-colour", ", in colour").replace("-", " ").capitalize()


def pick(paths: Sequence[Path], event: gr.EventData) -> Path:
    """The example of the strip's select event; whatever a client sends, it is one of them."""
    return paths[int(event.index) % len(paths)]


def build(paths: list[Path], folder: Folder, **options: Any) -> gr.HTML:
    """The strip; its select event carries the index of the example that was picked.

    gr.Gallery names its buttons "Thumbnail 1 of 8"; these are named after the pictures.
    """
    value = [
        {
            "file": FileData(path=_make_thumbnail(path, folder), orig_name=path.name).model_dump(),
            "caption": make_caption(path),
        }
        for path in paths
    ]
    return gr.HTML(value, html_template=TEMPLATE, js_on_load=SCRIPT, **options)


def _make_thumbnail(path: Path, folder: Folder) -> str:
    small = folder.lasting / f"{path.stem}.jpg"
    if small.exists():  # another tab has the same strip
        return str(small)
    with Image.open(path) as picture:
        picture.draft("RGB", (SIDE, SIDE))  # JPEG: decode at a fraction of the size
        copy = picture.convert("RGB")
    copy.thumbnail((SIDE, SIDE))
    copy.save(small, quality=85)
    return str(small)
