"""The queue of the tab "Batch", and what works on it."""

from __future__ import annotations

import csv
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

import colorize_core
from colorize_core.batch import runner as batch
from colorize_core.imaging import image
from colorize_core.models.runner import Runner, Task
from ui.batch.queue import Look, Queue, Queues, format_duration, measure_left
from ui.batch.worker import THUMBNAIL, Worker
from ui.server.limits import Public
from ui.server.temp_files import Folder
from ui.shared.service import Service

Upload = Callable[..., Path]


def drain(worker: Worker) -> None:
    while worker.work():
        pass


def states(queue: Queue) -> list[str]:
    return [entry.state for entry in queue.entries.values()]


def test_results_are_those_of_the_command_line(
    queues: Queues, queue: Queue, upload: Upload, service: Service, tmp_path: Path
) -> None:
    service.runner = Runner(lambda name: colorize_core.load(name, "cpu"))
    worker = Worker(service, queues)
    names = ("a.jpg", "b.tif")
    queue.add([upload(name, 10 * i) for i, name in enumerate(names)])
    settings = batch.BatchOptions(vividness=1.4, mark=True)
    queue.start(Look(settings))
    drain(worker)
    assert states(queue) == ["done"] * 2
    out = tmp_path / "out"
    found = batch.find([str(queue.photos)], out)
    jobs = batch.plan(found.photos, found.base, out)
    assert all(each.status == "done" for each in batch.run(jobs, settings, batch.Manifest(out)))
    for job in jobs:
        mine = queue.results / job.target.name
        assert mine.read_bytes() == job.target.read_bytes(), job.target.name
        assert image.read_record(mine) is not None
    for name in ("model", "options", "width", "input_sha256", "spread", "tint", "status"):
        theirs = {row["output"]: row[name] for row in read_rows(out)}
        assert {row["output"]: row[name] for row in read_rows(queue.results)} == theirs


