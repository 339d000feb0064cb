"""python -m benchmarks.public_memory : the memory that strangers' photos cost an app open to them.

decode  The largest photos of the public profile (50 megapixels, or 64 MB where a format packs
        nothing), in every format and depth, each in a fresh process of the app's pool: its peak,
        and what of that is beside the process itself, in bytes a pixel.
app     `app.py --public` with all its processes, while one or two at once have 50 megapixels of 16
        bits coloured and written as TIFF: the peak of their proportional set sizes.
time    JPEG of 1 and 12 megapixels in this process and in the pool's: the shortest of several.

Needs the extra `test`, and Linux.
"""

from __future__ import annotations

import argparse
import io
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import tifffile
from gradio_client import Client, handle_file
from numpy.typing import NDArray
from PIL import Image
from skimage.data import astronaut

from benchmarks.decode import photo
from benchmarks.results_file import write
from colorize_core.imaging import image
from colorize_core.imaging.decoder_pool import DecoderPool
from tests.public_app import serving
from ui.server.limits import Public

Picture = NDArray[Any]
LARGEST = (6250, 8000)  # height and width: 50 megapixels
MIB = 1 << 20
RUNS = 9


def smooth(height: int, width: int) -> Picture:
    """Without grain, so that 16 bits fit into an upload."""
    return cv2.resize(astronaut(), (width, height), interpolation=cv2.INTER_CUBIC)


def by_pillow(format: str, mode: str = "RGB", **options: Any) -> Callable[[Picture], bytes]:
    def encode(picture: Picture) -> bytes:
        buffer = io.BytesIO()
        Image.fromarray(picture).convert(mode).save(buffer, format, **options)
        return buffer.getvalue()

    return encode


def by_opencv(suffix: str, alpha: bool = False) -> Callable[[Picture], bytes]:
    """16 bits, with low bytes like the high ones."""

    def encode(picture: Picture) -> bytes:
        if alpha:
            picture = np.dstack([picture, picture[..., :1]])
        return cv2.imencode(suffix, picture.astype(np.uint16) * 257)[1].tobytes()

    return encode


def by_tifffile(bits: int, **options: Any) -> Callable[[Picture], bytes]:
    def encode(picture: Picture) -> bytes:
        buffer = io.BytesIO()
        samples = picture if bits == 8 else picture.astype(np.uint16) * 257
        tifffile.imwrite(buffer, samples, photometric="rgb", **options)
        return buffer.getvalue()

    return encode


# what -> (height, width), how it is written
FILES: dict[str, tuple[tuple[int, int], Callable[[Picture], bytes]]] = {
    "JPEG": (LARGEST, by_pillow("JPEG")),
    "JPEG, progressive, no subsampling": (
        LARGEST,
        by_pillow("JPEG", progressive=True, subsampling=0),
    ),
    "JPEG, CMYK": (LARGEST, by_pillow("JPEG", "CMYK")),
    "PNG, 8 bits": (LARGEST, by_pillow("PNG", compress_level=1)),
    "PNG, 8 bits, alpha": (LARGEST, by_pillow("PNG", "RGBA", compress_level=1)),
    "PNG, 16 bits": (LARGEST, by_opencv(".png")),
    "PNG, 16 bits, alpha": (LARGEST, by_opencv(".png", alpha=True)),
    "WebP": (LARGEST, by_pillow("WEBP", method=0)),
    "WebP, lossless, alpha": (LARGEST, by_pillow("WEBP", "RGBA", lossless=True, method=0)),
    "TIFF, 8 bits, Deflate": (LARGEST, by_tifffile(8, compression="zlib", predictor=True)),
    "TIFF, 16 bits, Deflate": (LARGEST, by_tifffile(16, compression="zlib", predictor=True)),
    "GIF": (LARGEST, by_pillow("GIF")),
    "AVIF": (LARGEST, by_pillow("AVIF", speed=10)),
    "JPEG 2000, 8 bits": (LARGEST, by_pillow("JPEG2000", irreversible=True, quality_layers=[60])),
    "JPEG 2000, 16 bits": (LARGEST, by_opencv(".jp2")),
    "BMP": ((4000, 5000), by_pillow("BMP")),
    "TGA": ((4000, 5000), by_pillow("TGA")),
    "PNM, 16 bits": ((2500, 4000), by_opencv(".ppm")),
}


def measure_field(pid: int, name: str, file: str = "status") -> int:
    """Bytes, of a process that may have ended."""
    try:
        lines = Path(f"/proc/{pid}/{file}").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(name)), 0)


