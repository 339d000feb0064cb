"""Serve the app for the tests: `python app_server.py PORT FOLDER [MODE ...]`.

In a process of its own, as people run it: Gradio leaves event loops open, and warnings are errors
in the tests. With "endless" the rendering goes on until it is stopped (or for a minute). With
"drawing" the models are those of drawing_models.py; with "failing" one of them is damaged,
and those that draw take their time. With "public" it is open to strangers, as with --public. With
"colorize" or another tab's name it has that tab alone: a page of one opens in half the time. With
"bare" it is another app: Gradio's drop zone alone.
"""

from __future__ import annotations

import gc
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import drawing_models

import app
import colorize_core
from colorize_core.errors import WeightsError
from ui import TABS
from ui.server.limits import Public
from ui.server.temp_files import Folder
from ui.shared.service import Service


class Endless:
    """A model that colours and colours."""

    def __init__(self, colorizer: Any):
        self.colorizer = colorizer

    def __getattr__(self, name: str) -> Any:
        return getattr(self.colorizer, name)

    def render(self, picture: Any, *_: Any, progress: Any = None, **__: Any) -> Any:
        for _ in range(6000):
            time.sleep(0.01)
            if progress:
                progress(0.5)
        return picture


def load(name: str) -> Any:
    if "failing" in sys.argv and name == drawing_models.STUDENT.name:
        raise WeightsError("The weight file is damaged. Fetch it again.")
    if "drawing" in sys.argv:
        return drawing_models.load(name, pause=0.5 if "failing" in sys.argv else 0.05)
    colorizer = colorize_core.load(name, device="cpu")
    return Endless(colorizer) if "endless" in sys.argv else colorizer


@contextmanager
def serving(folder: Path, *mode: str, **environment: str) -> Iterator[str]:
    """The address of an app that runs for as long as the block does."""
    port = free_port()
    command = [sys.executable, __file__, str(port), str(folder), *mode]
    process = subprocess.Popen(command, cwd=folder, env=os.environ | environment)
    try:
        wait_until(lambda: is_up(port), seconds=120)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=60)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_up(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_until(condition: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def bare() -> Any:
    """A page with a drop zone and nothing else."""
    import gradio as gr

    with gr.Blocks(analytics_enabled=False) as blocks:
        gr.File()
    return blocks


def main() -> None:
    gc.set_threshold(50_000, 20, 20)  # as in conftest.py
    if "bare" in sys.argv:
        bare().launch(server_port=int(sys.argv[1]), quiet=True, **app.launch_options())
        return
    if "drawing" in sys.argv:
        colorize_core.cards = lambda downloads=False: drawing_models.CARDS
    public = Public() if "public" in sys.argv else None
    service = Service(Folder(sys.argv[2]), load=load, public=public)
    service.tabs = tuple(name for name in TABS if name in sys.argv) or service.tabs
    blocks = app.build(service)
    blocks.launch(server_port=int(sys.argv[1]), quiet=True, **app.launch_options(blocks))


if __name__ == "__main__":
    main()