def read_rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "manifest.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_thumbnails_come_before_anything_is_started(
    queue: Queue, worker: Worker, upload: Upload
) -> None:
    queue.add([upload("wide.png", size=(600, 300))])
    assert queue.busy
    drain(worker)
    assert not queue.busy
    assert states(queue) == ["waiting"]
    (entry,) = queue.entries.values()
    with Image.open(queue.get_path(entry, before=True)) as small:
        assert small.size == (THUMBNAIL, THUMBNAIL // 2)
    assert not queue.results.joinpath("manifest.csv").exists()


def test_an_unreadable_photo_fails_alone_and_is_tried_again(
    service: Service, queue: Queue, worker: Worker, upload: Upload
) -> None:
    broken = service.folder.new("broken.jpg")
    broken.write_text("no photo")
    queue.add([broken, upload("good.png")])
    queue.start(Look())
    drain(worker)
    assert states(queue) == ["failed", "done"]
    entry = queue.entries[1]
    assert "broken.jpg" in entry.error
    assert str(service.folder.path) not in entry.error
    entry.source.unlink()
    os.link(upload("mended.png"), entry.source)
    queue.start(Look(), "failed")
    drain(worker)
    assert states(queue) == ["done", "done"]


def test_a_photo_may_have_a_look_of_its_own(queue: Queue, worker: Worker, upload: Upload) -> None:
    queue.add([upload("a.png"), upload("a.png", 20)])
    queue.start(Look())
    drain(worker)
    one, other = queue.entries.values()
    assert [one.source.name, other.source.name] == ["a.png", "a-2.png"]
    assert one.target is not None
    before = one.target
    queue.redo(one, Look(batch.BatchOptions(strength=0.5, format="JPEG")))
    drain(worker)
    assert (one.target.suffix, before.exists(), one.made) == (".jpg", False, 2)
    assert one.row is not None
    assert "strength=0.5" in one.row.options
    queue.start(Look(batch.BatchOptions(vividness=0.5)), "done")
    drain(worker)
    assert other.row is not None
    assert "strength=0.5" in one.row.options  # its own stays
    assert "vividness=0.5" in other.row.options
    assert (one.made, other.made) == (2, 2)  # what is done with these settings is not done again
    assert not queue.get_path(other, before=False).with_name("2-1-small.jpg").exists()


def test_pause_cancel_and_remove(
    queue: Queue, worker: Worker, monkeypatch: pytest.MonkeyPatch, upload: Upload
) -> None:
    queue.add([upload(f"{n}.png", n) for n in range(4)])
    drain(worker)
    queue.start(Look())
    assert worker.work()
    queue.pause()
    assert not worker.work()
    assert states(queue) == ["done", "waiting", "waiting", "waiting"]
    assert measure_left(queue) is not None
    queue.redo(queue.entries[3], None)
    drain(worker)
    assert states(queue) == ["done", "waiting", "done", "waiting"], "the others rest"
    queue.start(Look())
    step = Task.step

    def cancel(self: Task, share: float, words: str) -> None:
        if self.owner == queue.owner and share > 0.3:
            queue.cancel()
        step(self, share, words)

    monkeypatch.setattr(Task, "step", cancel)
    drain(worker)
    monkeypatch.undo()
    assert states(queue) == ["done", "cancelled", "done", "cancelled"]
    assert not queue.running
    queue.remove(queue.entries[4])
    assert not (queue.photos / "3.png").exists()
    queue.start(Look(), "cancelled")
    drain(worker)
    assert states(queue) == ["done"] * 3


def test_only_what_has_changed_is_told(queue: Queue, worker: Worker, upload: Upload) -> None:
    queue.add([upload(f"{n}.png", n) for n in range(3)])
    drain(worker)
    seen = queue.version
    assert queue.list_since(seen) == (False, [])
    queue.start(Look())
    worker.work()
    whole, news = queue.list_since(seen)
    assert (whole, [each.number for each in news]) == (False, [1])
    queue.remove(queue.entries[2])
    whole, news = queue.list_since(seen)
    assert (whole, [each.number for each in news]) == (True, [1, 3])


def test_queues_take_turns_and_go_when_nobody_uses_them(
    service: Service, queues: Queues, queue: Queue, worker: Worker, upload: Upload
) -> None:
    other = Queue(service.folder)
    queues.add(other)
    for each in (queue, other):
        each.add([upload(f"{n}.png", n) for n in range(2)])
    worker.work()
    worker.work()
    assert [sum(e.looked for e in each.entries.values()) for each in (queue, other)] == [1, 1]
    assert queues.find(other.key) is other
    assert queues.find("0" * 32) is None
    for place, folders, _ in os.walk(other.place, topdown=False):
        for name in folders:
            os.utime(Path(place) / name, (0, 0))
    service.folder.sweep()
    assert queues.find(other.key) is None
    assert queues.find(queue.key) is queue


def test_strangers_have_limits(tmp_path: Path, queues: Queues, upload: Upload) -> None:
    public = Public(batch_pixels=1000)
    service = Service(Folder(tmp_path), public=public, load=colorize_core.load)
    worker = Worker(service, queues)
    queue = Queue(service.folder, most=2)
    queues.add(queue)
    photos = [upload(f"{n}.png", n) for n in range(3)]
    assert queue.add(photos) == 1
    drain(worker)
    assert states(queue) == ["failed", "failed"]
    assert "megapixels" in queue.entries[1].error


def test_the_reference_is_that_of_the_command_line(
    queue: Queue, worker: Worker, upload: Upload
) -> None:
    queue.add([upload("a.png")])
    photo = upload("reference.png", 200)
    look = Look(batch.BatchOptions(reference_strength=0.5), queue.add_reference(photo))
    queue.start(look)
    drain(worker)
    row = queue.entries[1].row
    assert row is not None
    digest = batch.Reference(image.read(photo).pixels).digest
    assert f"reference={digest} reference_strength=0.5" in row.options
    record = image.read_record(queue.results / row.output)
    assert record is not None
    assert record.settings["reference"] == digest
    assert record.settings["reference_strength"] == 0.5


def test_a_thread_works_until_all_is_done(
    service: Service, queue: Queue, worker: Worker, upload: Upload
) -> None:
    queue.add([upload("a.png")])
    queue.start(Look())
    worker.wake()
    end = time.monotonic() + 60
    while queue.busy:
        assert time.monotonic() < end
        time.sleep(0.02)
    assert states(queue) == ["done"]
    service.stop_all(0)
    worker.wake()


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.2, "1 s"), (42.4, "42 s"), (600, "10 min"), (3900, "1 h 5 min")]
)
def test_durations_are_said_as_people_do(seconds: float, said: str) -> None:
    assert format_duration(seconds) == said
