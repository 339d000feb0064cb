"""find(), plan(), run() and the manifest. The model here only marks pictures: it is not tested."""

from __future__ import annotations

import csv
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from colorize_core.batch import identity, runner
from colorize_core.batch.manifest import COLUMNS, Manifest, Row
from colorize_core.cards import SEED, Control, ModelCard
from colorize_core.errors import OptionError, SaveError


@dataclass
class Marker:
    """Turns pictures red and counts who is at work."""

    tint: str | None = None
    pause: float = 0.0
    device: str = "cpu"
    fails: Callable[[np.ndarray], bool] = lambda pixels: False
    loads: list[tuple[str, str]] = field(default_factory=list)
    controls: list[dict[str, Any]] = field(default_factory=list)
    threads: set[int] = field(default_factory=set)
    in_network: int = 0
    most_in_network: int = 0
    alive: int = 0
    most_alive: int = 0
    lock: Any = field(default_factory=threading.Lock)

    def load(self, name: str, device: str) -> Marker:
        self.loads.append((name, device))
        return self

    def predict(
        self, pixels: np.ndarray, *, gain: float, neutralize: bool, progress: Any, **controls: Any
    ) -> SimpleNamespace:
        progress(0.5)
        self.controls.append(controls)
        if self.fails(pixels):
            raise RuntimeError("out of\nmemory")
        with self.lock:
            self.threads.add(torch.get_num_threads())
            self.alive += 1
            self.in_network += 1
            self.most_in_network = max(self.most_in_network, self.in_network)
            self.most_alive = max(self.most_alive, self.alive)
        time.sleep(self.pause)
        with self.lock:
            self.in_network -= 1
        return SimpleNamespace(tint=self.tint)

    def render(
        self,
        pixels: np.ndarray,
        prediction: Any,
        *,
        vividness: float,
        strength: float,
        finish: Any,
        progress: Any,
    ) -> np.ndarray:
        with self.lock:
            self.alive -= 1
        progress(1.0)
        red = pixels.copy()
        red[..., 1:] //= 2
        return red


