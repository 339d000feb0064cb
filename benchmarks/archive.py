"""python -m benchmarks.archive : what `batch` makes of the cores, and what it needs.

speed     photos of 2 megapixels through `autochrome`, by one process and by one a core in turn.
          ratio: photos a second against those of one process times the number of processes
          (1 would be perfect), once all have loaded the model and while there is work for all.
          Other programs on the machine take from it; from these much less:
          busy: the share of their time in which the processes work on a photo, and do not wait to
          be told of one. processor: seconds that all processes together compute, a photo.
          ratio by processor: of these, times that of busy
memory    of the processes at their peak, in the same runs, and of the one that hands out
many      --many N: so many tiny pictures with a stand-in that has no network, to see that neither
          memory nor speed depend on how many there are, and what a second run costs that finds all
          of them done. parent processor: seconds a photo of the process that hands out
batches   --batches N: the network of autochrome alone, on one core or the GPU, photos one by one
          and in batches of N in turn. ratio: seconds a photo in batches against one by one

Linux alone. Rows that are not measured this time stay.
"""

from __future__ import annotations

import hashlib
import io
import os
import statistics
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.options import make_parser
from benchmarks.results_file import read, write
from colorize_core.batch import runner
from colorize_core.batch.manifest import Manifest
from colorize_core.batch.processes import AHEAD, Processes, count_cores

SIZE = (1224, 1632)  # 2 megapixels
TICKS = os.sysconf("SC_CLK_TCK")
PER_FOLDER = 500


