"""One pipeline for all callers: loaded when it is first needed, used by one at a time, freed when
idle."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from colorize_core.prompted.flux import Editor
from colorize_core.prompted.memory import TILED
from colorize_core.prompted.pipeline import Painter, load
from colorize_core.prompted.sources import Folders

IDLE = 300.0  # seconds


class PipelineCache:
    """`idle`: seconds after the last use until the memory is given back."""

    def __init__(self, idle: float = IDLE) -> None:
        self.idle = idle
        self._busy = threading.Lock()
        self._painter: Painter | Editor | None = None
        self._device = ""
        self._timer: threading.Timer | None = None

    @property
    def loaded(self) -> bool:
        return self._painter is not None

    @contextmanager
    def borrow(
        self, folders: Folders, device: str = "auto", pixels: int = TILED
    ) -> Iterator[Painter | Editor]:
        """The painter for these folders; waits while another has it. What is there already stays,
        only ControlNet and LoRA are exchanged. Raises what load() does."""
        with self._busy:
            self._stop_timer()
            try:
                yield self._load_fitting(folders, device, pixels)
            finally:
                if self._painter:
                    self._painter.release()
                    self._start_timer()

    def clear(self) -> None:
        """Free the memory now; waits while it is in use."""
        with self._busy:
            self._stop_timer()
            self._drop()

    def _load_fitting(self, folders: Folders, device: str, pixels: int) -> Painter | Editor:
        there = self._painter
        if there and (
            self._device != device
            or there.folders.base != folders.base
            or (folders.fast and there.folders.fast != folders.fast)
        ):
            self._drop()
        if self._painter is None:
            self._painter, self._device = load(folders, device, pixels), device
        self._painter.exchange_controlnet(folders.controlnet)
        self._painter.exchange_lora(folders.lora)
        return self._painter

    def _drop(self) -> None:
        there, self._painter = self._painter, None
        if there:
            device = there.device
            del there
            gc.collect()  # the pipelines and their parts refer to one another
            if device.type == "cuda":
                import torch

                torch.cuda.empty_cache()

    def _start_timer(self) -> None:
        timer = threading.Timer(self.idle, lambda: self._expire(timer))
        timer.daemon = True
        self._timer = timer
        timer.start()

    def _expire(self, timer: threading.Timer) -> None:
        with self._busy:
            if self._timer is timer:  # else it was borrowed again while this one waited
                self._timer = None
                self._drop()

    def _stop_timer(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
