"""python -m benchmarks.decode : Pillow, OpenCV and pyvips on large files, beside our own image.py.

Bytes -> RGB array and back, of 12- and 100-megapixel JPEG (quality 95, 4:2:0) and PNG. Every
measurement has a process of its own: the shortest of several runs, and the peak memory of the first
one above what the process held before it (the file's bytes, or the array to encode).

Needs scikit-image, `pip install "pyvips[binary]"`, and Linux for the peak memory.
"""

from __future__ import annotations

import argparse
import io
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from colorize_core.imaging import image

Picture = NDArray[Any]
SIZES = {"12 MP": (3000, 4000), "100 MP": (8334, 12000)}
RUNS = {"12 MP": 7, "100 MP": 3}
PACKAGES = {"Pillow": "pillow", "OpenCV": "opencv-python", "pyvips": "pyvips", "image.py": ""}


def photo(height: int, width: int) -> Picture:
    """scikit-image's astronaut (NASA) enlarged, with grain as a real photo has it."""
    from skimage.data import astronaut

    large = cv2.resize(astronaut(), (width, height), interpolation=cv2.INTER_CUBIC)
    grain = np.empty(large.shape, np.int8)
    cv2.setRNGSeed(0)
    cv2.randn(grain, 0, 4)
    picture: Picture = cv2.add(large, grain, dtype=cv2.CV_8U)
    return picture


def pillow(format: str) -> tuple[Callable[[bytes], Picture], Callable[[Picture], bytes]]:
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = None
    options = {"JPEG": {"quality": 95, "subsampling": 2}, "PNG": {}}[format]

    def decode(data: bytes) -> Picture:
        return np.asarray(Image.open(io.BytesIO(data)))

    def encode(picture: Picture) -> bytes:
        buffer = io.BytesIO()
        Image.fromarray(picture).save(buffer, format, **options)
        return buffer.getvalue()

    return decode, encode


def opencv(format: str) -> tuple[Callable[[bytes], Picture], Callable[[Picture], bytes]]:
    options = {"JPEG": [cv2.IMWRITE_JPEG_QUALITY, 95], "PNG": []}[format]

    def decode(data: bytes) -> Picture:
        picture: Any = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)
        return picture

    def encode(picture: Picture) -> bytes:
        bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
        return bytes(cv2.imencode(f".{format.lower()}", bgr, options)[1])

    return decode, encode


def vips(format: str) -> tuple[Callable[[bytes], Picture], Callable[[Picture], bytes]]:
    import pyvips  # type: ignore[import-untyped]

    options = {"JPEG": "[Q=95,subsample-mode=on]", "PNG": ""}[format]

    def decode(data: bytes) -> Picture:
        picture: Picture = pyvips.Image.new_from_buffer(data, "").numpy()
        return picture

    def encode(picture: Picture) -> bytes:
        source = pyvips.Image.new_from_array(picture)
        return bytes(source.write_to_buffer(f".{format.lower()}{options}"))

    return decode, encode


def ours(format: str) -> tuple[Callable[[bytes], Picture], Callable[[Picture], bytes]]:
    def encode(picture: Picture) -> bytes:
        return image.encode(image.Photo(picture, None, image.Metadata(), format), format)

    return lambda data: image.decode(data).pixels, encode


LIBRARIES = {"Pillow": pillow, "OpenCV": opencv, "pyvips": vips, "image.py": ours}


def memory(field: str) -> float:
    """VmRSS (held now) or VmHWM (the peak) of this process in MiB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) / 1024
    raise OSError(f"/proc/self/status has no {field}")


def measure(library: str, what: str, path: Path, runs: int) -> dict[str, float]:
    """Seconds and MiB of one library doing one thing; this runs in a process of its own."""
    decode, encode = LIBRARIES[library](path.suffix[1:].upper())
    decode(encode(np.zeros((64, 64, 3), np.uint8)))  # what is loaded on first use
    given: Any = np.load(path.with_suffix(".npy")) if what == "encode" else path.read_bytes()
    function: Callable[[Any], Any] = encode if what == "encode" else decode
    Path("/proc/self/clear_refs").write_text("5")  # the peak so far is forgotten
    before = memory("VmRSS")
    seconds = []
    for run in range(runs):
        start = time.perf_counter()
        result = function(given)
        seconds.append(time.perf_counter() - start)
        if run == 0:
            peak = memory("VmHWM") - before
        size = len(result)
        del result
    return {"seconds": min(seconds), "peak": peak, "size": size}


def measured_apart(library: str, what: str, path: Path, runs: int) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.decode", "--one", library, what, str(path)]
    done = subprocess.run(
        [*command, str(runs)],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[1],
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def compare(what: str, path: Path, size: str, format: str) -> list[dict[str, Any]]:
    found = {name: measured_apart(name, what, path, RUNS[size]) for name in LIBRARIES}
    fastest = min(result["seconds"] for result in found.values())
    height, width = SIZES[size]
    return [
        {
            "what": what,
            "file": f"{size} {format}",
            "library": name,
            "version": version(PACKAGES[name]) if PACKAGES[name] else "this commit",
            "seconds": f"{result['seconds']:.3f}",
            "to_fastest": f"{result['seconds'] / fastest:.2f}",
            "peak_mib": f"{result['peak']:.0f}",
            "peak_to_decoded": f"{result['peak'] * (1 << 20) / (height * width * 3):.2f}",
            "mb_written": f"{result['size'] / 1e6:.2f}" if what == "encode" else "",
        }
        for name, result in found.items()
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--one", nargs=4, metavar=("LIBRARY", "WHAT", "FILE", "RUNS"))
    one = parser.parse_args().one
    if one:
        print(json.dumps(measure(one[0], one[1], Path(one[2]), int(one[3]))))
        return
    from benchmarks.results_file import write

    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        for size, (height, width) in SIZES.items():
            picture = photo(height, width)
            for format in ("JPEG", "PNG"):
                path = Path(folder, f"{size}.{format.lower()}")
                path.write_bytes(opencv(format)[1](picture))
                np.save(path.with_suffix(".npy"), picture)
                for what in ("decode", "encode"):
                    rows += compare(what, path, size, format)
    print(write("decode", rows))


if __name__ == "__main__":
    main()
