"""python -m benchmarks.speed : speed and memory as ratios to work timed beside it.

large-photo   12-megapixel JPEG bytes in, JPEG bytes out, against JPEG decode and encode and one
              float Lab round trip by OpenCV
ddcolor-tiny  the same photo through DDColor-tiny's own pipeline (random weights: they do not change
              its speed), with --ddcolor DIR, a clone of github.com/piddnad/DDColor
memory        peak memory of a 100-megapixel photo above idle, against its decoded size
folder        1,000 small photos through the command line's batch code, against the bare network
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

import colorize_core
from benchmarks.options import make_parser
from benchmarks.results_file import write
from colorize_core.imaging import image

MEBIBYTE = 1 << 20


def photo(height: int, width: int, colour: bool = False) -> NDArray[np.uint8]:
    """A picture with detail and grain at any size, made from scikit-image's astronaut (NASA)."""
    from skimage.data import astronaut

    source = astronaut() if colour else cv2.cvtColor(astronaut(), cv2.COLOR_RGB2GRAY)
    large = cv2.resize(source, (width, height), interpolation=cv2.INTER_CUBIC)
    grain = np.empty(large.shape, np.int8)
    cv2.randn(grain, 0, 4)
    return cv2.add(large, grain, dtype=cv2.CV_8U)


def jpeg(picture: NDArray[np.uint8]) -> bytes:
    bgr = picture if picture.ndim == 2 else cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    return cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()


def paired(
    first: Callable[[], Any], second: Callable[[], Any], runs: int, warm_ups: int = 1
) -> tuple[list[float], list[float]]:
    """Seconds of both, run in turn after the warm-ups."""
    seconds: tuple[list[float], list[float]] = ([], [])
    for run in range(warm_ups + runs):
        for function, into in zip((first, second), seconds, strict=True):
            start = time.perf_counter()
            function()
            if run >= warm_ups:
                into.append(time.perf_counter() - start)
    return seconds


def row(what: str, ours: list[float], theirs: list[float], against: str) -> dict[str, Any]:
    ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
    return {
        "what": what,
        "ours": f"{statistics.median(ours):.3f} s",
        "against": against,
        "theirs": f"{statistics.median(theirs):.3f} s",
        "ratio": f"{statistics.median(ratios):.3f}",
        "ratio_low": f"{min(ratios):.3f}",
        "ratio_high": f"{max(ratios):.3f}",
        "runs": len(ours),
    }


def ours_on(data: bytes) -> Callable[[], bytes]:
    model = colorize_core.load("autochrome", "cpu")

    def run() -> bytes:
        result = image.decode(data)
        result = result.with_pixels(model.colorize(result.pixels))  # the gray one may go
        return image.encode(result, "JPEG")

    return run


def opencv_round_trip(data: bytes) -> None:
    bgr = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    lab = cv2.cvtColor(bgr.astype(np.float32) / 255, cv2.COLOR_BGR2Lab)
    back = (cv2.cvtColor(lab, cv2.COLOR_Lab2BGR) * 255 + 0.5).astype(np.uint8)
    cv2.imencode(".jpg", back, [cv2.IMWRITE_JPEG_QUALITY, 95])


def large_photo(runs: int) -> list[dict[str, Any]]:
    rows = []
    for kind in ("gray", "colour"):
        data = jpeg(photo(3000, 4000, kind == "colour"))
        times = paired(ours_on(data), lambda data=data: opencv_round_trip(data), runs)
        rows.append(row(f"large-photo {kind}", *times, "OpenCV JPEG and float Lab round trip"))
    return rows


def ddcolor(folder: Path, runs: int) -> list[dict[str, Any]]:
    sys.path.insert(0, str(folder))
    from ddcolor import ColorizationPipeline, DDColor

    network = DDColor(
        encoder_name="convnext-t",
        decoder_name="MultiScaleColorDecoder",
        input_size=[512, 512],
        num_output_channels=2,
        last_norm="Spectral",
        num_queries=100,
        num_scales=3,
        dec_layers=9,
    ).eval()
    pipeline = ColorizationPipeline(network, input_size=512)
    data = jpeg(photo(3000, 4000))

    def theirs() -> None:
        bgr = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        cv2.imencode(".jpg", pipeline.process(bgr), [cv2.IMWRITE_JPEG_QUALITY, 95])

    return [row("ddcolor-tiny", *paired(ours_on(data), theirs, runs), "DDColor-tiny pipeline")]


