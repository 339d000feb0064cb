"""python -m benchmarks.ray_faults : an archive on a Ray cluster whose parts end.

Two nodes of one core each, as two raylets on this machine, colour photos by `autochrome` with
`--engine ray`, and the local engine with two processes colours the same ones.

faults    a process is killed, a node, the program that asks, the disk is full, a photo cannot be
          read and one ends its process. done, failed: rows of the list of photos. doubled: outputs
          with more than one row, and photos that were told more than once. missing: photos without
          a row. differing: results whose bytes are not those of the local engine, and rows that
          differ in more than their seconds and errors. parts: files that are not whole
speed     both engines in turn, photos a second once four are done. ratio: that of Ray to that of
          the local engine, of each pair. hands_out: processor seconds a photo of the program that
          asks Ray
many      the same with tiny pictures and a stand-in that has no network, one pair

Linux, moto[server] for the S3, root for the full disk (a small tmpfs). Rows that are not measured
this time stay.
"""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.archive import jpeg, load_stand_in, make_photo
from benchmarks.options import make_parser
from benchmarks.results_file import read, write
from colorize_core.batch import runner
from colorize_core.batch.claim import claim
from colorize_core.batch.manifest import Manifest, Row
from colorize_core.batch.processes import Processes
from colorize_core.batch.ray_data import RayEngine
from colorize_core.models.registry import load

ROOT = Path(__file__).parents[1]
STORE = 100 << 20  # bytes
SMALL = (480, 640)
WARM = 4  # results after which a run is timed
BEFORE = 6  # results before something is ended
DISK = "512k"  # of the disk that becomes full
REMOTE = ("input", "input_modified_ns", "input_changed_ns", "input_sha256")
SETTINGS = runner.BatchOptions()


class Deadly:
    """`autochrome`, but a black photo is the end of its process."""

    def __init__(self, colorizer: Any) -> None:
        self.colorizer = colorizer

    def __getattr__(self, name: str) -> Any:
        return getattr(self.colorizer, name)

    def predict(self, pixels: Any, **options: Any) -> Any:
        if not pixels.any():
            os.kill(os.getpid(), signal.SIGKILL)
        return self.colorizer.predict(pixels, **options)


def load_deadly(name: str, device: str) -> Deadly:
    return Deadly(load(name, device))


@contextmanager
def start_cluster() -> Iterator[Any]:
    import ray
    from ray.cluster_utils import Cluster

    head = {"num_cpus": 1, "object_store_memory": STORE, "include_dashboard": False}
    made = Cluster(initialize_head=True, head_node_args=head)
    try:
        made.second = made.add_node(num_cpus=1, object_store_memory=STORE)
        ray.init(made.address, log_to_driver=False, logging_level="error")
        yield made
    finally:
        ray.shutdown()
        made.shutdown()


def list_workers(cluster: Any) -> list[int]:
    """Processes of the pool on the nodes of that cluster."""
    nodes = (node.all_processes.get("raylet", ()) for node in cluster.list_all_nodes())
    raylets = {each.process.pid for node in nodes for each in node}
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
            name = (folder / "cmdline").read_text()
        except OSError:  # it has ended meanwhile
            continue
        if parent in raylets and "MapWorker" in name:
            found.append(int(folder.name))
    return found


def kill_process(cluster: Any) -> None:
    os.kill(list_workers(cluster)[0], signal.SIGKILL)


def kill_node(cluster: Any) -> None:
    cluster.remove_node(cluster.second, allow_graceful=False)


def colour(source: Path, out: Path, engine: Any, hear: Callable[[int], Any] = id) -> list[Any]:
    """One run as the command does it. `hear` is told how many results there are."""
    results = []
    with claim(out):
        manifest = Manifest(out)
        found = runner.find([source], out, manifest.results())
        jobs = runner.plan(found.photos, found.base, out)
        for result in runner.run(jobs, SETTINGS, manifest, engine=engine):
            results.append(result)
            hear(len(results))
        manifest.tidy()
    return results


def read_results(out: Path) -> dict[str, bytes]:
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*.jpg")}


def judge(
    what: str, source: Path, out: Path, local: Path, results: list[Any], remote: bool = False
) -> dict[str, Any]:
    """What the folder holds against that of the local engine. `remote`: the photos were in a
    store, whose list has its own names and marks of them."""
    lines = (out / "manifest.csv").read_text().splitlines()[1:]
    rows, others = Manifest(out).rows, Manifest(local).rows
    made, theirs = read_results(out), read_results(local)
    photos = list(source.rglob("*.jpg"))
    told = Counter(result.job for result in results)
    states = Counter(row.status for row in rows.values())

    def strip(row: Row | None) -> Row | None:
        own = dict.fromkeys(REMOTE, "") if remote else {}
        return row and replace(row, seconds="", error="", **own)

    differing = [name for name, data in made.items() if data != theirs.get(name)]
    differing += [
        name
        for name, row in rows.items()
        if row.status == "done" and strip(row) != strip(others.get(name))
    ]
    undone = [name for name, row in rows.items() if (row.status == "done") != (name in made)]
    return {
        "what": what,
        "photos": len(photos),
        "done": states["done"],
        "failed": states["failed"],
        "doubled": len(lines) - len(rows) + sum(count - 1 for count in told.values()),
        "missing": len(photos) - len(rows) + states["started"] + len(undone),
        "differing": len(differing),
        "parts": len(list(out.rglob("*.part"))),
    }