class StandIn:
    """Takes from green and blue; has no network."""

    device = "cpu"

    def predict(self, pixels: Any, **_: Any) -> SimpleNamespace:
        return SimpleNamespace(tint=None, spread=np.ones((1, 1)), cells=(1.0, 1.0))

    def render(self, pixels: Any, prediction: Any, **_: Any) -> Any:
        return np.stack([pixels[..., 0], pixels[..., 1] // 2, pixels[..., 2] // 2], -1)


def load_stand_in(name: str, device: str) -> StandIn:
    return StandIn()


def make_photo(shift: int) -> Image.Image:
    """A gray picture of SIZE with detail and grain, from scikit-image's astronaut (NASA). No torch
    is loaded for it, which the memory of this process would show."""
    from skimage.data import astronaut

    large = np.asarray(Image.fromarray(astronaut()).convert("L").resize(SIZE[::-1]))
    grain = np.random.default_rng(shift).normal(0, 4, SIZE)
    return Image.fromarray(np.roll(np.clip(large + grain, 0, 255).astype(np.uint8), shift, 1))


def jpeg(picture: Image.Image) -> bytes:
    made = io.BytesIO()
    picture.save(made, "JPEG", quality=95)
    return made.getvalue()


def read_memory(pid: int, what: str = "VmHWM") -> float:
    """MB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{what}:"):
            return int(line.split()[1]) / 1e3
    raise ValueError(what)


def read_processor(pid: int) -> float:
    """Seconds that the process has computed."""
    cells = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(cells[11]) + int(cells[12])) / TICKS


def plan(source: Path, out: Path) -> tuple[list[runner.Job], Manifest]:
    manifest = Manifest(out)
    found = runner.find([source], out, manifest.results())
    return runner.plan(found.photos, found.base, out), manifest


def run_steady(source: Path, out: Path, count: int) -> dict[str, float]:
    """One run by so many processes, measured while all of them are warm and have work. Of photos
    that are worked on at the beginning or the end of that time their part within it counts."""
    jobs, manifest = plan(source, out)
    settings = runner.BatchOptions()
    heard: list[tuple[float, float]] = []  # when a photo was done, and seconds of work on it
    with Processes(settings, count, device="cpu") as engine:
        engine.start()
        pids = engine.list_pids()
        everyone = (*pids, os.getpid())
        for result in runner.run(jobs, settings, manifest, engine=engine):
            assert result.status == "done", result.error
            heard.append((time.perf_counter(), result.seconds))
            if len(heard) == 2 * count:
                begun = heard[-1][0]
                before = sum(map(read_processor, everyone))
            if len(heard) == len(jobs) - AHEAD * count:
                ended = heard[-1][0]
                computed = sum(map(read_processor, everyone)) - before
        worker = max(map(read_memory, pids))
    photos, worked = count_within(heard, begun, ended)
    return {
        "rate": photos / (ended - begun),
        "busy": worked / (ended - begun) / count,
        "processor": computed / photos,
        "worker": worker,
    }


def count_within(
    heard: list[tuple[float, float]], begun: float, ended: float
) -> tuple[float, float]:
    """Photos, and seconds of work on them, between two times. `heard`: of each photo when it was
    done and how many seconds that had taken."""
    parts = [
        (max(0.0, min(end, ended) - max(end - seconds, begun)), seconds) for end, seconds in heard
    ]
    return sum(part / seconds for part, seconds in parts), sum(part for part, _ in parts)


def run_all(source: Path, out: Path, count: int) -> dict[str, float]:
    """One run with the stand-in from beginning to end."""
    begun, computed = time.perf_counter(), time.process_time()
    jobs, manifest = plan(source, out)
    told = {"listed": time.perf_counter() - begun}
    settings = runner.BatchOptions()
    with Processes(settings, count, device="cpu", load_model=load_stand_in) as engine:
        for number, result in enumerate(runner.run(jobs, settings, manifest, engine=engine), 1):
            assert result.status in ("done", "skipped"), result.error
            when = "early" if number <= len(jobs) // 10 else "late"
            if number % max(1, len(jobs) // 100) == 0:
                workers = [read_memory(pid, "VmRSS") for pid in engine.list_pids()]
                told[f"workers_{when}"] = max(workers, default=0.0)
                told[f"parent_{when}"] = read_memory(os.getpid(), "VmRSS")
    told["seconds"] = time.perf_counter() - begun
    told["parent_processor"] = (time.process_time() - computed) / len(jobs)
    return told


def measure_speed(photos: int, rounds: int) -> list[dict[str, Any]]:
    cores = count_cores()
    found: dict[int, list[dict[str, float]]] = {1: [], cores: []}
    ratios, loads = [], []
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "in")
        source.mkdir()
        for number in range(photos):
            (source / f"{number:03}.jpg").write_bytes(jpeg(make_photo(number * 31)))
        for each in range(rounds):
            for count, runs in found.items():
                runs.append(run_steady(source, Path(folder, f"out-{each}-{count}"), count))
                print(count, runs[-1], os.getloadavg(), flush=True)
            loads.append(os.getloadavg()[0])
            ratios.append(found[cores][-1]["rate"] / found[1][-1]["rate"] / cores)
        assert hash_all(Path(folder, "out-0-1")) == hash_all(Path(folder, f"out-0-{cores}"))
    rows = [
        {
            "what": f"speed, {photos} photos of 2 megapixels",
            "processes": count,
            "n": rounds,
            "rate": median(runs, "rate", 3),
            "busy": median(runs, "busy", 3),
            "processor": median(runs, "processor", 3),
            "worker_mb": f"{max(each['worker'] for each in runs):.0f}",
        }
        for count, runs in found.items()
    ]
    rows[1]["ratio"] = f"{statistics.median(ratios):.3f}"
    rows[1]["ratios"] = " ".join(f"{ratio:.3f}" for ratio in ratios)
    one, all_cores = ([each["busy"] / each["processor"] for each in found[n]] for n in (1, cores))
    shares = [second / first for first, second in zip(one, all_cores, strict=True)]
    rows[1]["ratio_by_processor"] = f"{statistics.median(shares):.3f}"
    rows[1]["load"] = " ".join(f"{load:.1f}" for load in loads)
    return rows


def median(runs: list[dict[str, float]], name: str, digits: int) -> str:
    return f"{statistics.median(each[name] for each in runs):.{digits}f}"


def hash_all(out: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(out.rglob("*.jpg")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def measure_many(count: int) -> list[dict[str, Any]]:
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        source, out = Path(folder, "in"), Path(folder, "out")
        for number in range(count):
            path = source / f"{number // PER_FOLDER:04}" / f"{number:07}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(jpeg(Image.fromarray(rng.integers(0, 256, (48, 64), np.uint8))))
        rows = []
        for what in ("tiny pictures", "tiny pictures, all done before"):
            told = run_all(source, out, count_cores())
            print(told, os.getloadavg(), flush=True)
            rows.append(
                {
                    "what": what,
                    "processes": count_cores(),
                    "n": count,
                    "rate": f"{count / told['seconds']:.1f}",
                    "seconds": f"{told['seconds']:.1f}",
                    "listed": f"{told['listed']:.2f}",
                    "parent_processor": f"{told['parent_processor']:.5f}",
                    "parent_early_mb": f"{told['parent_early']:.0f}",
                    "parent_mb": f"{told['parent_late']:.0f}",
                    "worker_early_mb": f"{told['workers_early']:.0f}",
                    "worker_mb": f"{told['workers_late']:.0f}",
                }
            )
    return rows


def measure_batches(size: int, rounds: int, device: str) -> list[dict[str, Any]]:
    import torch

    from colorize_core.models.registry import load

    torch.set_num_threads(1)
    colorizer = load("autochrome", device)
    side = colorizer.card.network_side
    lightness = 100 * torch.rand(size, 1, side, 3 * side // 4 // 32 * 32, device=colorizer.device)
    hints = torch.zeros_like(lightness).repeat(1, 3, 1, 1)
    found: dict[int, list[float]] = {1: [], size: []}
    with torch.inference_mode():
        for each in range(rounds + 1):  # the first warms up
            for count, seconds in found.items():
                begun = time.perf_counter()
                for start in range(0, size, count):
                    part = slice(start, start + count)
                    colorizer.predict_ab(colorizer.network, lightness[part], hints[part])
                if colorizer.device.startswith("cuda"):
                    torch.cuda.synchronize()
                if each:
                    seconds.append((time.perf_counter() - begun) / size)
    ratios = [second / first for first, second in zip(found[1], found[size], strict=True)]
    rows = [
        {
            "what": f"network on {colorizer.device}, batches of {count}",
            "n": rounds,
            "seconds": f"{statistics.median(seconds):.4f}",
        }
        for count, seconds in found.items()
    ]
    rows[1]["ratio"] = f"{statistics.median(ratios):.3f}"
    rows[1]["ratios"] = " ".join(f"{ratio:.3f}" for ratio in ratios)
    rows[1]["load"] = f"{os.getloadavg()[0]:.1f}"
    return rows


COLUMNS = (
    *(
        "what",
        "processes",
        "n",
        "rate",
        "seconds",
        "ratio",
        "ratios",
        "load",
        "ratio_by_processor",
        "busy",
        "processor",
    ),
    *("listed", "parent_processor", "parent_early_mb", "parent_mb", "worker_early_mb", "worker_mb"),
)


def main() -> None:
    parser = make_parser(__doc__)
    parser.add_argument("--photos", type=int, default=24)
    parser.add_argument("--rounds", type=int, default=3, help="0: no speed")
    parser.add_argument("--many", type=int, default=0)
    parser.add_argument("--batches", type=int, default=0)
    parser.add_argument("--device", default="cpu", help="of --batches")
    options = parser.parse_args()
    rows = measure_speed(options.photos, options.rounds) if options.rounds else []
    rows += measure_many(options.many) if options.many else []
    if options.batches:
        rows += measure_batches(options.batches, options.rounds or 5, options.device)
    new = {row["what"].split(",")[0] for row in rows}
    others = [row for row in read("archive") if row["what"].split(",")[0] not in new]
    write("archive", [dict.fromkeys(COLUMNS, "") | row for row in rows], others)


if __name__ == "__main__":
    main()
