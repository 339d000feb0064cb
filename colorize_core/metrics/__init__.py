"""Scores of pictures, each in a file of its own, under the names that tables and files use.

>>> from colorize_core import metrics
>>> metrics.score("ciede2000", picture, truth)

Importing this loads no torch; a metric's own module is imported when it is asked for.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from colorize_core.errors import OptionError
from colorize_core.metrics.lpips import NETS

__all__ = ["METRICS", "Metric", "fetch", "find", "prepare", "score"]


@dataclass(frozen=True)
class Metric:
    """One score of one picture. `function` is where it is, below this package."""

    name: str  # as in the heads of columns
    title: str  # for people
    better: Literal["higher", "lower", "nearer 0"] | None  # None: neither, by itself
    meaning: str  # one line
    function: str
    needs_truth: bool = True
    network: bool = False  # it asks one, and so takes a device
    download: str = ""  # in the catalogue: of weights that do not ship with the repository
    detail: bool = False  # one channel's part, shown apart from the others


# Of a and of b, each: name, title, direction, meaning, function. See ab_channels.
OF_CHANNELS: tuple[tuple[str, str, Literal["higher", "lower"], str, str], ...] = (
    ("r2", "R²", "higher", "share of the truth's variance in {} that is met", "r2"),
    (
        "explained-variance",
        "Explained variance",
        "higher",
        "R² of {} that forgives a cast over all of it",
        "explained_variance",
    ),
    ("mae", "Mean absolute error", "lower", "of {}, which is in [-1, 1]", "mean_absolute_error"),
    (
        "median-ae",
        "Median absolute error",
        "lower",
        "of {}, which is in [-1, 1]; blind to the worse half",
        "median_absolute_error",
    ),
    ("mse", "Mean squared error", "lower", "of {}, which is in [-1, 1]", "mean_squared_error"),
)


def _of_channel(
    channel: str,
    name: str,
    title: str,
    better: Literal["higher", "lower"],
    meaning: str,
    function: str,
) -> Metric:
    """That of a or of b of CIELAB alone, beside the one over red, green and blue."""
    return Metric(
        f"{name}-{channel}",
        f"{title} of {channel}",
        better,
        meaning.format(channel),
        f"ab_channels.{function}_{channel}",
        detail=True,
    )


METRICS = (
    Metric(
        "psnr",
        "PSNR",
        "higher",
        "peak signal-to-noise ratio of sRGB in dB; rewards timid colours",
        "psnr.psnr",
    ),
    Metric(
        "ssim",
        "SSIM",
        "higher",
        "how alike local structure is, channel by channel; mostly blind to hue",
        "ssim.ssim",
    ),
    Metric("ms-ssim", "MS-SSIM", "higher", "SSIM on five scales", "ms_ssim.ms_ssim"),
    Metric(
        "ciede2000",
        "CIEDE2000",
        "lower",
        "mean colour difference; about 1 is just noticeable",
        "ciede2000.ciede2000",
    ),
    Metric(
        "flip",
        "FLIP",
        "lower",
        "what is seen when picture and truth alternate on a screen, 0 to 1",
        "flip.flip",
    ),
    Metric(
        "lpips-alex",
        "LPIPS (AlexNet)",
        "lower",
        "how differently AlexNet sees them, fitted to people's answers",
        "lpips.lpips_alex",
        network=True,
        download=NETS["alex"],
    ),
    Metric(
        "lpips-vgg",
        "LPIPS (VGG-16)",
        "lower",
        "how differently VGG-16 sees them, fitted to people's answers",
        "lpips.lpips_vgg",
        network=True,
        download=NETS["vgg"],
    ),
    Metric(
        "lpips-squeeze",
        "LPIPS (SqueezeNet)",
        "lower",
        "how differently SqueezeNet sees them, fitted to people's answers",
        "lpips.lpips_squeeze",
        network=True,
        download=NETS["squeeze"],
    ),
    Metric(
        "lpips-vgg-unscaled",
        "LPIPS (VGG-16, unscaled)",
        "lower",
        "LPIPS fed [0, 1] instead of [-1, 1]: compares with numbers taken so, and with no others",
        "lpips.lpips_vgg_unscaled",
        network=True,
        download=NETS["vgg"],
    ),
    Metric(
        "perceptual-offline",
        "Perceptual (bundled trunk)",
        "lower",
        "how differently the bundled trunk sees them; not LPIPS",
        "perceptual_offline.perceptual_offline",
        network=True,
    ),
    Metric(
        "colourfulness",
        "Colourfulness",
        None,
        "of the picture alone: 0 is gray, 33 average, 109 extreme; artefacts raise it",
        "colourfulness.colourfulness",
        needs_truth=False,
    ),
    Metric(
        "colourfulness-difference",
        "Colourfulness difference",
        "nearer 0",
        "the picture's less the truth's: below 0 is too timid",
        "colourfulness.colourfulness_difference",
    ),
    Metric(
        "mean-chroma",
        "Mean chroma",
        None,
        "of the picture alone: mean distance from gray in Lab",
        "mean_chroma.mean_chroma",
        needs_truth=False,
    ),
    Metric(
        "r2",
        "R²",
        "higher",
        "share of the truth's variance that is met, mean over red, green and blue",
        "r2.r2",
    ),
    Metric(
        "explained-variance",
        "Explained variance",
        "higher",
        "R² that forgives a wrong mean level of a channel",
        "explained_variance.explained_variance",
    ),
    Metric(
        "mae",
        "Mean absolute error",
        "lower",
        "of sRGB in [0, 1]",
        "mean_absolute_error.mean_absolute_error",
    ),
    Metric(
        "median-ae",
        "Median absolute error",
        "lower",
        "of sRGB in [0, 1]; blind to the worse half",
        "median_absolute_error.median_absolute_error",
    ),
    Metric(
        "mse",
        "Mean squared error",
        "lower",
        "of sRGB in [0, 1]",
        "mean_squared_error.mean_squared_error",
    ),
    *(_of_channel(channel, *each) for each in OF_CHANNELS for channel in "ab"),
)


def find(name: str) -> Metric:
    """The metric of that name. Raises OptionError."""
    for metric in METRICS:
        if metric.name == name:
            return metric
    known = ", ".join(metric.name for metric in METRICS)
    raise OptionError(f"There is no metric {name!r}. The metrics are: {known}.")


def score(
    name: str,
    picture: NDArray[np.uint8],
    truth: NDArray[np.uint8] | None = None,
    *,
    device: str = "cpu",
) -> float:
    """One metric of a picture, sRGB (H, W, 3) uint8, against the truth of the same size. Metrics
    without a reference take no notice of the truth, those without a network none of the device.

    NaN where the metric is not defined (R2 of a truth of one level). Raises OptionError for an
    unknown name, a picture that does not fit, or a missing truth; WeightsError, DeviceError.
    """
    metric = find(name)
    pictures = [picture]
    if metric.needs_truth:
        if truth is None:
            raise OptionError(f"{name} compares with a true picture, and none was given.")
        pictures.append(truth)
    _check(name, pictures)
    options = {"device": device} if metric.network else {}
    return float(_import_function(metric.function)(*pictures, **options))


def fetch(
    name: str,
    report: Callable[[int, int], None] | None = None,
    stop: threading.Event | None = None,
) -> None:
    """Download the trunk of a metric, if it has one that is not here. `report` gets the bytes so
    far and those of all. Raises OptionError, WeightsError, or Cancelled soon after `stop` is set.
    """
    from colorize_core.metrics import trunks

    metric = find(name)
    if metric.download:
        trunks.fetch(metric.download, f"The trunk of {metric.title}", report, stop)


def prepare(name: str, device: str = "cpu") -> None:
    """Have the network of a metric loaded, which may download its trunk (a progress bar goes to
    stderr). Raises OptionError, WeightsError or DeviceError; nothing to do for most metrics."""
    if find(name).network:
        blank = np.zeros((64, 64, 3), np.uint8)
        score(name, blank, blank, device=device)


def _import_function(path: str) -> Any:
    module, _, function = path.partition(".")
    return getattr(import_module(f"{__name__}.{module}"), function)


def _check(name: str, pictures: list[NDArray[np.uint8]]) -> None:
    for each in pictures:
        if each.dtype != np.uint8 or each.ndim != 3 or each.shape[2] != 3 or 0 in each.shape:
            raise OptionError(
                f"{name} takes (height, width, 3) arrays of uint8 sRGB values; this is "
                f"{each.dtype} of shape {each.shape}."
            )
    if pictures[0].shape != pictures[-1].shape:
        raise OptionError(
            f"{name} compares pictures of one size; these are {pictures[0].shape[1::-1]} and "
            f"{pictures[-1].shape[1::-1]}, width by height."
        )
