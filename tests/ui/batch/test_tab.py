"""The tab "Batch" without a browser."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from handler_calls import WHO, Updates, call
from PIL import Image

from colorize_core.batch.manifest import COLUMNS
from colorize_core.imaging import image
from colorize_core.steering.album import DescribedPhoto
from colorize_core.steering.hints import Hint
from ui.batch import photo_grid, tab
from ui.batch.queue import Queue
from ui.batch.tab import ARCHIVE, SHEET, BatchHandlers
from ui.server.limits import Public
from ui.server.temp_files import Folder
from ui.shared.service import Service

Upload = Callable[..., Path]
# Reference and its share, whether what is known is taken, and LOOK.
ALL = (None, 1.0, False, "autochrome", 1.0, 1.0, 1.0, True, "", False)
OWN = ("autochrome", 0.5, 1.0, 1.0, True)


@pytest.fixture
def on(service: Service, monkeypatch: pytest.MonkeyPatch) -> BatchHandlers:
    made = BatchHandlers(service)
    monkeypatch.setattr(made.worker, "wake", lambda: None)  # the tests say when it works
    return made


def drain(on: BatchHandlers) -> None:
    while on.worker.work():
        pass


def give(*paths: Path) -> list[dict[str, Any]]:
    return [{"path": str(path)} for path in paths]


def act(on: BatchHandlers, kept: str, what: str, *controls: Any, **more: Any) -> Updates:
    queue = on.queues.find(kept)
    data = {"do": what, "queue": queue.name if queue else "an old one", "seen": -1, **more}
    event: Any = SimpleNamespace(_data=data)
    made: Updates = on.act(event, WHO, kept, *(controls or ALL))
    return made


@pytest.fixture
def kept(on: BatchHandlers, upload: Upload) -> str:
    """The key of a queue of three photos, of which the darkest is least sure."""
    photos = [upload(f"{name}.png", shade) for name, shade in (("a", 150), ("b", 20), ("c", 90))]
    added = on.add(give(*photos), "")
    assert added["zone"] is None
    return str(added["kept"])


def find_queue(on: BatchHandlers, kept: str) -> Queue:
    queue = on.queues.find(kept)
    assert queue is not None
    return queue


def test_photos_are_added_coloured_and_found_again(on: BatchHandlers, kept: str) -> None:
    assert len(kept) == 32
    assert "vividness" not in on.find(kept), "what was set before photos were dropped stays"
    assert act(on, kept, "start")["photos"]["running"]
    drain(on)
    found = on.find(kept)
    assert [each["state"] for each in found["photos"]["entries"]] == ["done"] * 3
    assert (found["vividness"], found["format"]) == (1.0, "")
    version = found["photos"]["version"]
    assert act(on, kept, "look", seen=version) == {}  # no news, no answer
    assert on.find("0" * 32)["photos"]["queue"] == ""
    assert "no longer here" in act(on, "0" * 32, "look")["message"]


def test_a_file_that_was_not_uploaded_is_not_taken(on: BatchHandlers, tmp_path: Path) -> None:
    secret = tmp_path / "secret.png"
    Image.new("L", (8, 8)).save(secret)
    assert "No photo was given" in on.add(give(secret), "")["message"]
    assert on.queues.list() == ()


def test_the_least_sure_come_first(on: BatchHandlers, kept: str) -> None:
    act(on, kept, "start")
    drain(on)
    queue = find_queue(on, kept)
    assert [each.source.name for each in queue.list_done()] == ["a.png", "b.png", "c.png"]
    assert act(on, kept, "order", order="unsure")["photos"]["order"] == "unsure"
    assert [each.source.name for each in queue.list_done()] == ["b.png", "c.png", "a.png"]


def test_one_photo_is_looked_at_and_done_in_its_own_way(on: BatchHandlers, kept: str) -> None:
    act(on, kept, "start")
    drain(on)
    opened = act(on, kept, "open", id=2)
    assert opened["chosen"] == 2
    assert opened["compared"]["value"]["after"]["path"].endswith("2-1-large.jpg")
    assert "b.png · 48 × 32 · autochrome" in opened["line"]
    on.redo(kept, 2, WHO, *OWN)
    drain(on)
    news = act(on, kept, "look", chosen=2, seen=opened["photos"]["version"])
    assert [each["id"] for each in news["photos"]["entries"]] == [2]
    assert news["compared"]["value"]["after"]["path"].endswith("2-2-large.jpg")
    assert "own settings" in news["line"]
    row = find_queue(on, kept).entries[2].row
    assert row is not None
    assert "vividness=0.5" in row.options
    on.redo_like_all(kept, 2, WHO)
    drain(on)
    assert find_queue(on, kept).entries[2].own is None
    assert on.save(kept, 2)["finished"].endswith("b.png")
    handed = on.hand_over(kept, 2, WHO)
    photo = on.service.current("someone")
    assert handed["opened"] == "colorize"
    assert photo is not None
    assert photo.colours is not None
    on.remove(kept, 2)
    assert "no longer here" in on.save(kept, 2)["message"]


def test_files_of_all(on: BatchHandlers, kept: str, upload: Upload) -> None:
    assert "start the queue first" in call(on.download, kept, SHEET)["message"]
    broken = upload("x.png")
    broken.write_text("no photo")
    on.add(give(broken), kept)
    act(on, kept, "start")
    drain(on)
    sheet = call(on.download, kept, SHEET)["finished"]
    record = image.read_record(sheet)
    assert record is not None
    assert "autochrome" in record.statement
    archive = call(on.download, kept, ARCHIVE)["finished"]
    queue = find_queue(on, kept)
    with zipfile.ZipFile(archive) as file:
        assert {each.compress_type for each in file.infolist()} == {zipfile.ZIP_STORED}
        assert file.read("a.png") == (queue.results / "a.png").read_bytes()
        rows = list(csv.DictReader(io.TextIOWrapper(file.open("manifest.csv"), "utf-8")))
    assert tuple(rows[0]) == COLUMNS
    found = [(row["input"], row["status"]) for row in rows]
    assert found == [("a.png", "done"), ("b.png", "done"), ("c.png", "done"), ("x.png", "failed")]
    assert str(on.service.folder.path) not in str(rows)
    again = call(on.download, kept, ARCHIVE)["finished"]
    assert (Path(archive).exists(), Path(again).exists()) == (False, True)


def test_a_reference_for_all_is_read_once(on: BatchHandlers, kept: str, upload: Upload) -> None:
    photo = upload("palette.png", 200)
    controls = ({"path": str(photo)}, 0.5, *ALL[2:])
    act(on, kept, "start", *controls)
    drain(on)
    queue = find_queue(on, kept)
    place = queue.look.reference
    act(on, kept, "start", *controls)
    assert queue.look.reference == place
    assert on.find(kept)["reference"] == str(place)
    row = queue.entries[1].row
    assert row is not None
    assert "reference_strength=0.5" in row.options
    other = (controls[0], 0.5, False, "unet-gan", *ALL[4:])
    assert "takes no colour hints" in act(on, kept, "start", *other)["message"]


def test_clearing_leaves_nothing(on: BatchHandlers, kept: str) -> None:
    queue = find_queue(on, kept)
    cleared = act(on, kept, "clear")
    assert cleared["kept"] == ""
    assert not queue.place.exists()
    assert on.queues.find(kept) is None


def test_strangers_have_one_queue_of_few_photos(tmp_path: Path, upload: Upload) -> None:
    service = Service(Folder(tmp_path), public=Public(batch_photos=2, pixels=50_000_000))
    assert "batch" in service.tabs
    on = BatchHandlers(service)
    on.worker.wake = lambda: None  # type: ignore[method-assign]
    assert "2 photos of 16 megapixels" in tab.describe_limits(service, on.most)
    keys = []
    for _ in range(2):
        photos = []
        for number in range(3):
            photos.append(service.folder.new(f"{number}.png"))
            Image.new("L", (8, 8), number).save(photos[-1])
        added = on.add(give(*photos), "")
        assert "One photo was not taken" in added["message"]
        keys.append(added["kept"])
    assert act(on, keys[0], "start")["photos"]["running"]
    assert "Another queue from your address" in act(on, keys[1], "start")["message"]


def test_many_photos_are_told_in_little(on: BatchHandlers, upload: Upload) -> None:
    added = on.add(give(*(upload(f"{n}.png", n) for n in range(40))), "")
    queue = find_queue(on, added["kept"])
    drain(on)
    seen = queue.version
    act(on, queue.key, "start")
    on.worker.work()
    news = photo_grid.view(queue, seen)
    assert (len(news["entries"]), news["whole"], news["from"]) == (1, False, seen)


def test_what_is_known_on_a_photo_is_taken_for_all(
    on: BatchHandlers, kept: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    controls = (None, 1.0, True, *ALL[3:])
    assert "Nothing is known" in act(on, kept, "start", *controls)["message"]
    features = np.random.default_rng(0).normal(size=(6, 4, 5))
    coat = Hint(0.5, 0.4, (20.0, -10.0), known=True, note="her letter")
    on.service.albums.put("someone", "key", DescribedPhoto("first.jpg", features, (4, 5), (coat,)))
    monkeypatch.setattr(on.service.runner, "describe", lambda *_: (features, (4.0, 5.0)))
    act(on, kept, "start", *controls)
    drain(on)
    queue = find_queue(on, kept)
    entry = queue.entries[1]
    assert (entry.state, entry.placed) == ("done", 1)
    assert entry.target is not None
    record = image.read_record(entry.target)
    assert record is not None
    (hint,) = record.hints
    assert (hint.ab, hint.known, hint.note) == (coat.ab, False, "as on first.jpg")
    assert "1 known colour" in act(on, kept, "open", id=1)["line"]
