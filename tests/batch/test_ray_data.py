"""A Ray cluster of two nodes on this machine, and what becomes of photos when parts of it end.

The tests that start one are marked `ray`; the others need no Ray.
"""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import batch_models
import numpy as np
import pytest
from PIL import Image
from scenes import ROOT

from colorize_core.batch import ray_data, runner
from colorize_core.batch.convert import Result
from colorize_core.batch.manifest import Manifest, Row
from colorize_core.batch.plan import Job
from colorize_core.batch.processes import Processes
from colorize_core.batch.ray_data import RayEngine
from colorize_core.errors import ColorizeError, OptionError, WeightsError
from colorize_core.models import registry

SETTINGS = runner.BatchOptions()


def save(folder: Path, count: int, **special: int) -> Path:
    """Pictures by number, one that cannot be read, and more by name whose first pixel has that
    gray."""
    rng = np.random.default_rng(7)
    for number in range(count):
        path = folder / f"box {number % 3}" / f"{number:03}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(10, 256, (6, 8), np.uint8)).save(path)
    for name, gray in special.items():
        Image.fromarray(np.full((6, 8), gray, np.uint8)).save(folder / f"{name}.png")
    (folder / "bad.jpg").write_bytes(b"\xff\xd8\xff")
    return folder


def begin(source: Path, out: Path, engine: Any) -> Iterator[runner.Result]:
    manifest = Manifest(out)
    found = runner.find([source], out, manifest.results())
    jobs = runner.plan(found.photos, found.base, out)
    return runner.run(jobs, SETTINGS, manifest, engine=engine)


def read_all(out: Path) -> dict[str, bytes]:
    """Every file below but the manifest, whatever its name."""
    files = (path for path in out.rglob("*") if path.is_file() and path.name != "manifest.csv")
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in files}


def read_rows(out: Path) -> set[Row]:
    return {replace(row, seconds="") for row in Manifest(out).rows.values()}


def test_ray_that_is_missing_is_told_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_data, "has_ray", lambda: False)
    with pytest.raises(OptionError, match=r"pip install 'autochrome-studio\[ray\]'"):
        RayEngine(SETTINGS)


@pytest.mark.parametrize("gpus", [-0.1, 1.5])
def test_a_share_of_a_gpu_is_at_most_one(gpus: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_data, "has_ray", lambda: True)
    with pytest.raises(OptionError, match="allowed are 0 to 1"):
        RayEngine(SETTINGS, gpus=gpus)


class Scripted(RayEngine):
    """An engine without a cluster: `lose` says which photos each pass loses."""

    def __init__(self, lose: Any = lambda job, tried: False, count: int = 2) -> None:
        self.settings, self.count, self.seconds = SETTINGS, count, None
        self._owner, self.passes, self.lose = "batch-test-", [], lose

    def start(self) -> None:
        pass

    def _count_processes(self) -> int:
        return self.count

    def _pass(self, jobs: dict[int, Job], most: int, block: int) -> Any:
        self.passes.append((len(jobs), most, block))
        for number, job in list(jobs.items()):
            if not self.lose(job, len(self.passes)):
                answer = runner.Result(Job(Path("elsewhere"), job.target), "done")
                yield from [(number, answer)] * 2  # as where a photo is done twice


def make_jobs(count: int) -> list[Job]:
    return [Job(Path(f"in/{number}.png"), Path(f"out/{number}.png")) for number in range(count)]


def test_each_photo_is_told_once_whatever_is_lost() -> None:
    jobs = make_jobs(10)
    engine = Scripted(lambda job, tried: tried <= int(job.source.stem) % 4)
    results = list(engine.run(jobs, lambda job: None))
    assert Counter(result.job for result in results) == Counter(jobs)
    failed = {result.job.source.stem for result in results if result.status == "failed"}
    assert failed == {"3", "7"}  # lost three times
    assert engine.passes == [(10, 2, ray_data.BLOCK), (7, 2, 1), (4, 1, 1)]


def test_at_most_two_waves_are_noted_as_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_data, "WAVE", 3)
    monkeypatch.setattr(ray_data, "FIRST", 1)
    begun: list[Job] = []
    most = done = 0
    engine = Scripted()
    for _ in engine.run(make_jobs(40), begun.append):
        done += 1
        most = max(most, len(begun) - done)
    assert done == len(begun) == 40
    assert most <= 2 * 3 * 2
    assert [count for count, _, _ in engine.passes] == [2, 4, *[6] * 5, 4]


