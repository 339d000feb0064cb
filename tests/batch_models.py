"""A stand-in for a model in other processes: it colours at once, and some photos are its end."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from colorize_core.errors import WeightsError

DEADLY, DEADLY_ONCE, SLOW, CRASHING = 1, 2, 3, 4  # gray of the first pixel
ONCE = "BATCH_MODEL_ONCE"  # variable with the path of a file that DEADLY_ONCE makes


class Tinted:
    device = "cpu"
    predict_ab: Any = None

    def predict(self, pixels: np.ndarray, **_: Any) -> SimpleNamespace:
        kind = int(pixels[0, 0, 0])
        if kind == DEADLY or (kind == DEADLY_ONCE and not Path(os.environ[ONCE]).exists()):
            if kind == DEADLY_ONCE:
                Path(os.environ[ONCE]).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        if kind == SLOW:
            time.sleep(60)
        if kind == CRASHING:
            os._exit(3)
        spread = np.full((4, 4), pixels.mean() / 10, np.float32)
        spread[2:] = 1000.0  # padding
        return SimpleNamespace(tint=None, spread=spread, cells=(1.5, 4.0))

    def render(self, pixels: np.ndarray, prediction: Any, **_: Any) -> np.ndarray:
        made = pixels.copy()
        made[..., 1:] //= 2
        return made


def load(name: str, device: str) -> Tinted:
    return Tinted()


def load_slow(name: str, device: str) -> Tinted:
    """One whose pictures take 5 ms more."""

    class Slow(Tinted):
        def predict(self, pixels: np.ndarray, **_: Any) -> SimpleNamespace:
            time.sleep(0.005)
            return super().predict(pixels)

    return Slow()


def refuse(name: str, device: str) -> Tinted:
    raise WeightsError("The weights are damaged.")


def die(name: str, device: str) -> Tinted:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def tell_cores(name: str, device: str) -> Tinted:
    import torch

    raise WeightsError(f"{torch.get_num_threads()} {os.environ['OPENBLAS_NUM_THREADS']}")
