"""The examples that ship with the app, and their thumbnails."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from colorize_core.image import READABLE
from tabs.folder import Folder

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
SIDE = 320  # of a thumbnail: twice its size on the page


def find_examples(folder: Path = EXAMPLES) -> list[Path]:
    """The pictures in the folder in the order of their names; none where there is no folder."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in READABLE)


def caption(path: Path) -> str:
    """What a thumbnail is called: the file's name without hyphens."""
    return path.stem.replace("-", " ").replace("_", " ").capitalize()


def thumbnails(paths: list[Path], folder: Folder) -> list[tuple[str, str]]:
    """(file, caption) of small copies: the page does not load the full-size photos."""
    return [(_thumbnail(path, folder), caption(path)) for path in paths]


def _thumbnail(path: Path, folder: Folder) -> str:
    small = folder.lasting / f"{path.stem}.jpg"
    with Image.open(path) as picture:
        picture.draft("RGB", (SIDE, SIDE))  # JPEG: decode at a fraction of the size
        copy = picture.convert("RGB")
    copy.thumbnail((SIDE, SIDE))
    copy.save(small, quality=85)
    return str(small)