def test_refused_photos_are_not_done() -> None:
    def start(job: Job) -> runner.Result | None:
        even = int(job.source.stem) % 2 == 0
        return runner.Result(job, "failed", error="taken") if even else None

    engine = Scripted()
    results = list(engine.run(make_jobs(7), start))
    assert Counter(result.error for result in results) == {"taken": 4, "": 3}
    assert sum(count for count, _, _ in engine.passes) == 3


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Two nodes of a core each; the processes find the modules of the tests."""
    pytest.importorskip("ray", reason="needs the extra ray")
    before = {name: os.environ.get(name) for name in ("PYTHONPATH", "RAY_USAGE_STATS_ENABLED")}
    os.environ |= {"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}", "RAY_USAGE_STATS_ENABLED": "0"}
    import ray
    from ray.cluster_utils import Cluster

    node = {"num_cpus": 1, "object_store_memory": 100 << 20, "include_dashboard": False}
    made = Cluster(initialize_head=True, head_node_args=node)
    try:
        made.add_node(num_cpus=1, object_store_memory=100 << 20)
        yield made
    finally:
        ray.shutdown()
        made.shutdown()
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


@pytest.fixture(scope="module")
def make_engine(cluster: Any) -> Iterator[Any]:
    """Engines that share one connection."""
    with RayEngine(SETTINGS, address=cluster.address) as first:
        first.start()

        def make(
            load: Any = batch_models.load,
            settings: runner.BatchOptions = SETTINGS,
            **options: Any,
        ) -> RayEngine:
            return RayEngine(settings, 2, device="cpu", load_model=load, **options)

        yield make


pytestmark = pytest.mark.filterwarnings("default")  # Ray leaves files and sockets to the collector


@pytest.mark.ray
def test_results_and_manifest_are_those_of_the_local_engine(
    make_engine: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(tmp_path / "in", 12)
    monkeypatch.chdir(tmp_path)
    with Processes(SETTINGS, 1, device="cpu", load_model=batch_models.load) as local:
        list(begin(Path("in"), Path("local"), local))
    with make_engine() as engine:
        results = list(begin(Path("in"), Path("out"), engine))
    assert Counter(result.status for result in results) == {"done": 12, "failed": 1}
    assert read_all(Path("out")) == read_all(Path("local"))
    assert read_rows(Path("out")) == read_rows(Path("local"))
    again = [result.status for result in begin(Path("in"), Path("out"), make_engine())]
    assert Counter(again) == {"skipped": 12, "failed": 1}


@pytest.mark.ray
def test_batches_give_the_bytes_of_the_local_engine(make_engine: Any, tmp_path: Path) -> None:
    """With a real network."""
    for number in range(7):
        noise = np.random.default_rng(number).integers(0, 256, (60, 90 - number % 3), np.uint8)
        Image.fromarray(noise).save(tmp_path / f"{number}.png")
    settings = runner.BatchOptions(model="cnn-lpips", batch_size=3)
    paths = sorted(tmp_path.glob("?.png"))
    made = {}
    for name in ("ray", "local"):
        jobs = runner.plan(paths, tmp_path, tmp_path / name)
        local = Processes(settings, 1, device="cpu")
        with make_engine(registry.load, settings) if name == "ray" else local as engine:
            results = list(runner.run(jobs, settings, engine=engine))
        assert [result.status for result in results] == ["done"] * 7
        made[name] = read_all(tmp_path / name)
    assert made["ray"] == made["local"]


@pytest.mark.ray
def test_a_photo_that_ends_its_process_has_failed_and_the_others_are_done(
    make_engine: Any, tmp_path: Path
) -> None:
    source = save(tmp_path / "in", 6, a=batch_models.CRASHING)
    results = {r.job.source.stem: r for r in begin(source, tmp_path / "out", make_engine())}
    assert {name for name, r in results.items() if r.status == "failed"} == {"a", "bad"}
    assert "ended 3 times" in results["a"].error
    assert Counter(row.status for row in read_rows(tmp_path / "out")) == {"done": 6, "failed": 2}
    assert not list((tmp_path / "out").rglob("*.part"))


@pytest.mark.ray
def test_a_run_that_is_closed_leaves_nothing_at_work(make_engine: Any, tmp_path: Path) -> None:
    results = begin(save(tmp_path / "in", 400), tmp_path / "out", make_engine())
    next(results)
    results.close()
    time.sleep(0.5)
    there = read_all(tmp_path / "out")
    time.sleep(0.5)
    assert read_all(tmp_path / "out") == there
    assert 0 < len(there) < 400
    assert not any(name.endswith(".part") for name in there)


@pytest.mark.ray
def test_a_cluster_that_is_not_there_is_told(cluster: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import ray

    monkeypatch.setattr(ray, "is_initialized", lambda: False)

    def refuse(**_: Any) -> None:
        raise ConnectionError("nobody answers")

    monkeypatch.setattr(ray, "init", refuse)
    with pytest.raises(OptionError, match="no Ray cluster at host:1: nobody answers"):
        RayEngine(SETTINGS, address="host:1").start()


@pytest.mark.ray
def test_what_loading_raises_is_told(make_engine: Any, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="The weights are damaged"):
        list(begin(save(tmp_path / "in", 3), tmp_path / "out", make_engine(batch_models.refuse)))


@pytest.mark.ray
def test_other_weights_on_a_machine_are_refused(make_engine: Any, tmp_path: Path) -> None:
    engine = make_engine()
    engine._given["told"] = "others"
    with pytest.raises(OptionError, match="other weights"):
        list(begin(save(tmp_path / "in", 3), tmp_path / "out", engine))


@pytest.mark.parametrize(
    "answer",
    [
        Result(Job(Path("a.png"), Path("b.png")), "done", 3, 2, 0.1 + 0.2, "sepia", "", "x", 1.5),
        Result(Job(Path("a.png"), Path("b.png")), "failed", error="It is damaged."),
        OptionError("Another version."),
    ],
)
def test_an_answer_comes_back_as_data(answer: Result | ColorizeError) -> None:
    told = json.loads(json.dumps(ray_data._tell(answer)))
    found = ray_data._read_answer(Job(Path("a.png"), Path("b.png")), told)
    assert type(found) is type(answer)
    assert found == answer if isinstance(answer, Result) else str(found) == str(answer)
