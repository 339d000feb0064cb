"""Several processes, and what becomes of photos when these or all of them are killed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import batch_models
import numpy as np
import pytest
from child_process import running
from PIL import Image
from scenes import ROOT

from colorize_core.batch import runner
from colorize_core.batch.claim import claim
from colorize_core.batch.manifest import Manifest
from colorize_core.batch.processes import OWNER, Processes
from colorize_core.errors import ColorizeError, OptionError, TooLittleMemoryError, WeightsError
from colorize_core.threads import share_cores

SETTINGS = runner.BatchOptions()


def save(folder: Path, count: int, **special: int) -> Path:
    """Pictures by number, and more by name whose first pixel has that gray."""
    rng = np.random.default_rng(7)
    for number in range(count):
        path = folder / f"box {number % 7}" / f"{number:03}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(10, 256, (6, 8), np.uint8)).save(path)
    folder.mkdir(exist_ok=True)
    for name, gray in special.items():
        Image.fromarray(np.full((6, 8), gray, np.uint8)).save(folder / f"{name}.png")
    return folder


def begin(source: Path, out: Path, engine: Any = None, **options: Any) -> Iterator[runner.Result]:
    manifest = Manifest(out)
    found = runner.find([source], out, manifest.results())
    jobs = runner.plan(found.photos, found.base, out)
    return runner.run(jobs, SETTINGS, manifest, engine=engine, **options)


def start(count: int = 2, load: Any = batch_models.load, **options: Any) -> Processes:
    return Processes(SETTINGS, count, device="cpu", load_model=load, **options)


def read_all(out: Path) -> dict[str, bytes]:
    """Every file below but the manifest, whatever its name."""
    files = (path for path in out.rglob("*") if path.is_file() and path.name != "manifest.csv")
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in files}


def count_states(results: Any) -> Counter[str]:
    return Counter(result.status for result in results)


def test_photos_come_out_as_from_threads(tmp_path: Path) -> None:
    source = save(tmp_path / "in", 20)
    (source / "bad.jpg").write_bytes(b"\xff\xd8\xff")
    with start() as engine:
        results = list(begin(source, tmp_path / "out", engine))
        assert len(engine.list_pids()) == 2
    assert count_states(results) == {"done": 20, "failed": 1}
    list(begin(source, tmp_path / "threads", load_model=batch_models.load))
    assert read_all(tmp_path / "out") == read_all(tmp_path / "threads")
    rows = Manifest(tmp_path / "out").rows
    assert len(rows) == 21
    photo = np.asarray(Image.open(source / "box 3/003.png"))
    assert float(rows["box 3/003.png"].spread) == pytest.approx(photo.mean() / 10, abs=1e-3)


def test_batches_give_the_bytes_that_they_give_in_threads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a real network, and one core for each, which decides how it adds up."""
    monkeypatch.setattr(runner, "share_cores", lambda _: share_cores(1000))
    for number, size in enumerate([(90, 60), (60, 90), (90, 60), (88, 60), (60, 60)]):
        noise = np.random.default_rng(number).integers(0, 256, size[::-1], np.uint8)
        Image.fromarray(noise).resize(size).save(tmp_path / f"{number}.png")
    settings = runner.BatchOptions(model="cnn-lpips", batch_size=3)
    jobs = [runner.Job(path, path.with_suffix(".a.png")) for path in tmp_path.glob("?.png")]
    with Processes(settings, 1, device="cpu") as engine:
        assert count_states(runner.run(jobs, settings, engine=engine)) == {"done": 5}
    others = [runner.Job(job.source, job.source.with_suffix(".b.png")) for job in jobs]
    assert count_states(runner.run(others, settings, device="cpu", workers=1)) == {"done": 5}
    for one, other in zip(jobs, others, strict=True):
        assert one.target.read_bytes() == other.target.read_bytes()


def test_a_batch_with_a_photo_that_ends_its_process_is_done_but_for_that(tmp_path: Path) -> None:
    settings = runner.BatchOptions(batch_size=4)
    source = save(tmp_path / "in", 10, a=batch_models.DEADLY)
    jobs = runner.plan(sorted(source.rglob("*.png")), source, tmp_path / "out")
    with Processes(settings, 1, device="cpu", load_model=batch_models.load) as engine:
        results = list(runner.run(jobs, settings, engine=engine))
    assert {r.job.source.stem for r in results if r.status == "failed"} == {"a"}
    assert len(results) == 11


def test_processes_stay_for_the_next_run(tmp_path: Path) -> None:
    source = save(tmp_path / "in", 3)
    with start(1) as engine:
        list(begin(source, tmp_path / "one", engine))
        (pid,) = engine.list_pids()
        list(begin(source, tmp_path / "two", engine))
        assert engine.list_pids() == [pid]
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_photo_that_ends_its_process_is_tried_again_alone_and_then_noted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(batch_models.ONCE, str(tmp_path / "once"))
    source = save(
        tmp_path / "in",
        6,
        a=batch_models.DEADLY,
        b=batch_models.DEADLY_ONCE,
        c=batch_models.CRASHING,
    )
    with start() as engine:
        results = {r.job.source.stem: r for r in begin(source, tmp_path / "out", engine)}
    assert {name for name, r in results.items() if r.status == "failed"} == {"a", "c"}
    assert len(results) == 9
    assert "by SIGKILL" in results["a"].error
    assert "exit code 3" in results["c"].error
    rows = Manifest(tmp_path / "out").rows
    assert Counter(row.status for row in rows.values()) == {"done": 7, "failed": 2}


