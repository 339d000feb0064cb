"""The command that scores models on photographs, with models that take no time."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
from child_process import running
from numpy.typing import NDArray
from scenes import ROOT

from colorize_core import cards, metrics
from colorize_core.cli.evaluate import main
from colorize_core.downloads import checkpoints
from colorize_core.errors import WeightsError
from colorize_core.evaluate import run
from colorize_core.evaluate.score_file import ScoreFile
from colorize_core.evaluate.scoring import Judge
from colorize_core.evaluate.summary import make_table, summarize
from colorize_core.metrics import baselines, lpips, protocol

QUICK = "psnr,ciede2000,colourfulness"
Picture = NDArray[np.uint8]


def colours(seed: int) -> Picture:
    """Blocks of plain colours, (64, 80, 3)."""
    random = np.random.default_rng(seed)
    return random.integers(0, 256, (4, 5, 3), dtype=np.uint8).repeat(16, 0).repeat(16, 1)


def keep(picture: Picture, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), picture[..., ::-1])


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "album"
    for number in range(4):
        keep(colours(number), folder / "sub" / f"{number}.png")
    return folder


class Models:
    """In place of the registry: unet-gan colours all red, coltran by its seed, cnn-mse fails on
    one photo, sagan cannot be loaded. `asked` counts pictures."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.seeds: list[int] = []
        self.broken = True

    def load(self, name: str, device: str) -> Any:
        if name == "sagan" and self.broken:
            raise WeightsError("The weight file of sagan is missing. Restore it.")

        def colorize(gray: Picture, **options: Any) -> Picture:
            self.asked[name] += 1
            assert (gray[..., 0] == gray[..., 2]).all()
            if name == "cnn-mse" and self.asked[name] == 2 and self.broken:
                raise RuntimeError("out of\nmemory")
            if "seed" in options:
                self.seeds.append(options["seed"])
            return np.maximum(gray, np.array([options.get("seed", 200), 0, 0], np.uint8))

        card = SimpleNamespace(sampled=name == "coltran")
        return SimpleNamespace(card=card, device="cpu", colorize=colorize)


@pytest.fixture
def models(monkeypatch: pytest.MonkeyPatch) -> Models:
    made = Models()
    monkeypatch.setattr(run, "load", made.load)
    return made


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


Ask = Callable[..., int]


@pytest.fixture
def ask(photos: Path, tmp_path: Path, models: Models, monkeypatch: pytest.MonkeyPatch) -> Ask:
    """The command over the photos into scores.csv; of two flags of one name the last counts."""
    monkeypatch.setenv("COLUMNS", "160")  # a narrow terminal would break its table into two

    def ask(*flags: str, **named: str) -> int:
        chosen = {"models": "unet-gan", "metrics": QUICK, "photos": str(photos)} | named
        chosen |= {"out": str(tmp_path / "scores.csv"), "device": "cpu"}
        return main([f"--{name}={value}" for name, value in chosen.items()] + list(flags))

    return ask