def wait_until_idle(pid: int) -> None:
    """Until it has imported what it needs, and sleeps."""
    sleeping = 0
    while sleeping < 10:
        time.sleep(0.1)
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        sleeping = sleeping + 1 if state == "S" else 0


def measure_decoding(folder: Path) -> Iterator[dict[str, Any]]:
    for what, ((height, width), encode) in FILES.items():
        path = folder / "photo"
        path.write_bytes(encode(smooth(height, width)))
        pool = DecoderPool(Public().budget)
        pool.start()
        pid = pool.list_pids()[0]
        wait_until_idle(pid)
        before = measure_field(pid, "VmRSS")
        begun = time.perf_counter()
        samples = pool.decode(path, what).pixels
        seconds = time.perf_counter() - begun
        peak, after = measure_field(pid, "VmHWM"), measure_field(pid, "VmRSS")
        yield {
            "what": "decode",
            "of": what,
            "megapixels": f"{height * width / 1e6:.0f}",
            "bits": samples.dtype.itemsize * 8,
            "file_mb": f"{path.stat().st_size / 1e6:.1f}",
            "seconds": f"{seconds:.2f}",
            "peak_mib": f"{peak / MIB:.0f}",
            "rest_mib": f"{after / MIB:.0f}",
            "bytes_a_pixel": f"{(peak - before) / (height * width):.1f}",
        }


def list_tree(root: int) -> list[int]:
    """A process and all that it has started."""
    parents = {}
    for place in Path("/proc").glob("[0-9]*"):
        try:
            fields = place.joinpath("stat").read_text().rpartition(")")[2].split()
        except OSError:  # it has ended meanwhile
            continue
        parents[int(place.name)] = int(fields[1])
    found = [root]
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return found


def measure_tree(root: int) -> int:
    return sum(measure_field(pid, "Pss:", "smaps_rollup") for pid in list_tree(root))


def measure_app(folder: Path, at_once: int) -> dict[str, Any]:
    path = folder / "photo.png"
    path.write_bytes(by_opencv(".png")(smooth(*LARGEST)))
    peak, done = 0, threading.Event()

    with serving(folder, "--no-auth") as served:

        def watch() -> None:
            nonlocal peak
            while not done.wait(0.1):
                peak = max(peak, measure_tree(served.process.pid))

        def ask(_: int) -> None:
            client = Client(served.url, verbose=False)
            client.predict(handle_file(path), format="TIFF, 16 bit", api_name="/colorize")

        watching = threading.Thread(target=watch)
        watching.start()
        begun = time.perf_counter()
        with ThreadPoolExecutor(at_once) as threads:
            list(threads.map(ask, range(at_once)))
        seconds = time.perf_counter() - begun
        rest = measure_tree(served.process.pid)
        done.set()
        watching.join()
    return {
        "what": "app",
        "of": f"{at_once} at once",
        "megapixels": 50,
        "bits": 16,
        "file_mb": f"{path.stat().st_size / 1e6:.1f}",
        "seconds": f"{seconds:.1f}",
        "peak_mib": f"{peak / MIB:.0f}",
        "rest_mib": f"{rest / MIB:.0f}",
    }


def measure_time(folder: Path) -> Iterator[dict[str, Any]]:
    pool = DecoderPool(Public().budget)
    for megapixels, (height, width) in {1: (800, 1250), 12: (3000, 4000)}.items():
        path = folder / "photo"
        path.write_bytes(by_pillow("JPEG", quality=95)(photo(height, width)))
        ways: dict[str, Callable[[], Any]] = {
            "JPEG, in this process": lambda path=path: image.read(path),
            "JPEG, in the pool's": lambda path=path: pool.decode(path, "photo"),
        }
        for of, read in ways.items():
            yield {
                "what": "time",
                "of": of,
                "megapixels": megapixels,
                "bits": 8,
                "file_mb": f"{path.stat().st_size / 1e6:.1f}",
                "seconds": f"{min(measure_seconds(read) for _ in range(RUNS)):.4f}",
            }


def measure_seconds(function: Callable[[], Any]) -> float:
    begun = time.perf_counter()
    function()
    return time.perf_counter() - begun


def main() -> None:
    argparse.ArgumentParser(description=__doc__.partition("\n")[0]).parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = [*measure_decoding(folder), *(measure_app(folder, n) for n in (1, 2))]
        rows += measure_time(folder)
    print(write("public_memory", rows))


if __name__ == "__main__":
    main()