def save(path: Path, shade: int = 128, size: tuple[int, int] = (12, 8)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", size, shade).save(path)
    return path


def run(
    inputs: list[Path], out: Path, marker: Marker | None = None, **options: Any
) -> list[runner.Result]:
    workers, overwrite = options.pop("workers", 2), options.pop("overwrite", False)
    settings = runner.BatchOptions(**options)
    manifest = Manifest(out)
    found = runner.find(inputs, out, manifest.results())
    jobs = runner.plan(found.photos, found.base, out, settings.format)
    model = marker or Marker()
    return list(
        runner.run(
            jobs, settings, manifest, workers=workers, overwrite=overwrite, load_model=model.load
        )
    )


def states(results: list[runner.Result]) -> dict[str, str]:
    return {result.job.target.name: result.status for result in results}


def names(out: Path) -> set[str]:
    return {p.relative_to(out).as_posix() for p in out.rglob("*") if p.is_file()}


# find -------------------------------------------------------------------------------------------


def test_a_folder_is_searched_with_all_below_it_but_hidden_files(tmp_path: Path) -> None:
    wanted = [save(tmp_path / name) for name in ("a.jpg", "b/c.PNG", "b/d/e.tif")]
    save(tmp_path / ".thumbs/a.jpg")
    save(tmp_path / "b/._c.png")
    (tmp_path / "b/notes.txt").write_text("no photo")
    found = runner.find([tmp_path], tmp_path / "out")
    assert sorted(found.photos) == sorted(wanted)
    assert found.base == tmp_path
    assert found.problems == ()


def test_several_inputs_are_mirrored_below_the_folder_they_share(tmp_path: Path) -> None:
    one, two = save(tmp_path / "a/1.jpg"), save(tmp_path / "b/c/1.jpg")
    found = runner.find([one, tmp_path / "b"], tmp_path / "out")
    assert found.photos == (one, two)
    assert found.base == tmp_path


def test_a_photo_named_twice_is_taken_once(tmp_path: Path) -> None:
    photo = save(tmp_path / "a.jpg")
    assert runner.find([photo, tmp_path, photo], tmp_path / "out").photos == (photo,)


def test_patterns_find_photos_only_and_not_the_results(tmp_path: Path) -> None:
    photos = (save(tmp_path / "a/1.jpg"), save(tmp_path / "a/2.png"), save(tmp_path / "b/3.jpg"))
    save(tmp_path / "out/1.jpg")
    (tmp_path / "a/notes.txt").write_text("no photo")
    for pattern in ("*/*", "**/*", "[ab]"):
        found = runner.find([f"{tmp_path}/{pattern}"], tmp_path / "out")
        assert found.photos == photos, pattern
        assert found.problems == (), pattern


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(tmp_path: Path) -> None:
    photo = save(tmp_path / "a[1].jpg")
    save(tmp_path / "a1.jpg")
    assert runner.find([photo], tmp_path / "out").photos == (photo,)


def test_the_output_folder_inside_the_input_is_not_searched(tmp_path: Path) -> None:
    photo = save(tmp_path / "a.jpg")
    save(tmp_path / "colorized/a.jpg")
    save(tmp_path / "colorized/b/c.jpg")
    found = runner.find([tmp_path], tmp_path / "colorized")
    assert found.photos == (photo,)


def test_the_output_folder_is_known_by_another_name(tmp_path: Path) -> None:
    photo = save(tmp_path / "album/a.jpg")
    save(tmp_path / "album/out/a.jpg")
    (tmp_path / "link").symlink_to(tmp_path / "album/out")
    assert runner.find([tmp_path / "album"], tmp_path / "link").photos == (photo,)


@pytest.mark.parametrize("name", ["missing.jpg", "empty", "none-*.jpg"])
def test_an_input_without_photos_is_a_problem_that_names_it(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    photo = save(tmp_path / "a.jpg")
    found = runner.find([tmp_path / name, photo], tmp_path / "out")
    assert found.photos == (photo,)
    assert len(found.problems) == 1
    assert name in found.problems[0]


def test_the_output_folder_alone_is_a_problem(tmp_path: Path) -> None:
    save(tmp_path / "a.jpg")
    found = runner.find([tmp_path], tmp_path)
    assert found.photos == ()
    assert "-o" in found.problems[0]


# plan -------------------------------------------------------------------------------------------


def planned(names: list[str], format: str | None = None) -> list[str]:
    base = Path("/in")
    jobs = runner.plan([base / name for name in names], base, Path("/out"), format)
    return [job.target.relative_to("/out").as_posix() for job in jobs]


def test_names_and_folders_stay_and_unwritable_formats_become_png() -> None:
    assert planned(
        ["a.jpg", "b/c.JPEG", "b/d.tiff", "e.webp", "f.bmp", "g.gif", "h", "i.jfif"]
    ) == [
        "a.jpg",
        "b/c.JPEG",
        "b/d.tiff",
        "e.webp",
        "f.png",
        "g.png",
        "h.png",
        "i.jpg",
    ]


def test_a_format_changes_only_the_suffixes_that_are_not_of_it() -> None:
    assert planned(["a.jpeg", "b.png", "c.tar.tif"], "JPEG") == ["a.jpeg", "b.jpg", "c.tar.jpg"]
    assert planned(["a.jpeg", "b.png"], "TIFF") == ["a.tif", "b.tif"]


def test_names_that_would_be_the_same_add_their_old_suffix() -> None:
    assert planned(["x.bmp", "x.gif", "y.bmp"]) == ["x-bmp.png", "x-gif.png", "y.png"]
    assert planned(["x.jpg", "x.png"], "PNG") == ["x-jpg.png", "x.png"]
    assert planned(["a/x.bmp", "b/x.bmp"]) == ["a/x.png", "b/x.png"]


def test_no_two_photos_share_a_target_whatever_their_names() -> None:
    photos = [
        "x.bmp",
        "x.gif",
        "x-bmp.png",
        "X-GIF.png",
        "x.BMP",
        "x-bmp-2.png",
        "x",
        "x-photo.png",
    ]
    for order in (photos, photos[::-1]):
        targets = planned(order)
        assert len({target.casefold() for target in targets}) == len(photos)


# run --------------------------------------------------------------------------------------------


def test_the_output_mirrors_the_input_and_the_manifest_lists_it(tmp_path: Path) -> None:
    save(tmp_path / "in/a.png", size=(30, 20))
    save(tmp_path / "in/b/c.jpg")
    out = tmp_path / "out"
    results = run([tmp_path / "in"], out, Marker(tint="sepia"), vividness=1.5)
    assert states(results) == {"a.png": "done", "c.jpg": "done"}
    assert names(out) == {"a.png", "b/c.jpg", "manifest.csv"}
    assert Image.open(out / "a.png").getpixel((3, 3)) == (128, 64, 64)

    with open(out / "manifest.csv", newline="", encoding="utf-8") as file:
        rows = {row["output"]: row for row in csv.DictReader(file) if row["status"] == "done"}
    row = rows["a.png"]
    assert set(rows) == {"a.png", "b/c.jpg"}
    assert row["input"] == str(tmp_path / "in/a.png")
    assert (row["width"], row["height"]) == ("30", "20")
    assert (row["model"], row["tint"], row["error"]) == ("autochrome", "sepia", "")
    assert "vividness=1.5" in row["options"]
    assert float(row["seconds"]) > 0
    assert int(row["input_bytes"]) == (tmp_path / "in/a.png").stat().st_size


def test_what_is_left_out_of_a_file_is_noted(tmp_path: Path) -> None:
    pages = [Image.new("L", (12, 8), shade) for shade in (10, 20, 30)]
    (tmp_path / "in").mkdir()
    iptc = {33723: b"\x1c\x02\x78\x00\x01a"}
    pages[0].save(tmp_path / "in/a.tif", save_all=True, append_images=pages[1:], tiffinfo=iptc)
    save(tmp_path / "in/b.png")
    left_out = "The file holds 3 pictures: this is the first, the other 2 are left out."
    for format, dropped in (("TIFF", ""), ("WEBP", " Not kept: IPTC.")):
        out = tmp_path / format
        results = run([tmp_path / "in"], out, format=format)
        assert {each.job.source.name: each.note for each in results} == {
            "a.tif": left_out + dropped,
            "b.png": "",
        }
        assert Manifest(out).rows[f"a{results[0].job.target.suffix}"].note == left_out + dropped


def test_a_list_from_before_there_were_notes_is_gone_on_with(tmp_path: Path) -> None:
    save(tmp_path / "in/a.png")
    out = tmp_path / "out"
    run([tmp_path / "in"], out)
    listed = out / "manifest.csv"
    with open(listed, newline="", encoding="utf-8") as file:
        rows = [row[:-1] for row in csv.reader(file)]
    with open(listed, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    save(tmp_path / "in/b.png")
    assert states(run([tmp_path / "in"], out)) == {"a.png": "skipped", "b.png": "done"}
    assert set(Manifest(out).rows) == {"a.png", "b.png"}


def test_a_second_run_skips_what_is_done_and_loads_no_model(tmp_path: Path) -> None:
    save(tmp_path / "in/a.png")
    save(tmp_path / "in/b.png")
    out = tmp_path / "in/colorized"
    run([tmp_path / "in"], out)
    second = Marker()
    assert states(run([tmp_path / "in"], out, second)) == {"a.png": "skipped", "b.png": "skipped"}
    assert second.loads == []
    assert names(out) == {"a.png", "b.png", "manifest.csv"}


@pytest.mark.parametrize(
    "change", [{"vividness": 1.1}, {"gain": 0.9}, {"neutralize": False}, {"quality": 80}]
)
def test_other_settings_do_it_again(tmp_path: Path, change: dict[str, Any]) -> None:
    photo = save(tmp_path / "a.png")
    run([photo], tmp_path / "out")
    assert states(run([photo], tmp_path / "out", **change)) == {"a.png": "done"}
    assert states(run([photo], tmp_path / "out", **change)) == {"a.png": "skipped"}


def test_a_models_own_controls_are_settings_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hue = Control("hue", "Hue", "Where on the wheel.", 0.5, 0.0, 1.0)
    card = ModelCard("drawing", "", "", "", "", 0, (), "", "", controls=(SEED, hue))
    monkeypatch.setattr(runner, "cards", lambda downloads: (card,))
    photo, out, marker = save(tmp_path / "a.png"), tmp_path / "out", Marker()
    drawing: dict[str, Any] = {"model": "drawing", "marker": marker}
    assert states(run([photo], out, **drawing)) == {"a.png": "done"}
    assert states(run([photo], out, **drawing, controls=(("seed", 0),))) == {"a.png": "skipped"}
    assert states(run([photo], out, **drawing, controls=(("seed", 3),))) == {"a.png": "done"}
    assert states(run([photo], out, **drawing, controls=(("seed", 3),))) == {"a.png": "skipped"}
    assert marker.controls == [{"seed": 0, "hue": 0.5}, {"seed": 3, "hue": 0.5}]
    assert " seed=3 hue=0.5 " in Manifest(out).rows["a.png"].options
    with pytest.raises(OptionError, match="0 to 1"):
        runner.BatchOptions("drawing", controls=(("hue", 2),))
    with pytest.raises(TypeError, match="size"):
        runner.BatchOptions("drawing", controls=(("size", 2),))


def test_a_changed_or_lost_file_and_overwrite_do_it_again(tmp_path: Path) -> None:
    photo, out = save(tmp_path / "a.png"), tmp_path / "out"
    run([photo], out)
    save(photo, shade=10)
    os.utime(photo, ns=(0, 1))
    assert states(run([photo], out)) == {"a.png": "done"}
    assert Image.open(out / "a.png").getpixel((0, 0)) == (10, 5, 5)
    (out / "a.png").unlink()
    assert states(run([photo], out)) == {"a.png": "done"}
    assert states(run([photo], out)) == {"a.png": "skipped"}
    assert states(run([photo], out, overwrite=True)) == {"a.png": "done"}


def test_a_moved_album_is_still_known(tmp_path: Path) -> None:
    save(tmp_path / "in/a.png")
    run([tmp_path / "in"], tmp_path / "in/out")
    (tmp_path / "in").rename(tmp_path / "moved")
    assert states(run([tmp_path / "moved"], tmp_path / "moved/out")) == {"a.png": "skipped"}


def album_of(folder: Path, shades: list[int]) -> Path:
    """Scans of one size and one time."""
    for number, shade in enumerate(shades):
        save(folder / f"{number}.bmp", shade)
        os.utime(folder / f"{number}.bmp", ns=(10**18, 10**18))
    return folder


def test_photos_of_one_size_and_time_are_told_apart(tmp_path: Path) -> None:
    first, second = album_of(tmp_path / "1", [10, 20]), album_of(tmp_path / "2", [10, 30])
    out = tmp_path / "out"
    assert states(run([first], out)) == {"0.png": "done", "1.png": "done"}
    again = run([second], out)
    assert states(again) == {"0.png": "skipped", "1.png": "failed"}  # the first is the same photo
    assert f"is the result of {first / '1.bmp'}" in again[1].error
    assert states(run([second], out, overwrite=True)) == {"0.png": "done", "1.png": "done"}
    assert Image.open(out / "1.png").getpixel((0, 0)) == (30, 15, 15)


@pytest.mark.skipif(os.name == "nt", reason="Windows does not tell when a file was changed")
def test_a_photo_that_another_took_the_place_of_is_done_again(tmp_path: Path) -> None:
    album, out = album_of(tmp_path / "in", [10, 20]), tmp_path / "out"
    run([album], out)
    album_of(tmp_path / "in", [10, 30])  # the first is written again, too
    assert states(run([album], out)) == {"0.png": "skipped", "1.png": "done"}
    assert Image.open(out / "1.png").getpixel((0, 0)) == (30, 15, 15)
    album.rename(tmp_path / "away")
    album_of(tmp_path / "other", [40, 30]).rename(album)
    assert states(run([album], out)) == {"0.png": "done", "1.png": "skipped"}


def test_a_resume_reads_no_photo_and_a_moved_album_is_read_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    album, out = album_of(tmp_path / "in", [10, 20]), tmp_path / "out"
    run([album], out)
    read: list[Path] = []
    real = identity._hash
    monkeypatch.setattr(identity, "_hash", lambda path: read.append(path) or real(path))
    done = {"0.png": "skipped", "1.png": "skipped"}
    assert states(run([album], out)) == done
    assert read == []
    album.rename(tmp_path / "moved")
    assert states(run([tmp_path / "moved"], out)) == done
    assert len(read) == 2
    assert states(run([tmp_path / "moved"], out)) == done
    assert len(read) == 2


def test_a_manifest_of_fewer_columns_is_read_and_its_photos_are_done_again(tmp_path: Path) -> None:
    photo, out = save(tmp_path / "a.png"), tmp_path / "out"
    run([photo], out)
    lines = (out / "manifest.csv").read_text().splitlines()
    older = [",".join(line.split(",")[:12]) for line in lines]
    (out / "manifest.csv").write_text("\n".join(older) + "\n")
    assert states(run([photo], out)) == {"a.png": "done"}
    assert states(run([photo], out)) == {"a.png": "skipped"}


def begin(photos: list[Path], base: Path, out: Path) -> Any:
    """A run that has its manifest, and waits."""
    jobs, marker = runner.plan(photos, base, out), Marker()
    return runner.run(jobs, runner.BatchOptions(), Manifest(out), workers=1, load_model=marker.load)


def test_two_runs_at_once_keep_every_row(tmp_path: Path) -> None:
    out = tmp_path / "out"
    albums = [
        [save(tmp_path / f"{name}/{name}{number}.png") for number in range(4)] for name in "ab"
    ]
    runs = [begin(photos, photos[0].parent, out) for photos in albums]
    results = [result for pair in zip(*runs, strict=True) for result in pair]
    assert {result.status for result in results} == {"done"}
    rows = Manifest(out).rows
    assert set(rows) == {f"{name}{number}.png" for name in "ab" for number in range(4)}
    assert {row.status for row in rows.values()} == {"done"}
    assert states(run([tmp_path / "a"], out)) == {
        f"a{number}.png": "skipped" for number in range(4)
    }


def test_an_output_that_another_run_took_meanwhile_is_left_alone(tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = [save(tmp_path / f"1/{name}", 10) for name in ("a.png", "b.png", "c.png")]
    second = [save(tmp_path / f"2/{name}", 20) for name in ("a.png", "b.png", "c.png")]
    slow = begin(first, tmp_path / "1", out)
    next(slow)  # has begun with the next one or two, too
    others = run([tmp_path / "2"], out)
    rest = list(slow)
    rows = Manifest(out).rows
    for result in (*others, *rest):
        name = result.job.target.name
        mine = rows[name].input == str(result.job.source)
        assert (result.status == "done") == mine, result
        assert mine or "is the result of" in result.error
    shades = {each.name: Image.open(out / each.name).getpixel((0, 0))[0] for each in second}
    assert shades == {
        name: {"1": 10, "2": 20}[Path(row.input).parent.name] for name, row in rows.items()
    }
    assert {result.status for result in rest} | {result.status for result in others} > {"done"}


def test_results_that_links_make_one_file_are_told(tmp_path: Path) -> None:
    photos = [save(tmp_path / f"in/{name}.png", shade) for name, shade in (("a", 9), ("b", 99))]
    out = tmp_path / "out"
    out.mkdir()
    (out / "b.png").symlink_to(out / "a.png")
    results = run([tmp_path / "in"], out, overwrite=True)
    assert states(results) == {"a.png": "done", "b.png": "failed"}
    (why,) = (result.error for result in results if result.error)
    assert why.startswith(f"{out / 'b.png'} is the same file as {out / 'a.png'}: ")
    (out / "b.png").unlink()
    (out / "b.png").symlink_to(out / "manifest.csv")
    assert states(run(photos, out, overwrite=True)) == {"a.png": "done", "b.png": "failed"}
    assert set(Manifest(out).rows) == {"a.png"}


def test_a_path_that_is_too_long_fails_its_photo_only(tmp_path: Path) -> None:
    deep = tmp_path
    while len(str(deep)) < 3900:
        deep = deep / ("d" * 200)
    long, good = save(tmp_path / "in/a.png"), save(tmp_path / "in/b.png")
    jobs = [runner.Job(long, deep / ("x" * 250 + ".png")), runner.Job(good, tmp_path / "b.png")]
    marker = Marker()
    results = list(runner.run(jobs, runner.BatchOptions(), load_model=marker.load))
    assert {r.job.source.name: r.status for r in results} == {"a.png": "failed", "b.png": "done"}
    assert "cannot be written: File name too long." in next(r.error for r in results if r.error)


def test_a_file_that_is_not_ours_is_left_alone(tmp_path: Path) -> None:
    photo, out = save(tmp_path / "a.png"), tmp_path / "out"
    save(out / "a.png", shade=7)
    before = (out / "a.png").read_bytes()
    (result,) = run([photo], out)
    assert result.status == "failed"
    assert "--overwrite" in result.error
    assert (out / "a.png").read_bytes() == before
    assert states(run([photo], out, overwrite=True)) == {"a.png": "done"}


def test_another_photos_result_is_left_alone(tmp_path: Path) -> None:
    one, two = save(tmp_path / "1/a.png"), save(tmp_path / "2/a.png", shade=9)
    run([one], tmp_path / "out")
    (result,) = run([two], tmp_path / "out")
    assert result.status == "failed"
    assert str(one) in result.error


def test_a_photo_is_never_replaced_even_with_overwrite(tmp_path: Path) -> None:
    photo = save(tmp_path / "a.png")
    other = save(tmp_path / "sub/b.png")
    (tmp_path / "out").mkdir()
    (tmp_path / "out/b.png").hardlink_to(other)
    before = photo.read_bytes()
    results = run([photo], tmp_path, overwrite=True) + run(
        [other], tmp_path / "out", overwrite=True
    )
    assert [result.status for result in results] == ["failed", "failed"]
    assert "replace the photo" in results[0].error
    assert photo.read_bytes() == before == other.read_bytes()


def test_results_named_by_hand_are_no_inputs(tmp_path: Path) -> None:
    photo, out = save(tmp_path / "a.png"), tmp_path / "out"
    run([photo], out)
    assert states(run([photo, out / "a.png"], out)) == {"a.png": "skipped"}


def test_bad_files_are_told_and_the_rest_goes_on(tmp_path: Path) -> None:
    album = tmp_path / "in"
    save(album / "good.png")
    (album / "empty.jpg").touch()
    (album / "text.png").write_text("not a picture")
    whole = save(album / "cut.jpg", size=(400, 400)).read_bytes()
    (album / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    results = run([album], tmp_path / "out")
    assert states(results) == {
        "good.png": "done",
        "empty.jpg": "failed",
        "text.png": "failed",
        "cut.jpg": "failed",
    }
    assert all(result.error for result in results if result.status == "failed")
    assert names(tmp_path / "out") == {"good.png", "manifest.csv"}
    rows = Manifest(tmp_path / "out").rows
    assert rows["empty.jpg"].status == "failed"
    assert rows["empty.jpg"].error
    save(album / "empty.jpg")
    again = states(run([album], tmp_path / "out"))
    assert (again["empty.jpg"], again["good.png"]) == ("done", "skipped")


def test_an_error_nobody_foresaw_fails_its_photo_only(tmp_path: Path) -> None:
    save(tmp_path / "in/a.png", shade=1)
    save(tmp_path / "in/b.png", shade=200)
    marker = Marker(fails=lambda pixels: bool(pixels.max() < 100))
    results = run([tmp_path / "in"], tmp_path / "out", marker)
    assert states(results) == {"a.png": "failed", "b.png": "done"}
    assert next(r.error for r in results if r.error) == "RuntimeError: out of\nmemory"


@pytest.mark.parametrize(("device", "at_once"), [("cpu", 3), ("cuda:0", 1)])
def test_few_photos_are_in_memory_and_fewer_in_the_network(
    tmp_path: Path, device: str, at_once: int
) -> None:
    for number in range(12):
        save(tmp_path / f"in/{number:02}.png")
    marker = Marker(pause=0.05, device=device)
    results = run([tmp_path / "in"], tmp_path / "out", marker, workers=3)
    assert len(results) == 12
    assert marker.most_in_network == at_once
    assert marker.most_alive <= 3


def test_the_workers_share_the_cores_and_give_them_back(tmp_path: Path) -> None:
    save(tmp_path / "in/a.png")
    save(tmp_path / "in/b.png")
    before = torch.get_num_threads()
    torch.set_num_threads(4)
    try:
        for photos, share in ((["in/a.png"], 4), (["in"], 2)):
            marker = Marker()
            run([tmp_path / name for name in photos], tmp_path / "out", marker, workers=8)
            assert marker.threads == {share}
            (tmp_path / "out/a.png").unlink()
        assert torch.get_num_threads() == 4
    finally:
        torch.set_num_threads(before)


def test_closing_stops_cleanly_and_the_next_run_goes_on(tmp_path: Path) -> None:
    for number in range(20):
        save(tmp_path / f"in/{number:02}.png")
    out = tmp_path / "out"
    found = runner.find([tmp_path / "in"], out)
    jobs = runner.plan(found.photos, found.base, out)
    results = runner.run(
        jobs, runner.BatchOptions(), Manifest(out), workers=2, load_model=Marker(pause=0.01).load
    )
    next(results)
    results.close()
    written = names(out) - {"manifest.csv"}
    assert 1 <= len(written) < 20
    assert all(name.endswith(".png") and "/" not in name for name in written)
    assert not any(t.name.startswith("colorize") for t in threading.enumerate())
    again = run([tmp_path / "in"], out)
    assert {result.status for result in again} <= {"done", "skipped"}
    assert len(names(out)) == 21


def test_settings_refuse_what_is_out_of_range() -> None:
    for name, value in {
        "vividness": 2.1,
        "strength": -0.1,
        "gain": float("nan"),
        "quality": 0,
        "format": "BMP",
    }.items():
        with pytest.raises(OptionError, match=name):
            runner.BatchOptions(**{name: value})  # type: ignore[arg-type]


# manifest ---------------------------------------------------------------------------------------


def row(output: str, status: str = "done", **more: str) -> Row:
    return Row(input=f"/in/{output}", output=output, status=status, **more)


def test_the_later_of_two_rows_counts_and_tidying_keeps_one(tmp_path: Path) -> None:
    manifest = Manifest(tmp_path)
    manifest.add(row("a.png", "started"))
    manifest.add(row("b.png", "started"))
    manifest.add(row("a.png", "done", error='odd "text",\nin two lines'))
    assert Manifest(tmp_path).rows == manifest.rows
    manifest.tidy()
    with open(manifest.path, newline="", encoding="utf-8") as file:
        lines = list(csv.reader(file))
    assert [line[1:3] for line in lines[1:]] == [["a.png", "done"], ["b.png", "started"]]
    assert Manifest(tmp_path).rows == manifest.rows
    assert names(tmp_path) == {"manifest.csv"}


@pytest.mark.parametrize("end", ["/in/b.png,b.png,don", '/in/b.png,"b.p', ""])
def test_a_row_that_was_cut_off_is_dropped(tmp_path: Path, end: str) -> None:
    manifest = Manifest(tmp_path)
    manifest.add(row("a.png"))
    with open(manifest.path, "a", encoding="utf-8") as file:
        file.write(end)
    again = Manifest(tmp_path)
    assert set(again.rows) == {"a.png"}
    again.add(row("c.png"))
    assert set(Manifest(tmp_path).rows) == {"a.png", "c.png"}


def test_a_finished_photo_is_known_by_what_is_left_of_its_row(tmp_path: Path) -> None:
    save(tmp_path / "in/a.png")
    last, out = save(tmp_path / "in/b.png"), tmp_path / "out"
    run([tmp_path / "in"], out)
    (manifest := Manifest(out)).tidy()
    whole = manifest.path.read_bytes()
    start = whole.rindex(os.fsencode(last))
    for end in (start + len(os.fsencode(last)) + 2, (start + len(whole)) // 2, len(whole) - 1):
        manifest.path.write_bytes(whole[:end])
        save(out / "b.png", shade=7)
        stopped = begin([tmp_path / "in/a.png", last], tmp_path / "in", out)
        assert next(stopped).status == "skipped"
        stopped.close()  # before anything of it is done
        assert states(run([tmp_path / "in"], out)) == {"a.png": "skipped", "b.png": "done"}
        assert Image.open(out / "b.png").getpixel((0, 0)) == (128, 64, 64)
    manifest.path.write_bytes(whole[:start] + b"/in/other.png,b.png,do")
    assert states(run([tmp_path / "in"], out)) == {"a.png": "skipped", "b.png": "failed"}


def test_names_that_are_not_utf8_survive(tmp_path: Path) -> None:
    odd = os.fsdecode(b"caf\xe9.png")
    Manifest(tmp_path).add(row(odd))
    assert set(Manifest(tmp_path).rows) == {odd}


@pytest.mark.parametrize("name", ["=cmd|x.png", "+1+1.png", "-a.png", "@b.png", "'c.png", "\t.png"])
def test_names_that_a_spreadsheet_would_compute_are_text(tmp_path: Path, name: str) -> None:
    save(tmp_path / "in" / name)
    assert states(run([tmp_path / "in"], tmp_path / "out")) == {name: "done"}
    with open(tmp_path / "out/manifest.csv", newline="", encoding="utf-8") as file:
        assert {line["output"] for line in csv.DictReader(file)} == {f"'{name}"}
    assert set(Manifest(tmp_path / "out").rows) == {name}
    assert states(run([tmp_path / "in"], tmp_path / "out")) == {name: "skipped"}


def test_somebody_elses_manifest_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "manifest.csv").write_text("name,price\nshoe,3\n")
    with pytest.raises(SaveError, match=r"manifest\.csv"):
        Manifest(tmp_path)
    assert (tmp_path / "manifest.csv").read_text() == "name,price\nshoe,3\n"


def test_the_columns_are_the_promised_ones() -> None:
    assert COLUMNS[:10] == (
        "input",
        "output",
        "status",
        "width",
        "height",
        "seconds",
        "model",
        "options",
        "tint",
        "error",
    )