def memory(runs: int) -> list[dict[str, Any]]:
    """In a process of its own, because peak memory never falls again."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "large.jpg"
        path.write_bytes(jpeg(photo(10000, 10000)))
        command = [sys.executable, "-m", "benchmarks.speed", "--peak-of", str(path)]
        lines = [
            subprocess.run(command, capture_output=True, text=True, check=True).stdout
            for _ in range(runs)
        ]
    peaks = [float(line.split()[-1]) for line in lines]
    decoded = 10000 * 10000 * 3 / MEBIBYTE
    ratios = [peak / decoded for peak in peaks]
    return [
        {
            "what": "memory 100 megapixels",
            "ours": f"{statistics.median(peaks):.0f} MiB above idle",
            "against": "the decoded photo",
            "theirs": f"{decoded:.0f} MiB",
            "ratio": f"{statistics.median(ratios):.3f}",
            "ratio_low": f"{min(ratios):.3f}",
            "ratio_high": f"{max(ratios):.3f}",
            "runs": runs,
        }
    ]


def peak_of(path: Path) -> None:
    """Print the peak of one large photo in MiB above the memory in use after a small one."""
    ours_on(jpeg(photo(300, 400)))()
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak of the start
    idle = _status("VmRSS")
    ours_on(path.read_bytes())()
    print((_status("VmHWM") - idle) / 1024)


def _status(name: str) -> int:
    """A line of Linux's account of this process, in KiB; unlike getrusage's peak it does not count
    what the parent process had in use."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name))


def folder_of_photos(runs: int, count: int = 1000) -> list[dict[str, Any]]:
    """Small JPEG files to JPEG files, against the network alone on ready tensors, as often."""
    from colorize_core.batch import runner

    model: Any = colorize_core.load("autochrome", "cpu")
    small = photo(240, 320)
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "in"
        source.mkdir()
        for number in range(count):
            (source / f"{number:04}.jpg").write_bytes(jpeg(np.roll(small, number, axis=1)))

        def ours() -> None:
            with tempfile.TemporaryDirectory() as out:
                found = runner.find([str(source)], Path(out))
                jobs = runner.plan(found.photos, found.base, Path(out))
                results = runner.run(jobs, runner.BatchOptions(), load_model=lambda *_: model)
                assert all(result.status == "done" for result in results)

        # A thousand photos are their own warm-up.
        seconds = paired(ours, bare_network(model, small, count), runs, warm_ups=0)
    return [row(f"folder of {count} photos", *seconds, "the bare network")]


def bare_network(model: Any, gray: NDArray[np.uint8], count: int) -> Callable[[], None]:
    """The network's own work for `count` such photos, its input ready."""
    inputs: list[Any] = []

    def spy(network: Any, lightness: Any, hints: Any) -> Any:
        inputs.append((network, lightness, hints))
        return predict_ab(network, lightness, hints)

    predict_ab, model.predict_ab = model.predict_ab, spy
    model.predict(np.repeat(gray[..., None], 3, axis=2))
    model.predict_ab = predict_ab

    def run() -> None:
        with torch.inference_mode():
            for _ in range(count):
                predict_ab(*inputs[0])(1.0)

    return run


def main() -> None:
    parser = make_parser(__doc__, runs=7)
    parser.add_argument("--ddcolor", type=Path, metavar="DIR")
    parser.add_argument("--peak-of", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.peak_of:
        peak_of(arguments.peak_of)
        return
    rows = large_photo(arguments.runs)
    if arguments.ddcolor:
        rows += ddcolor(arguments.ddcolor, min(arguments.runs, 3))
    rows += memory(min(arguments.runs, 3))
    rows += folder_of_photos(1 + arguments.runs // 10)
    write("speed", rows)


if __name__ == "__main__":
    main()