def run_fault(
    what: str,
    source: Path,
    out: Path,
    local: Path,
    end: Callable[[Any], None] | None = None,
    load_model: Any = load,
) -> dict[str, Any]:
    with start_cluster() as cluster:

        def hear(count: int) -> None:
            if end and count == BEFORE:
                end(cluster)

        begun = time.monotonic()
        engine = RayEngine(SETTINGS, 2, device="cpu", load_model=load_model)
        results = colour(source, out, engine, hear)
        seconds = time.monotonic() - begun
    return report(judge(what, source, out, local, results), seconds)


def report(row: dict[str, Any], seconds: float) -> dict[str, Any]:
    row["seconds"] = f"{seconds:.1f}"
    row["load"] = f"{os.getloadavg()[0]:.1f}"
    print(row, flush=True)
    return row


def run_full_disk(source: Path, out: Path, local: Path) -> list[dict[str, Any]]:
    """Half of the results go to a disk that is too small, which is then made larger."""
    small = out / "b"
    small.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "none", small], check=True)
    try:
        first = run_fault("the disk is full", source, out, local)
        errors = {row.error.rsplit(": ", 1)[-1] for row in Manifest(out).rows.values()} - {""}
        first["said"] = " ".join(sorted(errors))
        subprocess.run(["mount", "-o", "remount,size=64m", small], check=True)
        return [first, run_fault("and again with room", source, out, local)]
    finally:
        subprocess.run(["umount", small], check=True)


def run_killed_command(source: Path, out: Path, local: Path) -> list[dict[str, Any]]:
    """The program that asks is killed, and the same command given again."""
    with start_cluster() as cluster:
        command = [sys.executable, "-m", "colorize_core", "batch", source, "--out", out]
        command += ["--engine", "ray", "--address", cluster.address, "--device", "cpu", "--quiet"]
        begun = time.monotonic()
        first = subprocess.Popen(command, cwd=ROOT)
        while not (out / "manifest.csv").exists() or count_done(out) < BEFORE:
            if first.poll() is not None:
                raise RuntimeError(f"{command} ended with {first.returncode}")
            time.sleep(0.1)
        first.kill()
        first.wait()
        before = count_done(out)
        subprocess.run(command, cwd=ROOT, check=True)
        seconds = time.monotonic() - begun
    row = judge("the program that asks is killed, and started again", source, out, local, [])
    return [report(row | {"said": f"{before} were done"}, seconds)]


def run_store(source: Path, folder: Path, local: Path) -> dict[str, Any]:
    """Photos and results in an S3 that moto serves from this machine."""
    import fsspec
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(port=0)
    server.start()
    host, port = server.get_host_and_port()
    os.environ |= {"AWS_ENDPOINT_URL": f"http://{host}:{port}"}
    os.environ |= {"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none"}
    try:
        files = fsspec.filesystem("s3")
        files.mkdir("archive")
        files.put(f"{source}/", "archive/in/", recursive=True)
        command = [sys.executable, "-m", "colorize_core", "batch", "s3://archive/in"]
        command += ["--out", "s3://archive/colour", "--manifest", str(folder), "--quiet"]
        command += ["--engine", "ray", "--device", "cpu", "--address"]
        begun = time.monotonic()
        with start_cluster() as cluster:
            subprocess.run([*command, cluster.address], cwd=ROOT, check=True)
        seconds = time.monotonic() - begun
        files.invalidate_cache()
        files.get("archive/colour/", f"{folder}/", recursive=True)
    finally:
        server.stop()
    row = judge("photos and results in S3", source, folder, local, [], remote=True)
    return report(row, seconds)


def count_done(out: Path) -> int:
    return sum(row.status == "done" for row in Manifest(out).rows.values())


def save_photos(folder: Path, count: int, size: tuple[int, int] | None) -> Path:
    """In two folders. `size`: rows and columns; None: 2 megapixels."""
    for number in range(count):
        path = folder / "ab"[number % 2] / f"{number:04}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        photo = make_photo(number * 31)
        path.write_bytes(jpeg(photo.resize(size[::-1]) if size else photo))
    return folder