def test_rows_are_what_the_protocol_scores(
    ask: Ask, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask(models="unet-gan,coltran", seed="7") == 0
    rows = read(tmp_path / "scores.csv")
    assert [row["model"] for row in rows] == [
        name for name in ("gray", "mean", "unet-gan", "coltran") for _ in range(4)
    ]
    by_key = {(row["model"], row["photo"]): row for row in rows}
    assert len(by_key) == 16
    for number in range(4):
        truth = protocol.crop_square(colours(number))
        gray = protocol.to_gray(truth)
        red = np.maximum(gray, np.array([200, 0, 0], np.uint8))
        pictures = {
            "gray": gray,
            "mean": baselines.make_one_colour(truth),
            "unet-gan": protocol.recombine(red, truth),
        }
        for model, picture in pictures.items():
            row = by_key[model, f"album/sub/{number}.png"]
            assert (row["protocol"], row["seed"], row["why"]) == ("recombine-256", "", "")
            for name in QUICK.split(","):
                expected = metrics.score(name, picture, truth)
                assert float(row[name]) == pytest.approx(expected, rel=1e-5)
            assert float(row["seconds"]) >= 0
        assert by_key["coltran", f"album/sub/{number}.png"]["seed"] == "7"
    said = capsys.readouterr().out.splitlines()
    assert said[0].split() == ["model", "n", "psnr", "ciede2000", "colourfulness", "seconds"]
    assert [line.split()[:2] for line in said[1:]] == [
        [name, "4"] for name in ("gray", "mean", "unet-gan", "coltran")
    ]


def test_a_zip_gives_the_scores_of_its_folder_whatever_the_number_of_jobs(
    ask: Ask, photos: Path, tmp_path: Path
) -> None:
    assert ask() == 0
    first = read(tmp_path / "scores.csv")
    with zipfile.ZipFile(tmp_path / "album.zip", "w") as archive:
        for path in sorted(photos.rglob("*.png")):
            archive.write(path, path.relative_to(photos))
    (tmp_path / "scores.csv").unlink()
    assert ask("--jobs=3", photos=str(tmp_path / "album.zip")) == 0
    for one, other in zip(first, read(tmp_path / "scores.csv"), strict=True):
        assert other["photo"] == one["photo"].replace("album/", "album.zip/")
        for name in ("model", "why", *QUICK.split(",")):
            assert one[name] == other[name]


def test_the_same_command_does_nothing_again(ask: Ask, models: Models, tmp_path: Path) -> None:
    assert ask("--limit=3") == 0
    assert models.asked == {"unet-gan": 3}
    before = read(tmp_path / "scores.csv")
    assert ask() == 0  # the fourth photo
    assert models.asked == {"unet-gan": 4}
    after = read(tmp_path / "scores.csv")
    assert len(after) == 12
    assert [row for row in after if row in before] == before


def test_a_line_cut_off_by_a_kill_is_done_again(ask: Ask, models: Models, tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    assert ask() == 0
    whole = path.read_bytes()
    # A line's end, a line and a part of another, and all but half of the heading.
    for lost, again in ((1, 1), (len(whole.splitlines()[-1]) + 20, 2), (len(whole) - 10, 4)):
        path.write_bytes(whole[:-lost])
        models.asked.clear()
        assert ask() == 0
        assert models.asked["unet-gan"] == again
        rows = read(path)
        assert [(row["model"], row["photo"], row["psnr"]) for row in rows] == [
            (row["model"], row["photo"], row["psnr"])
            for row in csv.DictReader(whole.decode().splitlines())
        ]


def test_one_failing_model_does_not_stop_the_others(
    ask: Ask, models: Models, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    named = {"models": "sagan,cnn-mse,unet-gan"}
    assert ask(**named) == 1
    rows = read(tmp_path / "scores.csv")
    why = Counter((row["model"], row["why"]) for row in rows)
    assert why["sagan", "The weight file of sagan is missing. Restore it."] == 4
    assert why["cnn-mse", "RuntimeError: out of memory"] == 1
    assert why["unet-gan", ""] == 4
    assert all(bool(row["psnr"]) == bool(row["seconds"]) != bool(row["why"]) for row in rows)
    said = capsys.readouterr()
    assert said.err.count("sagan is missing") == 1
    numbers = {line.split()[0]: line.split()[1:3] for line in said.out.splitlines()}
    assert numbers["sagan"] == ["0", "-"]
    assert numbers["cnn-mse"][0] == "3"
    models.asked.clear()
    models.broken = False
    assert ask(**named) == 0  # what failed is tried again, and only that
    assert models.asked == {"sagan": 4, "cnn-mse": 1}
    assert len(read(tmp_path / "scores.csv")) == 5 * 4


def test_a_photo_that_cannot_be_read_is_told_in_its_rows(
    ask: Ask, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (photos / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    assert ask() == 1
    rows = read(tmp_path / "scores.csv")
    bad = [row for row in rows if row["photo"] == "album/broken.png"]
    assert len(bad) == 3
    assert all("album/broken.png" in row["why"] and not row["psnr"] for row in bad)
    assert sum(1 for row in rows if row["psnr"]) == 12
    assert "album/broken.png" in capsys.readouterr().err


def test_a_black_and_white_photo_has_no_ground_truth(
    ask: Ask, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keep(protocol.to_gray(colours(9)), photos / "old.png")
    sixteen = cv2.imread(str(photos / "sub" / "0.png")).astype(np.uint16) * 257
    cv2.imwrite(str(photos / "deep.png"), sixteen)
    assert ask(metrics="r2,psnr,colourfulness") == 0
    rows = {(row["model"], row["photo"]): row for row in read(tmp_path / "scores.csv")}
    old = rows["unet-gan", "album/old.png"]
    assert (old["psnr"], old["r2"]) == ("", "")
    assert float(old["colourfulness"]) > 0
    assert old["why"].startswith("no ground truth")
    assert rows["gray", "album/deep.png"]["psnr"] == rows["gray", "album/sub/0.png"]["psnr"]
    assert "n=5" in capsys.readouterr().out
    assert ask(metrics="r2,psnr,colourfulness") == 0  # nothing is left to do
    assert rows == {(r["model"], r["photo"]): r for r in read(tmp_path / "scores.csv")}


@pytest.fixture
def no_trunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """An empty cache of torch's and no network; the addresses that were asked for."""
    asked: list[str] = []

    def unreachable(place: Any, *_: Any) -> None:
        asked.append(place.address)
        raise WeightsError(f"{tmp_path} is empty, and there is no route to host")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr(checkpoints, "get", unreachable)
    lpips._load.cache_clear()
    yield asked
    lpips._load.cache_clear()


def test_a_missing_bundled_trunk_takes_no_other_metric_with_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def missing(name: str, device: str) -> None:
        if name == "perceptual-offline":
            raise WeightsError("The file is missing.")

    monkeypatch.setattr(metrics, "prepare", missing)
    judge = Judge(("psnr", "perceptual-offline", "colourfulness"), "cpu")
    assert judge.missing == {"perceptual-offline": "The file is missing."}


def test_an_unreachable_trunk_is_told_once_and_leaves_its_cells_empty(
    ask: Ask,
    models: Models,
    tmp_path: Path,
    no_trunks: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    named = {"metrics": "psnr,lpips-vgg,lpips-squeeze,lpips-vgg-unscaled"}
    assert ask(**named) == 0
    assert len(no_trunks) == 2  # one try for each trunk, though two metrics use vgg's
    rows = read(tmp_path / "scores.csv")
    for row in rows:
        assert float(row["psnr"]) > 0
        assert row["lpips-vgg"] == row["lpips-vgg-unscaled"] == row["lpips-squeeze"] == ""
        assert "lpips-squeeze: The trunk 'squeeze' of LPIPS (4.96 MB) cannot be had" in row["why"]
        assert "lpips-vgg-unscaled: " in row["why"]
        assert str(tmp_path) not in row["why"]  # the file is for other machines, too
    said = capsys.readouterr().err
    assert said.count("'vgg' of LPIPS (553 MB) cannot be had") == 1
    assert "stays empty: lpips-vgg, lpips-vgg-unscaled." in said

    models.asked.clear()
    assert ask(**named) == 0  # as long as it is missing there is nothing to do
    assert not models.asked

    def network(first: Any, second: Any, normalize: bool) -> float:
        return 0.25

    network.parameters = lambda: iter([first_parameter()])  # type: ignore[attr-defined]
    had = {"squeeze": network}
    monkeypatch.setattr(lpips, "load", lambda net, device: had.get(net) or lpips.build(net))
    assert ask(**named) == 0
    assert models.asked == {"unet-gan": 4}
    rows = read(tmp_path / "scores.csv")
    assert {row["lpips-squeeze"] for row in rows} == {"0.25"}
    assert {row["lpips-vgg"] for row in rows} == {""}


def first_parameter() -> Any:
    import torch

    return torch.zeros(1)


def test_ctrl_c_leaves_a_file_that_goes_on(
    ask: Ask,
    models: Models,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with monkeypatch.context() as patch:
        add, rows = ScoreFile.add, Counter[str]()

        def stopped(file: ScoreFile, row: dict[str, str]) -> None:
            add(file, row)
            rows[row["model"]] += 1
            if rows["unet-gan"] == 2:
                raise KeyboardInterrupt

        patch.setattr(ScoreFile, "add", stopped)
        assert ask() == 130
    assert "goes on" in capsys.readouterr().err
    assert len(read(tmp_path / "scores.csv")) == 10
    models.asked.clear()
    assert ask() == 0
    assert models.asked == {"unet-gan": 2}


def test_a_killed_run_goes_on(tmp_path: Path) -> None:
    """The command itself, on the baselines alone."""
    for number in range(20):
        keep(colours(number), tmp_path / "many" / f"{number}.png")
    out = tmp_path / "scores.csv"
    command = [sys.executable, "-m", "colorize_core.evaluate", "--models=gray", f"--out={out}"]
    command += [f"--photos={tmp_path / 'many'}", "--metrics=flip,ms-ssim,ciede2000", "--device=cpu"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    with running(command, env=environment, cwd=tmp_path) as process:
        until = time.monotonic() + 240
        while not out.exists() or out.read_bytes().count(b"\n") < 6:
            assert process.poll() is None
            assert time.monotonic() < until
            time.sleep(0.02)
        process.kill()
    before = out.read_text(encoding="utf-8").splitlines()
    assert 6 <= len(before) < 41
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    after = out.read_text(encoding="utf-8").splitlines()
    assert len(after) == len(set(after)) == 41
    assert set(before[:-1]) <= set(after)  # the last line may have been cut off


def test_evaluations_at_once_share_a_file(tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"

    def make_row(model: str, photo: str) -> dict[str, str]:
        row = dict.fromkeys(ScoreFile(path, ["psnr"], 0).columns, "")
        return row | {"model": model, "photo": photo, "protocol": "recombine-256", "psnr": "-0.5"}

    one, two = ScoreFile(path, ["psnr"], 0), ScoreFile(path, ["psnr"], 0)
    for photo in ("=1+1/a.png", "b.png"):
        one.add(make_row("gray", photo))
        two.add(make_row("mean", photo))
    one.tidy([("mean", "b.png")])
    two.add(make_row("mean", "c.png"))
    two.tidy([])
    assert set(ScoreFile(path, ["psnr"], 0).rows) == {
        ("mean", "b.png"),
        ("gray", "=1+1/a.png"),
        ("mean", "=1+1/a.png"),
        ("gray", "b.png"),
        ("mean", "c.png"),
    }
    assert path.read_text().count(",'=1+1/a.png,") == 2
    assert path.read_text().count(",-0.5,") == 5
    assert [each.name for each in tmp_path.iterdir()] == ["scores.csv"]


def test_places_that_cannot_be_are_refused(
    ask: Ask, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photos = tmp_path / "photos.zip"
    with zipfile.ZipFile(photos, "w") as file:
        file.writestr("a.png", b"")
    (tmp_path / "link.csv").symlink_to(photos)
    before = photos.read_bytes()
    for named, said in (
        ({"photos": str(photos), "out": str(photos)}, "is the photographs' file itself"),
        ({"photos": str(photos), "out": str(tmp_path / "link.csv")}, "photographs' file itself"),
        ({"out": str(tmp_path)}, "cannot be used: Is a directory."),
        ({"out": str(photos / "scores.csv")}, "photos.zip is a file, not a folder"),
        ({"out": "x" * 300}, "cannot be written: File name too long."),
        ({"photos": "x" * 300}, "cannot be used: File name too long."),
    ):
        with pytest.raises(SystemExit):
            ask(*(f"--{name}={value}" for name, value in named.items()))
        assert said in " ".join(capsys.readouterr().err.split())
    assert photos.read_bytes() == before


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ({"metrics": "psnr"}, "has the columns model, photo"),
        ({"models": "coltran", "seed": "4"}, "drawn with --seed 3; this is --seed 4"),
    ],
)
def test_a_file_of_another_evaluation_is_left_alone(
    ask: Ask,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    named: dict[str, str],
    message: str,
) -> None:
    assert ask(models="coltran", seed="3") == 0
    before = (tmp_path / "scores.csv").read_bytes()
    with pytest.raises(SystemExit) as ended:
        ask(**named)
    assert ended.value.code == 2
    assert message in " ".join(capsys.readouterr().err.split())
    assert (tmp_path / "scores.csv").read_bytes() == before


@pytest.mark.parametrize("text", ["a note without an end", "a,b\n1,2\n"])
def test_a_file_that_is_something_else_is_left_alone(
    ask: Ask, tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "scores.csv").write_text(text)
    with pytest.raises(SystemExit):
        ask()
    assert "--out" in capsys.readouterr().err
    assert (tmp_path / "scores.csv").read_text() == text


def test_a_file_of_another_protocol_is_left_alone(
    ask: Ask, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask() == 0
    path = tmp_path / "scores.csv"
    path.write_text(path.read_text().replace("recombine-256", "squash-224"))
    with pytest.raises(SystemExit):
        ask()
    assert "by the protocol 'squash-224'" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(
    ("flag", "message"),
    [
        ("--models=unet-gan,nobody", "there is no 'nobody'; choose from gray, mean, autochrome"),
        ("--metrics=beauty", "there is no 'beauty'; choose from psnr, ssim"),
        ("--photos=nowhere", "no such zip or folder: nowhere"),
        ("--seed=-1", "0 to 9999"),
        ("--jobs=0", "'0' is not a whole number from 1 up"),
        ("--device=toaster", "'toaster' cannot be used"),
    ],
)
def test_wrong_usage_is_explained(
    ask: Ask, capsys: pytest.CaptureFixture[str], flag: str, message: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        ask(flag)
    assert ended.value.code == 2
    assert message in " ".join(capsys.readouterr().err.split())


def test_photos_of_one_name_are_refused(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main([f"--out={tmp_path / 's.csv'}", "--photos", str(photos), str(photos)])
    assert "2 photos are called album/sub/" in capsys.readouterr().err


def test_help_lists_every_metric(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    said = capsys.readouterr().out
    for metric in metrics.METRICS:
        assert f"  {metric.name} " in said
    assert "exit code" in said


def test_other_weights_are_scored_again(ask: Ask, models: Models, tmp_path: Path) -> None:
    assert ask(models="unet-gan,coltran") == 0
    rows = read(tmp_path / "scores.csv")
    digests = {card.name: card.digest for card in cards()}
    assert {row["weights"] for row in rows if row["model"] == "coltran"} == {digests["coltran"]}
    path = tmp_path / "scores.csv"
    path.write_text(path.read_text().replace(digests["coltran"], "0a1b2c3d"))
    models.asked.clear()
    assert ask(models="unet-gan,coltran") == 0
    assert models.asked == {"coltran": 4}
    assert {row["weights"] for row in read(path)} == {"", digests["coltran"], digests["unet-gan"]}


def test_a_model_is_summed_up_beside_gray() -> None:
    def row(model: str, photo: int, psnr: object, off: object) -> dict[str, str]:
        cells = {"psnr": psnr, "colourfulness-difference": off, "colourfulness": 5}
        texts = {name: str(value) for name, value in cells.items()}
        about = {"model": model, "photo": str(photo), "protocol": "p", "weights": model[:2]}
        return about | texts | {"seconds": f"{photo + 1}", "why": "" if psnr else "no reason; none"}

    values = [(20, -40), (21, -30), (22, -20), ("", -10)]
    better = [(21, 40), (20, 10), (22, -21), (23, -9)]
    rows = [row("gray", i, *each) for i, each in enumerate(values)]
    rows += [row("some", i, *each) for i, each in enumerate(better)]
    names = ("psnr", "colourfulness-difference", "colourfulness")
    gray, some, none = summarize(rows, ("gray", "some", "none"), names)
    shown = [gray[name] for name in ("n", "psnr", "psnr_low", "psnr_wins")]
    assert shown == ["4", "21.00", "20.00", ""]
    assert gray["why"] == "no reason (1 of 4); none (1 of 4)"
    assert (some["model"], some["protocol"], some["weights"]) == ("some", "p", "so")
    assert (some["psnr"], some["seconds"], some["why"]) == ("21.50", "2.500", "")
    assert some["psnr_wins"] == "0.5000"  # one better, one worse, one equal; gray lacks the fourth
    assert some["colourfulness-difference_wins"] == "0.6250"  # nearer to 0: equal, yes, no, yes
    assert some["colourfulness_wins"] == ""  # neither high nor low is better
    assert set(none.values()) == {"none", "0", ""}
    assert gray.keys() == some.keys() == none.keys()


def test_the_table_tells_means_intervals_and_what_is_missing() -> None:
    values = [20.0, 21.0, 22.0, ""]
    rows = [{"model": "gray", "psnr": str(value), "flip": "", "seconds": "0.5"} for value in values]
    lines = make_table(rows, ["gray", "none"], ["psnr", "flip"], 200).splitlines()
    assert lines[0].split() == ["model", "n", "psnr", "flip", "seconds"]
    assert lines[1].startswith("gray   4  21.00 [20.00, 22.00] n=3  -")
    assert lines[1].endswith("0.5000 [0.5000, 0.5000]")
    assert lines[2].split() == ["none", "0", "-", "-", "-"]
    blocks = make_table(rows, ["gray", "none"], ["psnr", "flip"], 30).split("\n\n")
    assert [block.split()[2] for block in blocks] == ["psnr", "flip", "seconds"]