def test_a_photo_that_takes_too_long_is_given_up(tmp_path: Path) -> None:
    source = save(tmp_path / "in", 2, a=batch_models.SLOW)
    with start(1, seconds=1.0) as engine:
        results = list(begin(source, tmp_path / "out", engine))
    assert count_states(results) == {"done": 2, "failed": 1}
    assert "longer than 1 seconds, twice" in next(r.error for r in results if r.error)


@pytest.mark.parametrize(
    ("load", "error"),
    [(batch_models.refuse, WeightsError), (batch_models.die, TooLittleMemoryError)],
)
def test_a_model_that_cannot_be_loaded_is_told_once(
    tmp_path: Path, load: Any, error: type[ColorizeError]
) -> None:
    with start(load=load) as engine, pytest.raises(error):
        list(begin(save(tmp_path / "in", 3), tmp_path / "out", engine))


def test_each_process_computes_on_one_core(tmp_path: Path) -> None:
    before = dict(os.environ)
    with start(load=batch_models.tell_cores) as engine, pytest.raises(WeightsError, match=r"^1 1$"):
        list(begin(save(tmp_path / "in", 1), tmp_path / "out", engine))
    assert dict(os.environ) == before


def test_killed_processes_cost_no_photo(tmp_path: Path) -> None:
    source = save(tmp_path / "in", 120)
    chance = random.Random(5)
    killed = 0
    with start(load=batch_models.load_slow) as engine:
        results = []
        for result in begin(source, tmp_path / "out", engine):
            results.append(result)
            if len(results) % 40 == 20:
                os.kill(chance.choice(engine.list_pids()), signal.SIGKILL)
                killed += 1
    assert killed == 3
    assert count_states(results) == {"done": 120}
    assert len({result.job for result in results}) == 120
    list(begin(source, tmp_path / "threads", load_model=batch_models.load))
    assert read_all(tmp_path / "out") == read_all(tmp_path / "threads")


RUN = """
import sys
from pathlib import Path

import batch_models
from test_processes import begin, start
from colorize_core.batch.claim import claim

if __name__ == "__main__":
    out = Path(sys.argv[2])
    with claim(out), start() as engine:
        for result in begin(Path(sys.argv[1]), out, engine):
            print(*engine.list_pids(), flush=True)
"""


def run_and_kill(script: Path, source: Path, out: Path, after: int, seconds: float) -> None:
    """kill -9 of a run, so many results and seconds after its beginning. Returns once its
    processes have noticed."""
    places = [str(ROOT), str(ROOT / "tests"), str(ROOT / "tests/batch")]
    with running(
        [sys.executable, str(script), str(source), str(out)],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(places)},
    ) as process:
        assert process.stdout
        for _ in range(after):
            told = process.stdout.readline()
        time.sleep(seconds)
        process.kill()
    until = time.monotonic() + 30
    for pid in map(int, told.split()):
        while _is_alive(pid):
            assert time.monotonic() < until, "a process works for nobody"
            time.sleep(0.01)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")  # nobody may wait for it in a container
    return not status.exists() or status.read_text().rsplit(")", 1)[1].split()[0] != "Z"


@pytest.mark.skipif(sys.platform == "win32", reason="it has no kill -9")
def test_a_run_that_is_killed_at_random_times_loses_doubles_and_halves_nothing(
    tmp_path: Path,
) -> None:
    source, out = save(tmp_path / "in", 320), tmp_path / "out"
    script = tmp_path / "script.py"
    script.write_text(RUN)
    chance = random.Random(3)
    done: set[str] = set()
    for _ in range(2):
        run_and_kill(
            script, source, out, len(done) + chance.randrange(40, 90), chance.random() / 50
        )
        rows = Manifest(out).rows.values()
        before, done = done, {row.output for row in rows if row.status == "done"}
        assert done > before
        whole = {name for name in read_all(out) if f"/.{OWNER}" not in name and name[0] != "."}
        assert whole >= done
        for name in whole:
            Image.open(out / name).load()
    with claim(out), start() as engine:
        results = list(begin(source, out, engine))
    assert len({result.job for result in results}) == len(results) == 320
    skipped = [result.job.target for result in results if result.status == "skipped"]
    assert {target.relative_to(out).as_posix() for target in skipped} == done
    assert count_states(results) == {"skipped": len(done), "done": 320 - len(done)}
    list(begin(source, tmp_path / "threads", load_model=batch_models.load))
    assert read_all(out) == read_all(tmp_path / "threads")
    rows = Manifest(out).rows.values()
    assert Counter(row.status for row in rows) == {"done": 320}


def test_closing_ends_what_is_at_work_and_the_next_run_goes_on(tmp_path: Path) -> None:
    source, out = save(tmp_path / "in", 30), tmp_path / "out"
    with start(load=batch_models.load_slow) as engine:
        results = begin(source, out, engine)
        next(results)
        results.close()
        assert len(read_all(out)) < 30
        assert all(name.endswith(".png") for name in read_all(out))
        again = count_states(begin(source, out, engine))
    assert again["skipped"] >= 1
    assert again["skipped"] + again["done"] == 30


def test_a_folder_has_one_run_at_a_time_which_cleans_up(tmp_path: Path) -> None:
    left = tmp_path / "out/box" / f".{OWNER}0123.part"
    other = tmp_path / "out/box/.0123456789abcdef.part"
    left.parent.mkdir(parents=True)
    left.touch()
    other.touch()
    with claim(tmp_path / "out"):
        assert not left.exists()
        assert other.exists(), "another program may be writing it"
        with pytest.raises(OptionError, match="Another run is at work"), claim(tmp_path / "out"):
            pytest.fail("it was claimed twice")
    with claim(tmp_path / "out"):
        pass