def measure_faults(count: int, folder: Path) -> list[dict[str, Any]]:
    source = save_photos(folder / "in", count, SMALL)
    hard = save_photos(folder / "hard", count - 2, SMALL)
    (hard / "a/bad.jpg").write_bytes((hard / "a/0000.jpg").read_bytes()[:900])
    Image.fromarray(np.zeros(SMALL, np.uint8)).save(hard / "b/black.jpg")
    with Processes(SETTINGS, 2, device="cpu") as engine:
        colour(source, local := folder / "local", engine)
    with Processes(SETTINGS, 2, device="cpu", load_model=load_deadly) as engine:
        colour(hard, local_hard := folder / "local-hard", engine)
    rows = [
        run_fault(what, source, folder / f"out-{number}", local, end)
        for number, (what, end) in enumerate(
            (
                ("nothing ends", None),
                ("a process is killed", kill_process),
                ("a node is killed", kill_node),
            )
        )
    ]
    rows.append(
        run_fault(
            "one photo cannot be read, one ends its process",
            hard,
            folder / "out-hard",
            local_hard,
            load_model=load_deadly,
        )
    )
    rows += run_full_disk(source, folder / "out-disk", local)
    rows += run_killed_command(source, folder / "out-command", local)
    rows.append(run_store(source, folder / "out-store", local))
    return rows


def time_run(source: Path, out: Path, engine: Any) -> tuple[float, float]:
    """Photos a second and processor seconds of this process a photo, once WARM are done."""
    heard: list[tuple[float, float]] = []

    def hear(_: int) -> None:
        heard.append((time.perf_counter(), time.process_time()))

    results = colour(source, out, engine, hear)
    assert all(result.status == "done" for result in results)
    photos = len(heard) - WARM
    seconds, computed = (end - begun for begun, end in zip(heard[WARM - 1], heard[-1], strict=True))
    return photos / seconds, computed / photos


def compare_speed(what: str, source: Path, folder: Path, rounds: int, load: Any) -> dict[str, Any]:
    rates: dict[str, list[float]] = {"local": [], "ray": []}
    loads, computed = [], []
    options = {"device": "cpu", "load_model": load}
    with start_cluster():
        for each in range(rounds):
            with Processes(SETTINGS, 2, **options) as engine:
                rate, _ = time_run(source, folder / f"{what}-local-{each}", engine)
            rates["local"].append(rate)
            engine = RayEngine(SETTINGS, 2, **options)
            rate, own = time_run(source, folder / f"{what}-ray-{each}", engine)
            rates["ray"].append(rate)
            computed.append(own)
            loads.append(os.getloadavg()[0])
            print({name: runs[-1] for name, runs in rates.items()}, loads[-1], flush=True)
        made = [read_results(folder / f"{what}-{name}-0") for name in rates]
    ratios = [ray / local for local, ray in zip(*rates.values(), strict=True)]
    return {
        "what": what,
        "photos": len(made[0]),
        "differing": sum(data != made[1].get(name) for name, data in made[0].items()),
        "rounds": rounds,
        "rate_local": f"{statistics.median(rates['local']):.3f}",
        "rate_ray": f"{statistics.median(rates['ray']):.3f}",
        "hands_out": f"{statistics.median(computed):.5f}",
        "ratio": f"{statistics.median(ratios):.3f}",
        "ratios": " ".join(f"{ratio:.3f}" for ratio in ratios),
        "load": " ".join(f"{each:.1f}" for each in loads),
    }


def save_tiny(folder: Path, count: int) -> Path:
    rng = np.random.default_rng(0)
    for number in range(count):
        path = folder / f"{number // 500:03}" / f"{number:06}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(jpeg(Image.fromarray(rng.integers(0, 256, (48, 64), np.uint8))))
    return folder


COLUMNS = (
    *("what", "photos", "done", "failed", "doubled", "missing", "differing", "parts", "seconds"),
    *("said", "rounds", "rate_local", "rate_ray", "ratio", "ratios", "hands_out", "load"),
)


def main() -> None:
    parser = make_parser(__doc__)
    parser.add_argument("--photos", type=int, default=48, help="0: no faults")
    parser.add_argument("--rounds", type=int, default=3, help="0: no speed")
    parser.add_argument("--many", type=int, default=300, help="0: none")
    options = parser.parse_args()
    os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "PYTHONPATH": str(ROOT)}
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if options.photos:
            rows += measure_faults(options.photos, folder)
        if options.many:
            tiny = save_tiny(folder / "tiny", options.many)
            rows.append(compare_speed("tiny", tiny, folder, 1, load_stand_in))
        if options.rounds:
            large = save_photos(folder / "large", 24, None)
            rows.append(compare_speed("2 megapixels", large, folder, options.rounds, load))
    new = {row["what"] for row in rows}
    others = [row for row in read("ray_faults") if row["what"] not in new]
    write("ray_faults", [dict.fromkeys(COLUMNS, "") | row for row in rows], others)


if __name__ == "__main__":
    main()
